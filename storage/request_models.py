"""What is kept about people who ask to join, beside the requests themselves (storage/models.py)."""

import json
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import Self

from storage.models import JoinRequest


class RequestGroup(StrEnum):
    """What sets those who wait apart; each is in one of them, the first that fits."""

    MARKED = "MARKED"
    """Telegram marks the account as scam or fake."""
    ALIKE = "ALIKE"
    """Many of one make, within an hour."""
    COMPLETE = "COMPLETE"
    """With a photo and a username."""
    BARE = "BARE"
    """Known to have no photo, or without a username."""
    UNSEEN = "UNSEEN"
    """With a username; whether there is a photo nobody has told: the bot's update does not, loading does."""


@dataclass(frozen=True, slots=True)
class RequestFilters:
    """Who of those that wait is meant; None: whoever. All that is given must hold.

    `has_photo` is neither true nor false of those of whom nobody has told. `is_known`: decided, withdrawn or handled at
    one of our channels before. `waits_over`, `waits_under`: seconds since they asked. `words` are in the name or
    username, `bio` in the bio, whatever their case. `link`: the invite link they came by.
    """

    group: RequestGroup | None = None
    has_username: bool | None = None
    has_photo: bool | None = None
    has_bio: bool | None = None
    is_premium: bool | None = None
    is_marked: bool | None = None
    is_alike: bool | None = None
    is_known: bool | None = None
    waits_over: int | None = None
    waits_under: int | None = None
    words: str | None = None
    bio: str | None = None
    link: str | None = None

    @property
    def is_empty(self) -> bool:
        return self == RequestFilters()

    def to_json(self) -> str:
        """The same filters are the same text."""
        given = {field.name: value for field in fields(self) if (value := getattr(self, field.name)) is not None}
        return json.dumps(given, ensure_ascii=False, sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Self:
        values = json.loads(text)
        if "group" in values:
            values["group"] = RequestGroup(values["group"])
        return cls(**values)


@dataclass(frozen=True, slots=True)
class RequestView:
    """What an admin looks at. Never changed: a button that names it keeps its meaning. `id` 0: all, longest first."""

    id: int
    admin_id: int
    channel_id: int
    filters: RequestFilters
    newest_first: bool = False


@dataclass(frozen=True, slots=True)
class RequestPage:
    """`rows` in the order of the view. `previous`: the key of the page before (0: the first), None on the first."""

    rows: list[JoinRequest]
    previous: int | None
    has_more: bool


@dataclass(frozen=True, slots=True)
class Capped:
    """A count that stopped at `at_least`, or is exact."""

    at_least: int
    is_exact: bool


@dataclass(frozen=True, slots=True)
class LinkCount:
    """An invite link, how many of those who wait came by it, and one of them."""

    link: str
    people: int
    request_id: int


class NotifyMode(StrEnum):
    DIGEST = "DIGEST"
    CARDS = "CARDS"
    SILENT = "SILENT"


DIGEST_MINUTES = 30


@dataclass(frozen=True, slots=True)
class RequestSettings:
    """How the gate of one channel is kept. `told_at`: when admins were last told of new ones. `topic_id`: of the
    channel in NOTIFY_CHAT. `welcome`, `refusal`: what is written to somebody before they are decided. `load_newest`:
    how many a scheduled load asks for; None: all."""

    channel_id: int
    notify: NotifyMode = NotifyMode.DIGEST
    digest_minutes: int = DIGEST_MINUTES
    told_at: datetime | None = None
    topic_id: int | None = None
    frozen_at: datetime | None = None
    frozen_by: int | None = None
    welcome: str | None = None
    refusal: str | None = None
    load_newest: int | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """A message about waiting people that is still to heal. `request_id` None: a channel's line of a digest."""

    id: int
    chat_id: int
    message_id: int
    channel_id: int
    request_id: int | None
    sent_at: datetime


@dataclass(frozen=True, slots=True)
class News:
    """Who has come to a channel since admins were told. `newest_at`: when the last of them was stored."""

    count: int
    newest_at: datetime


class RuleAction(StrEnum):
    APPROVE = "APPROVE"
    DENY = "DENY"
    HOLD = "HOLD"
    """Left to the admins, whatever later rules say."""


@dataclass(frozen=True, slots=True)
class Rule:
    """`live_since` None: its verdicts are written down and count for nothing (shadow mode)."""

    id: int
    channel_id: int
    position: int
    action: RuleAction
    filters: RequestFilters
    live_since: datetime | None
    created_by: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a rule says of a request."""

    request_id: int
    rule_id: int
    action: RuleAction
    is_live: bool

    @property
    def decides(self) -> bool:
        """It is to be carried out."""
        return self.is_live and self.action is not RuleAction.HOLD


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a change of rules would do to those who wait. `sample`: some of them, and what would become of each."""

    approve: int
    deny: int
    sample: tuple[tuple[JoinRequest, RuleAction], ...] = ()

    @property
    def is_empty(self) -> bool:
        return not self.approve and not self.deny


@dataclass(frozen=True, slots=True)
class Figures:
    """Of a rule since it was written, changed, or last switched. `meant`: whom it said something of. `decided`: those
    of them whom admins decided on; `agreed`: as the rule would have. `carried_out`: whom it decided itself."""

    meant: int = 0
    decided: int = 0
    agreed: int = 0
    carried_out: int = 0


class ItemOutcome(StrEnum):
    """What became of one person whom a decision on many was about."""

    APPROVED = "APPROVED"
    DENIED = "DENIED"
    WITHDRAWN = "WITHDRAWN"
    """Waited no more, and is no member."""
    ELSEWHERE = "ELSEWHERE"
    """Decided by somebody else."""
    STAYS = "STAYS"
    """Telegram refused; `reason` says why, and they wait still."""


@dataclass(frozen=True, slots=True)
class BulkItem:
    """`outcome` None: not yet. `is_unseen`: let in by a decision on all without having been on any list before."""

    request: JoinRequest
    outcome: ItemOutcome | None
    reason: str | None
    is_unseen: bool
