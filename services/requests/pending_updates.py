"""Where only an account may let people in, Telegram tells that account that somebody asks: the same table is fed by it.

The update names a number and three people, not who all of them are. So it is a reason to look, and no more: the newest
of the list are asked for, in one call, at most once a minute a channel, whatever number of updates there were. Where
the bot may let people in nobody listens: it is told everything itself.

One keeper an account holds the pool's shared client open, beside live mode (services/live.py).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial

from services.clients.base import REQUESTS_PAGE, Asking, Missed
from services.clients.pool import ClientPool
from services.errors import FloodWait, NotFound, PorterError, SessionDead
from services.requests.arriving import Arrivals
from services.requests.loading import RequestLoads
from services.requests.walks import Part
from storage.channels import ChannelRepository
from storage.join_requests import JoinRequestRepository
from storage.models import Run, RunKind
from storage.sessions import SessionRepository
from storage.types import Clock, utc_now

log = logging.getLogger(__name__)

LOOK_SECONDS = 60.0
"""Which account listens where is looked at so often."""
GAP_SECONDS = 60.0
"""Between two looks at one channel's list."""
SETTLE_SECONDS = 1.0
"""People who ask together are one look."""
MARGIN = 20
"""Who withdrew meanwhile makes the number smaller than those who came."""
PAUSE_SECONDS = 30.0
"""Before listening again to an account that did not answer."""

Sleep = Callable[[float], Awaitable[None]]


class PendingUpdates:
    """Started once."""

    def __init__(
        self,
        channel_rows: ChannelRepository,
        requests: JoinRequestRepository,
        sessions: SessionRepository,
        pool: ClientPool,
        arrivals: Arrivals,
        loads: RequestLoads,
        *,
        clock: Clock = utc_now,
        sleep: Sleep = asyncio.sleep,
        gap_seconds: float = GAP_SECONDS,
        settle_seconds: float = SETTLE_SECONDS,
    ) -> None:
        self._channel_rows = channel_rows
        self._requests = requests
        self._sessions = sessions
        self._pool = pool
        self._arrivals = arrivals
        self._loads = loads
        self._clock = clock
        self._sleep = sleep
        self._gap_seconds = gap_seconds
        self._settle_seconds = settle_seconds
        self._places: dict[int, int] = {}  # channel -> the session that listens there
        self._keepers: dict[int, asyncio.Task[None]] = {}  # by session
        self._told: dict[int, Asking] = {}  # by channel: what was heard last, and is not looked at yet
        self._looking: dict[int, asyncio.Task[None]] = {}  # by channel
        self._watching: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()

    async def start(self) -> None:
        self._watching = asyncio.create_task(self._watch())

    async def stop(self) -> None:
        self._places = {}  # clients may go on hearing until they are closed
        tasks = [*self._keepers.values(), *self._looking.values()]
        if self._watching is not None:
            tasks.append(self._watching)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._keepers.clear()
        self._looking.clear()

    def settled(self, run: Run) -> None:
        """A run has ended: where somebody was loaded for the first time an account listens from now on."""
        if run.kind is RunKind.LOAD_REQUESTS:
            self._changed.set()

    # -- who listens

    async def _watch(self) -> None:
        while True:
            try:
                await self._arrange()
            except Exception:
                log.exception("who listens was not looked at; tried again in a moment")
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._changed.wait()
            except TimeoutError:
                continue
            self._changed.clear()

    async def _arrange(self) -> None:
        self._places = await self._channel_rows.heard_by_accounts()
        wanted = set(self._places.values())
        for session_id in self._keepers.keys() - wanted:
            keeper = self._keepers.pop(session_id)
            keeper.cancel()
            await asyncio.gather(keeper, return_exceptions=True)
        for session_id in wanted:
            keeper_of = self._keepers.get(session_id)
            if keeper_of is None or keeper_of.done():
                self._keepers[session_id] = asyncio.create_task(self._keep(session_id))

    async def _keep(self, session_id: int) -> None:
        """Listens for as long as the account works; it is begun anew when a look finds it well."""
        while True:
            pause = PAUSE_SECONDS
            try:
                async with self._pool.reading(session_id) as client:
                    lost = await client.listen_asking(partial(self._hear, session_id))
                    await lost.wait()
            except (SessionDead, NotFound) as error:
                log.info("an account listens no more: %s", type(error).__name__, extra={"session_id": session_id})
                return
            except FloodWait as wait:
                pause = max(pause, (wait.until - self._clock()).total_seconds())
            except PorterError as error:
                log.info("listening is interrupted: %s", type(error).__name__, extra={"session_id": session_id})
            await self._sleep(pause)

    # -- what is heard

    def _hear(self, session_id: int, news: Asking | Missed) -> None:
        if isinstance(news, Missed):
            return  # the next update, schedule or load brings whoever came meanwhile
        if self._places.get(news.channel_id) != session_id:
            return
        self._told[news.channel_id] = news
        if news.channel_id not in self._looking:
            task = asyncio.create_task(self._follow(news.channel_id, session_id))
            self._looking[news.channel_id] = task
            task.add_done_callback(lambda _: self._looking.pop(news.channel_id, None))

    async def _follow(self, channel_id: int, session_id: int) -> None:
        """Looks, and looks again after the gap for as long as something was heard meanwhile."""
        await self._sleep(self._settle_seconds)
        while (told := self._told.pop(channel_id, None)) is not None:
            try:
                asked = await self._look(session_id, told)
            except PorterError as error:
                log.info("who asks was not looked at: %s", type(error).__name__, extra={"channel_id": channel_id})
                asked = True
            except Exception:
                log.exception("who asks was not looked at", extra={"channel_id": channel_id})
                asked = True
            if asked:
                await self._sleep(self._gap_seconds)

    async def _look(self, session_id: int, told: Asking) -> bool:
        """Whether Telegram was asked: where everybody is known already it need not be. More than a page are a run."""
        known = await self._requests.count(told.channel_id)
        pending = await self._requests.pending_among(told.channel_id, told.recent)
        if told.waiting <= known and pending >= set(told.recent):
            return False
        newest = max(told.waiting - known, len(told.recent)) + MARGIN
        if newest > REQUESTS_PAGE:
            await self._loads.load_due(told.channel_id, Part(newest=newest))
            return True
        peer = await self._pool.peer(session_id, told.channel_id)
        async with self._pool.gate(session_id) as client:
            page = await client.join_requests(peer, None, None, newest)
        await self._sessions.put_peers(session_id, page.access_hashes)
        await self._arrivals.take_listed(told.channel_id, list(page.requests))
        return True
