"""What a login does by itself while an admin looks on: QR codes are drawn anew before they end, a scan is heard, and
the moment from which a code can be sent another way is shown.

One task an attempt, none of which knows anything that is not in the attempt's row: after a restart they begin again.
"""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, Protocol

from services.errors import FloodWait, PorterError, Unreachable
from services.login_steps import CodeWanted, LoginState, QrWanted
from storage.types import Clock, utc_now

log = logging.getLogger(__name__)

MARGIN_SECONDS = 5.0
"""A new code is there so long before the old one ends: a phone that looks at it right now still gets through."""
RETRY_SECONDS = 5.0
SHORTEST_SECONDS = 1.0
"""Between two codes, whatever happens to the connection."""


class LoginAudience(Protocol):
    """The admin at the other end. Implemented in handlers/login_screens.py."""

    async def login_moved(self, admin_id: int, attempt_id: int, outcome: LoginState | PorterError) -> bool:
        """Show it in place of what the attempt showed before. False: the admin does not look at the attempt (any more);
        what is done or failed is told all the same, a new picture is not.
        """


class Watched(Protocol):
    """What is watched: services/login.py."""

    async def scan(self, attempt_id: int) -> LoginState: ...

    async def scanned(self, attempt_id: int, seconds: float) -> bool: ...

    async def resume(self, admin_id: int) -> LoginState | None: ...


class LoginWatch:
    def __init__(self, logins: Watched, audience: LoginAudience, *, clock: Clock = utc_now) -> None:
        self._logins = logins
        self._audience = audience
        self._clock = clock
        self._tasks: dict[int, asyncio.Task[None]] = {}  # by attempt

    def follow(self, state: LoginState) -> None:
        """From here on by itself, in place of what was followed of this attempt before."""
        match state:
            case QrWanted():
                self._spawn(state.attempt_id, self._follow_qr(state))
            case CodeWanted() if state.next_kind is not None and self._seconds_until_resend(state) > 0:
                self._spawn(state.attempt_id, self._follow_countdown(state))
            case _:
                pass

    async def stop(self) -> None:
        """The attempts stay as they are."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _spawn(self, attempt_id: int, work: Coroutine[Any, Any, None]) -> None:
        former = self._tasks.get(attempt_id)
        if former is not None and former is not asyncio.current_task():
            former.cancel()
        task = asyncio.create_task(self._guarded(work))
        self._tasks[attempt_id] = task
        task.add_done_callback(lambda ended: self._forget(attempt_id, ended))

    def _forget(self, attempt_id: int, ended: "asyncio.Task[None]") -> None:
        if self._tasks.get(attempt_id) is ended:
            del self._tasks[attempt_id]

    @staticmethod
    async def _guarded(work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Exception:
            log.exception("a login is not watched any more")

    async def _follow_qr(self, wanted: QrWanted) -> None:
        """Until it is scanned, its deadline is over, or the admin has gone to another screen."""
        state: LoginState = wanted
        while isinstance(state, QrWanted):
            if state.link is not None:
                await self._wait_for_scan(state)
            outcome = await self._next(state)
            is_seen = await self._audience.login_moved(state.admin_id, state.attempt_id, outcome)
            if isinstance(outcome, PorterError) or not is_seen:
                return
            state = outcome

    async def _next(self, state: QrWanted) -> LoginState | PorterError:
        """What Telegram says now. While it cannot be asked, the attempt waits, up to its deadline."""
        while True:
            try:
                return await self._logins.scan(state.attempt_id)
            except Unreachable:
                seconds = RETRY_SECONDS
            except FloodWait as wait:
                if wait.until >= state.deadline:
                    return wait
                seconds = max(RETRY_SECONDS, (wait.until - self._clock()).total_seconds())
            except PorterError as error:
                return error
            await asyncio.sleep(seconds)

    async def _follow_countdown(self, wanted: CodeWanted) -> None:
        """One drawing at the end of it: every tap shows what is left anyway, and a drawing a second would leave no room
        for taps (about one edit a second a chat)."""
        await asyncio.sleep(self._seconds_until_resend(wanted))
        state = await self._logins.resume(wanted.admin_id)
        if isinstance(state, CodeWanted) and state == wanted:
            await self._audience.login_moved(state.admin_id, state.attempt_id, state)

    async def _wait_for_scan(self, state: QrWanted) -> None:
        """Returns when the code was scanned or ends, or its connection is lost: each is a reason to ask anew."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        if not await self._logins.scanned(state.attempt_id, self._patience(state)):
            await asyncio.sleep(max(0.0, began + SHORTEST_SECONDS - loop.time()))

    def _patience(self, state: QrWanted) -> float:
        left = (state.deadline - self._clock()).total_seconds()
        return max(SHORTEST_SECONDS, min(state.seconds - MARGIN_SECONDS, left))

    def _seconds_until_resend(self, wanted: CodeWanted) -> float:
        return (wanted.resend_at - self._clock()).total_seconds() if wanted.resend_at is not None else 0.0
