"""Telling admins who came: a digest every so many minutes, a card for each, or nothing; and healing what was told.

What is told is computed from the rows when it is due: who was decided meanwhile is not in it, and a kill loses nothing
(a message that was sent and not noted is sent once more). A look at the newest rows says at which channels there may be
somebody to tell of, whoever stored them. docs/decisions/0023 has the measure of tact.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from services.admins import AdminService
from services.requests.board import Board, DigestLine, MovedTo, Place, Refusal, Sent
from services.requests.notify_group import NotifyGroup
from services.requests.removing import UNDO_WITHIN, may_be_taken_back
from storage.channels import ChannelRepository
from storage.join_requests import JoinRequestRepository
from storage.models import Channel, JoinRequest, RequestStatus, Role
from storage.notices import NoticeRepository
from storage.request_models import News, Notice, NotifyMode, RequestSettings
from storage.request_settings import RequestSettingsRepository
from storage.types import Clock, utc_now

log = logging.getLogger(__name__)

LOOK_SECONDS = 2.0
STOP_SECONDS = 3.0
FAILED_SECONDS = 300.0
"""After a defect or a full disk: what was sent and could not be noted is sent again then, and not every two seconds."""
GATHER = timedelta(seconds=30)
"""The first one after a quiet time is told after so long: who comes right behind is in the same message."""
CARDS_A_MINUTE = 5
"""At a channel; whoever comes beyond that comes as a digest. Telegram takes 20 messages a minute in a group."""
MINUTE = timedelta(minutes=1)
GROUP_RESTS = timedelta(hours=1)
"""Before a group that could not be written to is tried again."""
HEALED_AT_ONCE = 50
FOLLOWED = UNDO_WITHIN + timedelta(minutes=1)
"""So long after the decision a card says what holds by now: whoever was let in may be taken out again meanwhile."""


@dataclass(frozen=True, slots=True)
class _Due:
    line: DigestLine
    settings: RequestSettings
    news: News


class Notices:
    """Started once. Nobody has to tell it anything."""

    def __init__(
        self,
        rows: NoticeRepository,
        settings: RequestSettingsRepository,
        requests: JoinRequestRepository,
        channel_rows: ChannelRepository,
        admins: AdminService,
        board: Board,
        group: NotifyGroup,
        *,
        clock: Clock = utc_now,
    ) -> None:
        self._rows = rows
        self._settings = settings
        self._requests = requests
        self._channel_rows = channel_rows
        self._admins = admins
        self._board = board
        self._group = group
        self._clock = clock
        self._looked_to = 0  # the newest request that was there at the last look
        self._since: dict[int, datetime] = {}  # channel -> since when there may be somebody to tell of
        self._told: dict[int, datetime] = {}  # channel -> when its last digest was sent
        self._carded: defaultdict[int, list[datetime]] = defaultdict(list)  # channel -> its cards of the last minute
        self._crowded: set[int] = set()  # more came than cards can tell: the rest is a digest
        self._said: dict[tuple[int, int], RequestStatus] = {}  # chat and message -> what a card that is followed says
        self._group_rests_until: datetime | None = None
        self._turn = asyncio.Lock()
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    # -- life

    async def start(self) -> None:
        await self.recall()
        self._task = asyncio.create_task(self._keep_telling())

    async def stop(self) -> None:
        """What is being sent is noted, if that takes no longer than STOP_SECONDS: else it would be sent once more."""
        self._stopping.set()
        if self._task is not None:
            await asyncio.wait({self._task}, timeout=STOP_SECONDS)
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def recall(self) -> None:
        """What a Porter before this one has told. Whom it has not told of is found by the first look."""
        told = {each.channel_id: each.told_at for each in await self._settings.all() if each.told_at is not None}
        self._told = told | await self._rows.told()

    def reconsider(self, channel_id: int) -> None:
        """There may be somebody to tell of: how the channel tells was changed."""
        self._since.setdefault(channel_id, self._clock())

    async def _keep_telling(self) -> None:
        while not self._stopping.is_set():
            pause = LOOK_SECONDS
            try:
                await self.tell(self._clock())
                await self.heal()
            except Exception:
                log.exception("admins were not told who came; tried again in %d s", FAILED_SECONDS)
                pause = FAILED_SECONDS
                self._looked_to = 0  # whoever was to be told of is found again
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pause)

    # -- telling

    async def tell(self, now: datetime) -> None:
        """What is due at that moment."""
        async with self._turn:
            await self._tell(now)

    async def _tell(self, now: datetime) -> None:
        self._looked_to, channel_ids = await self._rows.newcomers(self._looked_to)
        for channel_id in channel_ids:
            self._since.setdefault(channel_id, self._clock())
        due = []
        for channel_id, since in list(self._since.items()):
            settings = await self._settings.get(channel_id)
            if settings.notify is NotifyMode.CARDS and channel_id not in self._crowded:
                await self._tell_by_cards(settings, now)
            elif settings.notify is NotifyMode.SILENT:
                del self._since[channel_id]
            elif now >= self._due_at(settings, since):
                del self._since[channel_id]  # who comes from here on is found by the next look
                if each := await self._due(settings):
                    due.append(each)
        if due:
            await self._tell_by_digest(due, now)

    def _due_at(self, settings: RequestSettings, since: datetime) -> datetime:
        told = self._told.get(settings.channel_id)
        soon = since + GATHER
        return soon if told is None else max(soon, told + timedelta(minutes=settings.digest_minutes))

    async def _due(self, settings: RequestSettings) -> _Due | None:
        """None: those who came were decided meanwhile."""
        news = await self._rows.news(settings.channel_id, settings.told_at)
        channel = await self._channel_rows.get(settings.channel_id)
        if news is None or channel is None:
            self._crowded.discard(settings.channel_id)
            return None
        line = DigestLine(channel, news.count, await self._requests.count(channel.id))
        return _Due(line, settings, news)

    async def _tell_by_digest(self, due: Sequence[_Due], now: datetime) -> None:
        lines: defaultdict[Place, list[DigestLine]] = defaultdict(list)
        for each in due:
            for place in await self._places(each.line.channel, each.settings, now):
                lines[place].append(each.line)
        told: set[int] = set()
        missed: set[int] = set()
        for place, of_place in lines.items():
            (told if await self._digest(place, of_place, now) else missed).update(line.channel.id for line in of_place)
        for each in due:
            channel_id = each.settings.channel_id
            if channel_id in told:
                # Not `now`: who was stored a moment ago, and is not counted here, is told next time.
                await self._settings.change(channel_id, told_at=each.news.newest_at)
                self._told[channel_id] = now
                self._crowded.discard(channel_id)
            elif channel_id in missed:
                self._since.setdefault(channel_id, now)

    async def _digest(self, place: Place, lines: Sequence[DigestLine], now: datetime) -> bool:
        """One message, in place of the one before that nobody used. False: it was not sent."""
        earlier = [
            notice
            for notice in await self._rows.digests(place.chat_id)
            if place.topic_id is None or notice.channel_id == lines[0].channel.id
        ]
        used = {each for each in {n.message_id for n in earlier} if await self._board.is_screen(place.chat_id, each)}
        carried = {n.channel_id for n in earlier if n.message_id not in used} - {line.channel.id for line in lines}
        shown = [*lines, *await self._still_waiting(place, sorted(carried))]
        written = await self._write(place, lines[0].channel, now, partial(self._board.digest, lines=shown))
        if written is None:
            return False
        await self._rows.put_digest(*written, [line.channel.id for line in shown])
        for message_id in {notice.message_id for notice in earlier}:
            if message_id not in used:
                await self._board.take_away(place.chat_id, message_id)
            await self._rows.forget(place.chat_id, message_id)
        return True

    async def _still_waiting(self, place: Place, channel_ids: Sequence[int]) -> list[DigestLine]:
        """What the digest before told of and nobody has looked at, as far as it holds still."""
        lines = []
        admin = await self._admins.find(place.chat_id)
        for channel_id in channel_ids:
            channel = await self._channel_rows.get(channel_id)
            settings = await self._settings.get(channel_id)
            if channel is None or settings.notify is NotifyMode.SILENT:
                continue
            if admin is not None and not admin.decides(channel_id):
                continue
            if waiting := await self._requests.count(channel_id):
                lines.append(DigestLine(channel, 0, waiting))
        return lines

    async def _tell_by_cards(self, settings: RequestSettings, now: datetime) -> None:
        channel_id = settings.channel_id
        since = self._since.pop(channel_id)
        carded = self._carded[channel_id] = [at for at in self._carded[channel_id] if now - at < MINUTE]
        room = CARDS_A_MINUTE - len(carded)
        fresh = await self._rows.fresh(channel_id, settings.told_at, room + 1)
        channel = await self._channel_rows.get(channel_id)
        places = await self._places(channel, settings, now) if channel is not None and fresh else []
        if channel is None or not places:
            return
        is_crowded = len(fresh) > room
        for request in fresh[:room]:
            sent = [await self._card(place, request, channel, now) for place in places]
            if not any(sent):
                is_crowded = True
                break
            carded.append(now)
        if is_crowded:
            self._crowded.add(channel_id)
            self._since.setdefault(channel_id, since)
        else:
            await self._settings.change(channel_id, told_at=fresh[-1].first_seen_at)

    async def _card(self, place: Place, request: JoinRequest, channel: Channel, now: datetime) -> bool:
        send = partial(self._board.card, request=request, channel=channel)
        written = await self._write(place, channel, now, send)
        if written is None:
            return False
        await self._rows.put_card(*written, request)
        return True

    async def _write(
        self, place: Place, channel: Channel, now: datetime, send: Callable[[Place], Awaitable[Sent]]
    ) -> tuple[int, int] | None:
        """Once more where topic or group are others by now. Answers chat and message; None: it was not sent."""
        sent = await send(place)
        if sent is Refusal.NO_TOPIC and (anew := await self._topic_anew(place, channel)):
            place, sent = anew, await send(anew)
        elif isinstance(sent, MovedTo):
            await self._group.moved(sent.chat_id)
            place = Place(sent.chat_id)
            sent = await send(place)
        if isinstance(sent, int):
            if place.chat_id == self._group.id:
                self._group_rests_until = None
            return place.chat_id, sent
        if sent is Refusal.NO_CHAT:
            await self._cannot_write(place, now)
        return None

    # -- where to

    async def _places(self, channel: Channel, settings: RequestSettings, now: datetime) -> list[Place]:
        """The group where there is one that can be written to; else whoever decides at the channel."""
        group = self._group.id
        if group is not None and (self._group_rests_until is None or now >= self._group_rests_until):
            topic_id = settings.topic_id
            if topic_id is None and (topic_id := await self._board.open_topic(group, channel.title)) is not None:
                await self._settings.change(channel.id, topic_id=topic_id)
            return [Place(group, topic_id)]
        return [
            Place(admin.user_id)
            for admin in await self._admins.all()
            if admin.decides(channel.id) and admin.unreachable_at is None
        ]

    async def _topic_anew(self, place: Place, channel: Channel) -> Place | None:
        """In place of one that somebody has deleted. None: the group takes none."""
        known = (await self._settings.get(channel.id)).topic_id
        if known not in (None, place.topic_id):
            return Place(place.chat_id, known)  # made a moment ago, for the message before
        topic_id = await self._board.open_topic(place.chat_id, channel.title)
        await self._settings.change(channel.id, topic_id=topic_id)
        return None if topic_id is None else Place(place.chat_id, topic_id)

    async def _cannot_write(self, place: Place, now: datetime) -> None:
        owners = [admin for admin in await self._admins.all() if admin.role is Role.OWNER]
        if place.chat_id == self._group.id:
            is_new = self._group_rests_until is None
            self._group_rests_until = now + GROUP_RESTS
            if is_new:
                log.warning("the group of NOTIFY_CHAT cannot be written to: admins are told one by one")
                for owner in owners:
                    await self._board.name_lost_group(owner.user_id)
        elif admin := await self._admins.note_unreachable(place.chat_id):
            log.info("an admin cannot be written to", extra={"admin_id": admin.user_id})
            for owner in owners:
                if owner.user_id != admin.user_id:
                    await self._board.name_unreachable(owner.user_id, admin)

    # -- healing

    async def heal(self) -> None:
        """Cards of people who wait no more say what became of them, whoever decided; and what became of that, while it
        may be taken back. Digests that are over go, and cards of people who were forgotten."""
        behind = 0
        while pairs := await self._rows.decided(HEALED_AT_ONCE, behind):
            behind = pairs[-1][0].id
            for notice, request in pairs:
                await self._heal(notice, request)
        for chat_id, message_id in {(n.chat_id, n.message_id) for n in await self._rows.over(HEALED_AT_ONCE)}:
            if await self._board.take_away(chat_id, message_id):
                await self._forget(chat_id, message_id)

    async def _heal(self, notice: Notice, request: JoinRequest) -> None:
        if self._said.get((notice.chat_id, notice.message_id)) is request.status:
            await self.healed(notice.chat_id, notice.message_id, request)
            return
        if not self._board.has_room(notice.chat_id):
            return
        channel = await self._channel_rows.get(request.channel_id)
        decider = await self._admins.find(request.decided_by) if request.decided_by is not None else None
        name = decider.name if decider is not None else None
        if channel is not None and await self._board.heal(notice.chat_id, notice.message_id, request, channel, name):
            await self.healed(notice.chat_id, notice.message_id, request)

    async def is_card_of(self, chat_id: int, message_id: int, request_id: int) -> bool:
        """False: known to be another's. Data can be forged, and a card may not tell of somebody else."""
        return await self._rows.request_of(chat_id, message_id) in (None, request_id)

    async def healed(self, chat_id: int, message_id: int, request: JoinRequest) -> None:
        """The message says what became of the request. It is followed while that may be taken back."""
        decided_at = request.decided_at
        if may_be_taken_back(request) and decided_at is not None and self._clock() < decided_at + FOLLOWED:
            self._said[chat_id, message_id] = request.status
        else:
            await self._forget(chat_id, message_id)

    async def _forget(self, chat_id: int, message_id: int) -> None:
        self._said.pop((chat_id, message_id), None)
        await self._rows.forget(chat_id, message_id)
