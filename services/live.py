"""Live mode: a new post is carried home at once, the schedule stays as the safety net.

An update is a trigger and no more: it makes a scrape run of the source, which walks from the cursor as every run does.
So gaps, order, filters, files and kills are what they are anyway, and nothing depends on every update arriving. What
an update does carry over is an edit, which no walk would meet again. docs/decisions/0016 says what was rejected.

One keeper an account holds the pool's shared client open while a live source needs it. Each time it begins to listen it
asks for the newest message of each such channel (100 in a call), so that a restart or a lost connection costs a call
and a run only where there is news.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from services.clients.base import DIALOGS_PAGE, Edited, Missed, News, Peer, Posted, ReadingClient
from services.clients.pool import ClientPool
from services.errors import (
    AccountRequired,
    AlreadyActive,
    ChannelUnavailable,
    FloodWait,
    NotFound,
    PorterError,
    SessionDead,
    TelegramRefused,
)
from services.filters import Matcher
from services.pulse import Pulse
from services.runs import Priority, Runner
from storage.live import LiveRepository
from storage.models import LiveSource, Run, RunKind, RunStatus
from storage.sources import SourceRepository
from storage.types import Clock, utc_now

log = logging.getLogger(__name__)

LOOK_SECONDS = 30.0
"""What changes without a word to us (a move, a repair, a deletion) is found within this time."""
SILENCE_SECONDS = 15 * 60.0
"""After so long without an update it is asked for anew, as https://core.telegram.org/api/updates has it."""
PAUSES_SECONDS = (1.0, 5.0, 15.0, 60.0, 300.0)
"""Before listening again, growing while that fails."""
STEADY_SECONDS = 60.0
"""A connection that held so long was a good one: pauses begin anew."""

REST = timedelta(hours=1)
"""After a run that failed, or that an admin stopped: the next post would only fail again."""

Sleep = Callable[[float], Awaitable[None]]


@dataclass(slots=True)
class _Ear:
    """Of one account: the sources that listen through it, by channel."""

    sources: dict[int, list[LiveSource]]
    keeper: asyncio.Task[None] | None = None
    missed: asyncio.Event = field(default_factory=asyncio.Event)
    heard_at: float = 0.0

    @property
    def places(self) -> set[tuple[int, int]]:
        """(source, channel)"""
        return {(source.id, source.channel_id) for sources in self.sources.values() for source in sources}


class Live:
    """Started once, behind the runner; `settled` is the runner's to call (Runner.on_settled)."""

    def __init__(
        self,
        rows: LiveRepository,
        sources: SourceRepository,
        pool: ClientPool,
        runner: Runner,
        *,
        clock: Clock = utc_now,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._rows = rows
        self._sources = sources
        self._pool = pool
        self._runner = runner
        self._clock = clock
        self._sleep = sleep
        self._ears: dict[int, _Ear] = {}  # by session
        self._pulses: defaultdict[int, Pulse] = defaultdict(Pulse)  # by source
        self._edits: asyncio.Queue[tuple[list[int], Edited]] = asyncio.Queue()
        self._changed = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_started = False

    async def start(self) -> None:
        self._is_started = True
        self._spawn(self._watch())
        self._spawn(self._store_edits())

    async def stop(self) -> None:
        self._is_started = False
        for pulse in self._pulses.values():
            if pulse.timer is not None:
                pulse.timer.cancel()
        keepers = [ear.keeper for ear in self._ears.values() if ear.keeper is not None]
        ending = [*self._tasks, *keepers]
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)
        self._ears.clear()
        self._pulses.clear()

    def look(self) -> None:
        """Something about live sources has changed: heed it now."""
        self._changed.set()

    def settled(self, run: Run) -> None:
        """A run has ended, or waits."""
        if run.kind is not RunKind.SCRAPE or run.is_active or not self._is_started:
            return
        pulse = self._pulses[run.subject_id]
        if run.status is RunStatus.DONE:
            pulse.rests_until = None
        else:
            pulse.rests_until = self._clock() + REST
        if pulse.is_waiting:
            pulse.is_waiting = False
            self._beat(run.subject_id)
        if run.subject_id not in self._live_ids():
            self.look()  # its first run is over, perhaps

    # -- who listens

    async def _watch(self) -> None:
        while True:
            try:
                await self._arrange(await self._rows.all())
            except Exception:
                log.exception("live sources were not looked at; tried again in a moment")
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._changed.wait()
            except TimeoutError:
                continue
            self._changed.clear()

    async def _arrange(self, live: Sequence[LiveSource]) -> None:
        """One keeper an account that has live sources, and none beside."""
        wanted: dict[int, dict[int, list[LiveSource]]] = {}
        for source in live:
            wanted.setdefault(source.session_id, {}).setdefault(source.channel_id, []).append(source)
        for session_id in self._ears.keys() - wanted.keys():
            ear = self._ears.pop(session_id)
            ear.sources = {}  # its client may go on hearing until it is closed
            await _end(ear.keeper)
        for session_id, sources in wanted.items():
            ear = self._ears.setdefault(session_id, _Ear(sources))
            before, ear.sources = ear.places, sources
            if ear.keeper is None or ear.keeper.done():
                ear.keeper = asyncio.create_task(self._keep(session_id, ear), name=f"live-{session_id}")
            elif ear.places - before:
                ear.missed.set()  # what they missed until now
        for source_id in self._pulses.keys() - {source.id for source in live}:
            if (pulse := self._pulses.pop(source_id)).timer is not None:
                pulse.timer.cancel()

    def _live_ids(self) -> set[int]:
        return {source_id for ear in self._ears.values() for source_id, _ in ear.places}

    async def _keep(self, session_id: int, ear: _Ear) -> None:
        """Listens for as long as the account works. Ends with it; it is begun anew when a look finds it well."""
        loop = asyncio.get_running_loop()
        failures = 0
        while True:
            began, pause = loop.time(), 0.0
            try:
                await self._listen(session_id, ear)
            except (SessionDead, NotFound) as error:
                log.info("live mode rests: %s", type(error).__name__, extra={"session_id": session_id})
                return
            except FloodWait as wait:
                pause = (wait.until - self._clock()).total_seconds()
            except PorterError as error:
                log.info("live mode is interrupted: %s", type(error).__name__, extra={"session_id": session_id})
            except Exception:
                log.exception("live mode stumbled", extra={"session_id": session_id})
            failures = 0 if loop.time() - began > STEADY_SECONDS else failures + 1
            await self._pause(failures, pause)

    async def _pause(self, times: int, at_least: float = 0.0) -> None:
        """`times`: how often something has gone wrong in short succession."""
        await self._sleep(max(at_least, PAUSES_SECONDS[min(times, len(PAUSES_SECONDS) - 1)]))

    async def _listen(self, session_id: int, ear: _Ear) -> None:
        """Returns when the connection is lost."""
        loop = asyncio.get_running_loop()
        rounds = 0
        async with self._pool.reading(session_id) as client:
            while True:
                ear.missed.clear()
                began = loop.time()
                lost = await client.listen(partial(self._hear, ear))
                await self._catch_up(client, session_id, [each for some in ear.sources.values() for each in some])
                if await self._is_lost(lost, ear):
                    return
                rounds = 0 if loop.time() - began > STEADY_SECONDS else rounds + 1
                await self._pause(max(0, rounds - 1))

    @staticmethod
    async def _is_lost(lost: asyncio.Event, ear: _Ear) -> bool:
        """False: still there, but something was missed, or it has been silent for long."""
        loop = asyncio.get_running_loop()
        ear.heard_at = loop.time()
        ending = [asyncio.create_task(lost.wait()), asyncio.create_task(ear.missed.wait())]
        try:
            while not any(task.done() for task in ending):
                left = ear.heard_at + SILENCE_SECONDS - loop.time()
                if left <= 0:
                    break
                await asyncio.wait(ending, timeout=left, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in ending:
                task.cancel()
        return lost.is_set()

    # -- what is heard

    def _hear(self, ear: _Ear, news: News) -> None:
        ear.heard_at = asyncio.get_running_loop().time()
        match news:
            case Missed():
                ear.missed.set()
            case Posted(channel_id, message_id):
                for source in ear.sources.get(channel_id, ()):
                    self._want(source.id, message_id)
            case Edited(channel_id):
                if sources := ear.sources.get(channel_id):
                    self._edits.put_nowait(([source.id for source in sources], news))

    async def _catch_up(self, client: ReadingClient, session_id: int, sources: Sequence[LiveSource]) -> None:
        """Want every source whose channel has a message above its cursor, or of which that cannot be known."""
        peers: dict[int, Peer] = {}
        for channel_id in {source.channel_id for source in sources}:
            try:
                peers[channel_id] = await self._pool.peer(session_id, channel_id)
            except ChannelUnavailable:
                log.info("a channel is not known to the account", extra={"session_id": session_id})
        newest: dict[int, int | None] = {}
        known = list(peers.values())
        for start in range(0, len(known), DIALOGS_PAGE):
            newest |= await self._newest(client, known[start : start + DIALOGS_PAGE])
        for source in await self._fresh(sources):
            if source.channel_id in newest:
                top = newest[source.channel_id]
                if top is None or top > source.cursor:
                    self._want(source.id, top)

    async def _fresh(self, sources: Sequence[LiveSource]) -> list[LiveSource]:
        """With the cursors of now."""
        ids = {source.id for source in sources}
        return [source for source in await self._rows.all() if source.id in ids]

    async def _newest(self, client: ReadingClient, peers: Sequence[Peer]) -> dict[int, int | None]:
        """One channel that is closed to the account hides the others of a call: it is found by halves, and left to the
        schedule, which says so."""
        try:
            return dict(await client.newest(peers))
        except AccountRequired:
            return {peer.id: None for peer in peers}  # a bot may not ask
        except (ChannelUnavailable, TelegramRefused):
            if len(peers) == 1:
                return {}
            middle = len(peers) // 2
            return await self._newest(client, peers[:middle]) | await self._newest(client, peers[middle:])

    async def _store_edits(self) -> None:
        """One after the other, as they came."""
        while True:
            source_ids, edited = await self._edits.get()
            for source_id in source_ids:
                try:
                    await self._store_edit(source_id, edited)
                except Exception:
                    log.exception("an edit was not stored", extra={"source_id": source_id})

    async def _store_edit(self, source_id: int, edited: Edited) -> None:
        source = await self._sources.get(source_id)
        if source is None:
            return
        post = edited.post
        wanted = post.file if Matcher(source.filters).wants_file(post) else None
        if await self._rows.edit(source.id, edited.channel_id, post.message, wanted):
            self._want(source.id, None)

    # -- what is carried

    def _want(self, source_id: int, message_id: int | None) -> None:
        self._pulses[source_id].hear(message_id)
        self._beat(source_id)

    def _beat(self, source_id: int) -> None:
        """Make a run of what is wanted, in a moment."""
        pulse = self._pulses[source_id]
        if not pulse.is_wanted or pulse.is_waiting or pulse.timer is not None or not self._is_started:
            return
        loop = asyncio.get_running_loop()

        def due() -> None:
            pulse.timer = None
            self._spawn(self._submit(source_id, pulse))

        pulse.timer = loop.call_later(pulse.next_gap(loop.time()), due)

    async def _submit(self, source_id: int, pulse: Pulse) -> None:
        """A run, unless what was heard has come by another one already."""
        source = await self._sources.get(source_id)
        is_over = source is None or not (source.live and source.enabled) or source.is_held
        rests = pulse.rests_until is not None and pulse.rests_until > self._clock()
        if source is None or is_over or rests or (pulse.newest is not None and pulse.newest <= source.cursor):
            pulse.is_wanted = False
            return
        try:
            pulse.is_wanted = False
            await self._runner.submit(
                RunKind.SCRAPE,
                source.id,
                source.name,
                priority=Priority.LIVE,
                params={"session_id": source.session_id, "root": source.root, "live": True},
            )
            pulse.submitted_at = asyncio.get_running_loop().time()
        except AlreadyActive:
            # It may have passed the post, or not: looked at again when it has ended.
            pulse.is_wanted = pulse.is_waiting = True
            if await self._runner.active_of(RunKind.SCRAPE, source_id) is None and pulse.is_waiting:
                pulse.is_waiting = False
                self._beat(source_id)

    def _spawn(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("live mode stumbled", exc_info=error)


async def _end(task: asyncio.Task[None] | None) -> None:
    if task is not None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
