"""kurigram's objects -> the frozen dataclasses of base.py."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, overload

from pyrogram import raw

from services.clients.base import Joined
from storage.models import IncomingRequest


class LateRequests(Sequence[IncomingRequest]):
    """Importers of a page, parsed when somebody looks: the next page is asked for before that."""

    def __init__(self, channel_id: int, rows: Sequence[Any], people: Mapping[int, Any], link: str | None) -> None:
        self._of = (channel_id, rows, people, link)
        self._parsed: tuple[IncomingRequest, ...] | None = None

    @overload
    def __getitem__(self, index: int) -> IncomingRequest: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[IncomingRequest, ...]: ...

    def __getitem__(self, index: int | slice) -> IncomingRequest | tuple[IncomingRequest, ...]:
        return self._all()[index]

    def __len__(self) -> int:
        return len(self._of[1])

    def __iter__(self) -> Iterator[IncomingRequest]:
        return iter(self._all())

    def _all(self) -> tuple[IncomingRequest, ...]:
        if self._parsed is None:
            channel_id, rows, people, link = self._of
            self._parsed = tuple(incoming(channel_id, row, people.get(row.user_id), link) for row in rows)
        return self._parsed


def joined(event: Any, people: Mapping[int, Any]) -> Joined | None:
    """None: an event about a link, which the same filter lets through. `people`: by id, as they came along."""
    at = datetime.fromtimestamp(event.date, UTC)
    match event.action:
        case raw.types.ChannelAdminLogEventActionParticipantJoinByRequest(approved_by=by):
            return _joined(event.user_id, at, by, people)
        case raw.types.ChannelAdminLogEventActionParticipantInvite(participant=participant):
            user_id = member(participant)
            return None if user_id is None else _joined(user_id, at, event.user_id, people)
        case (
            raw.types.ChannelAdminLogEventActionParticipantJoin()
            | raw.types.ChannelAdminLogEventActionParticipantJoinByInvite()
        ):
            return _joined(event.user_id, at, None, people)
    return None


def _joined(user_id: int, at: datetime, by: int | None, people: Mapping[int, Any]) -> Joined:
    name, username = _names(people.get(user_id))
    return Joined(user_id, at, by, name, username)


def _names(user: Any) -> tuple[str, str | None]:
    """Empty for an account that is gone."""
    if not isinstance(user, raw.types.User):
        return "", None
    username = user.username or next((each.username for each in user.usernames or () if each.active), None)
    return " ".join(part for part in (user.first_name, user.last_name) if part), username


def member(participant: Any) -> int | None:
    """The person whom it is about; None: a channel, which may take part under its own name."""
    user_id = getattr(participant, "user_id", None)
    if user_id is None:
        user_id = getattr(getattr(participant, "peer", None), "user_id", None)
    return user_id


def incoming(channel_id: int, row: Any, user: Any, link: str | None) -> IncomingRequest:
    """A ChatInviteImporter. Its user comes along, but for accounts that are gone."""
    asked_at = datetime.fromtimestamp(row.date, UTC)
    if user is None or not isinstance(user, raw.types.User):
        return IncomingRequest(channel_id, row.user_id, "", None, row.about, asked_at, link=link)
    name, username = _names(user)
    return IncomingRequest(
        channel_id=channel_id,
        user_id=row.user_id,
        name=name,
        username=username,
        bio=row.about or None,
        asked_at=asked_at,
        has_photo=isinstance(user.photo, raw.types.UserProfilePhoto),
        is_premium=bool(user.premium),
        is_scam=bool(user.scam),
        is_fake=bool(user.fake),
        link=link,
        language=user.lang_code,
    )
