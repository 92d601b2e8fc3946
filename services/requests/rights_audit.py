"""Who may let people in where: the bot, which accounts, or nobody. And what changes about the bot's own right.

What the accounts may do is stored with their lists of channels, what the bot may do with the channels. Whether it may
ban is asked, and known until the process ends.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from services.access import Rights
from services.channels import ChannelService
from services.clients.pacing import answered
from services.errors import ChannelUnavailable, PorterError, RightMissing, Unreachable
from services.gate import BotGate
from storage.channels import ChannelRepository
from storage.join_requests import JoinRequestRepository
from storage.models import Channel, SessionKind, SessionState
from storage.sessions import SessionRepository
from storage.types import Clock, utc_now

log = logging.getLogger(__name__)

PAUSE_SECONDS = 0.1
"""Between two channels: ten a second, of the thirty calls that Telegram allows a bot."""
LOOK_SECONDS = 5.0
PICKED_FOR = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Entrance:
    """`accounts`: names of those that may let people in. `bot_may_ban` None: not asked since the start."""

    channel: Channel
    waiting: int
    accounts: tuple[str, ...]
    bot_may_ban: bool | None = None

    @property
    def bot_may_invite(self) -> bool:
        return bool(self.channel.bot_may_invite)

    @property
    def trouble(self) -> int:
        """The most for those where nobody may; then where new ones are not told, then where old ones are not."""
        return (0 if self.bot_may_invite else 2) + (0 if self.accounts else 1)


@dataclass(frozen=True, slots=True)
class Checking:
    """How far an audit is. `checked_at`: the end of the last one; None: none since the start."""

    done: int = 0
    total: int = 0
    is_running: bool = False
    checked_at: datetime | None = None


class Turn(StrEnum):
    """What became of the bot's right at a channel."""

    GAINED = "GAINED"
    LOST = "LOST"


class RightsAudit:
    def __init__(
        self,
        channel_rows: ChannelRepository,
        channels: ChannelService,
        sessions: SessionRepository,
        requests: JoinRequestRepository,
        gate: BotGate,
        rights: Rights,
        *,
        clock: Clock = utc_now,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._channel_rows = channel_rows
        self._channels = channels
        self._sessions = sessions
        self._requests = requests
        self._gate = gate
        self._rights = rights
        self._clock = clock
        self._sleep = sleep
        self._may_ban: dict[int, bool] = {}
        self._picked: dict[int, datetime] = {}
        self._turning = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self.checking = Checking()

    # -- all channels

    async def entrances(self, admin_id: int) -> list[Entrance]:
        """Worst first, then where most wait. Raises NotAllowed: for owners."""
        await self._rights.check_owner(admin_id)
        names = await self._names()
        waiting = {entry.channel.id: entry.pending for entry in await self._requests.overview()}
        found = []
        for channel in await self._channel_rows.entrances():
            accounts = await self._accounts(channel.id, names)
            found.append(Entrance(channel, waiting.get(channel.id, 0), accounts, self._may_ban.get(channel.id)))
        return sorted(found, key=lambda each: (-each.trouble, -each.waiting, each.channel.title))

    async def accounts(self, channel_id: int) -> tuple[str, ...]:
        """The names of those that may let people in there."""
        return await self._accounts(channel_id, await self._names())

    async def _accounts(self, channel_id: int, names: dict[int, str]) -> tuple[str, ...]:
        allowed = await self._channel_rows.sessions_of(channel_id, may_invite=True)
        return tuple(names[session_id] for session_id in allowed if session_id in names)

    async def _names(self) -> dict[int, str]:
        """Of the accounts that work, by session."""
        return {
            session.id: session.name
            for session in await self._sessions.all()
            if session.kind is SessionKind.USER and session.state is SessionState.ACTIVE
        }

    async def check(self, admin_id: int) -> asyncio.Task[None]:
        """Ask Telegram about all of them, in the background; whoever asks meanwhile waits for the same answer.

        Raises NotAllowed: for owners.
        """
        await self._rights.check_owner(admin_id)
        if self._task is None or self._task.done():
            self.checking = Checking(is_running=True, checked_at=self.checking.checked_at)
            self._task = asyncio.create_task(self._check())
        return self._task

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _check(self) -> None:
        try:
            await self._check_accounts()
            rows = await self._channel_rows.entrances()
            for done, channel in enumerate(rows):
                self.checking = Checking(done, len(rows), is_running=True, checked_at=self.checking.checked_at)
                await self._check_one(channel.id)
                await self._sleep(PAUSE_SECONDS)
            self.checking = Checking(len(rows), len(rows), checked_at=self._clock())
        except Exception:
            log.exception("who may let people in was not asked to the end")
        finally:
            if self.checking.is_running:
                self.checking = Checking(checked_at=self.checking.checked_at)

    async def _check_accounts(self) -> None:
        for session_id in await self._names():
            try:
                await self._channels.listing(session_id, refresh=True)
            except PorterError as error:
                log.info("an account did not say: %s", type(error).__name__, extra={"session_id": session_id})

    async def _check_one(self, channel_id: int) -> None:
        """What Telegram does not answer stays as it was known."""
        try:
            rights = await self._gate.rights(channel_id)
        except (ChannelUnavailable, RightMissing):
            await self._channel_rows.set_bot_may_invite(channel_id, False)
            self._may_ban[channel_id] = False
        except PorterError as error:
            log.info("a channel did not say: %s", type(error).__name__, extra={"channel_id": channel_id})
        else:
            await self._channel_rows.set_bot_may_invite(channel_id, rights.may_invite)
            self._may_ban[channel_id] = rights.may_ban

    async def look(self, channel_id: int) -> None:
        """Ask what the bot may do at this one, no longer than an admin would wait. Not answered by then: as it was."""
        try:
            await answered(self._check_one(channel_id), LOOK_SECONDS)
        except Unreachable:
            log.info("a channel did not say in time", extra={"channel_id": channel_id})

    # -- the bot's own right

    async def turned(self, channel_id: int) -> tuple[Channel, Turn | None]:
        """The channel as the bot sees it now, and what that changes: told once, however often Telegram says it.

        Raises ChannelUnavailable for one that neither bot nor Porter knows.
        """
        async with self._turning:
            before = await self._channel_rows.get(channel_id)
            could = before is not None and bool(before.bot_may_invite)
            channel = await self._channels.refresh_bot_rights(channel_id)
        self._may_ban.pop(channel_id, None)
        if bool(channel.bot_may_invite) == could:
            return channel, None
        return channel, Turn.GAINED if channel.bot_may_invite else Turn.LOST

    def pick(self, channel_id: int) -> None:
        """Somebody chose it in Telegram's picker, and reads the answer on their own screen."""
        self._picked[channel_id] = self._clock()

    def was_picked(self, channel_id: int) -> bool:
        picked = self._picked.get(channel_id)
        return picked is not None and self._clock() - picked < PICKED_FOR

    async def older_ones(self, channel_id: int) -> int | None:
        """How many wait who asked before the bot came, as far as an account of ours is told. None: no account may."""
        with suppress(PorterError):
            return await self._channels.waiting_at(channel_id)
        return None
