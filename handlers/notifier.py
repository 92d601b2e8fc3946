"""services.notifier on the screens: cards of runs are redrawn where they are watched, ends are told to who asked."""

import asyncio
import logging
import time
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from aiogram.exceptions import TelegramAPIError

from handlers import keyboards
from handlers.access import offered
from handlers.runs import run_page, tells_others
from handlers.screen import Page, Screens
from handlers.texts import Texts
from services.access import sees_run
from services.admins import AdminService
from services.outages import Outage
from services.run_list import RunList
from services.runs import HEALING_REASONS
from storage.models import Run, RunStatus, Session

log = logging.getLogger(__name__)

REDRAW_SECONDS = 1.5
"""About one message or edit a second a chat is what Telegram allows (TELEGRAM.md); taps of the admin count too."""
SPEED_SPAN_SECONDS = 20.0


@dataclass(slots=True)
class _Card:
    """What is known of a running card: when it was drawn, and where it stood some seconds ago."""

    drawn_at: float = 0.0
    mark_at: float = 0.0
    mark_done: int = 0
    task: asyncio.Task[None] | None = None


class ScreenNotifier:
    """Implements services.notifier.Notifier and RuleNotifier. `close()` ends its drawing tasks."""

    def __init__(self, screens: Screens, admins: AdminService, runs: RunList, zone: ZoneInfo) -> None:
        self._screens = screens
        self._admins = admins
        self._runs = runs
        self._zone = zone
        self._cards: dict[int, _Card] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._ailing: dict[tuple[str | None, str | None], set[int]] = {}  # (reason, root) -> runs that wait for a disk

    def run_progressed(self, run: Run) -> None:
        card = self._cards.setdefault(run.id, _Card())
        now = time.monotonic()
        if card.task is not None and not card.task.done():
            return
        if now - card.drawn_at >= REDRAW_SECONDS:
            card.drawn_at = now
            card.task = self._spawn(self._draw(run, self._speed(card, run, now)))

    async def run_settled(self, run: Run) -> None:
        if card := self._cards.get(run.id):
            if card.task is not None:
                await asyncio.wait({card.task})
            if not run.is_active:
                del self._cards[run.id]
        self._spawn(self._draw(run, None, must=True))
        if self._is_news(run) or not run.is_active:
            self._spawn(self._tell(run))

    def _is_news(self, run: Run) -> bool:
        """Whether it is the first run that waits for this disk. Said once, until all of them are past it."""
        ails = run.status is RunStatus.WAITING and run.reason in HEALING_REASONS
        place = (run.reason, run.params.get("root")) if ails else None
        for other, waiting in list(self._ailing.items()):
            if other != place:
                waiting.discard(run.id)
            if not waiting:
                del self._ailing[other]
        if place is None:
            return False
        is_first = place not in self._ailing
        self._ailing.setdefault(place, set()).add(run.id)
        return is_first

    async def requests_arrived(self, channel_id: int, count: int) -> None:
        log.info("%d new join requests", count, extra={"channel_id": channel_id})

    async def channel_grew(self, title: str) -> None:
        """In the background."""
        for admin in await self._admins.owners():
            self._spawn(self._tell_growth(admin.user_id, title))

    async def rules_stopped(self, channel_id: int, title: str) -> None:
        """In the background."""
        for admin in await self._admins.owners():
            self._spawn(self._tell_stopped_rules(admin.user_id, channel_id, title))

    async def session_died(self, outage: Outage) -> None:
        """In the background: whoever met the dead session waits for this call."""
        for admin in await self._admins.owners():
            self._spawn(self._tell_death(admin.user_id, outage))

    async def session_taken(self, session: Session) -> None:
        """Another process took it: every owner hears of it. In the background."""
        for admin in await self._admins.owners():
            self._spawn(self._tell_taken(admin.user_id, session))

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _speed(self, card: _Card, run: Run, now: float) -> float | None:
        """Bytes a second where bytes are counted, else items; over the last seconds."""
        done = run.progress.done_bytes if run.progress.total_bytes else run.progress.done
        if not card.mark_at or done < card.mark_done or now - card.mark_at > SPEED_SPAN_SECONDS:
            speed = (done - card.mark_done) / (now - card.mark_at) if card.mark_at and done > card.mark_done else None
            card.mark_at, card.mark_done = now, done
            return speed
        return (done - card.mark_done) / (now - card.mark_at) if now > card.mark_at else None

    async def _draw(self, run: Run, speed: float | None, *, must: bool = False) -> None:
        try:
            for screen in await self._screens.watching(run.id):
                if not must and not self._screens.has_room(screen.admin_id):
                    continue
                page = await self._page(screen.admin_id, run, speed)
                if page is not None:
                    await self._screens.redraw(screen.admin_id, screen.message_id, page)
        except TelegramAPIError as error:
            log.warning("a card was not drawn: %s", type(error).__name__, extra={"run_id": run.id})

    async def _tell(self, run: Run) -> None:
        """Who asked to be told; when a run waits for a disk, who asked for it; and, when a scheduled run failed or
        waits so, every owner."""
        listeners = set(run.tell)
        if run.is_active and run.requested_by is not None:
            listeners.add(run.requested_by)
        if run.requested_by is None and (run.is_active or run.status is RunStatus.FAILED):
            listeners |= {admin.user_id for admin in await self._admins.owners()}
        for admin_id in listeners:
            page = await self._page(admin_id, run if run.is_active else replace(run, tell=(*run.tell, admin_id)))
            try:
                if page is not None:
                    await self._screens.tell(admin_id, page)
            except TelegramAPIError as error:
                log.warning("an end was not told: %s", type(error).__name__, extra={"run_id": run.id})

    async def _tell_death(self, admin_id: int, outage: Outage) -> None:
        """Once, even where it cannot be told: home shows it in any case, and a second message would cry wolf."""
        texts = await self._texts(admin_id)
        try:
            page = Page(texts.sessions.died(outage), keyboards.sessions.died(texts, outage))
            await self._screens.tell(admin_id, page)
        except TelegramAPIError as error:
            log.warning("a dead session was not told: %s", type(error).__name__, extra={"admin_id": admin_id})

    async def _page(self, admin_id: int, run: Run, speed: float | None = None) -> Page | None:
        """The card as this admin may see it now. None: not at all, any more."""
        admin = await self._admins.find(admin_id)
        if admin is None or not sees_run(admin, run):
            return None
        others = await self._runs.waiting_beside(admin, run.id) if tells_others(run) else 0
        page = run_page(await self._texts(admin_id), run, speed, admin_id, others)
        return page.for_reader(partial(offered, role=admin.role))

    async def _tell_taken(self, admin_id: int, session: Session) -> None:
        texts = await self._texts(admin_id)
        try:
            await self._screens.tell(admin_id, Page(texts.restored.taken(session), keyboards.only_home(texts)))
        except TelegramAPIError as error:
            log.warning("a taken session was not told: %s", type(error).__name__, extra={"admin_id": admin_id})

    async def _tell_growth(self, admin_id: int, title: str) -> None:
        texts = await self._texts(admin_id)
        try:
            await self._screens.tell(admin_id, Page(texts.sources.grew(title), keyboards.only_home(texts)))
        except TelegramAPIError as error:
            log.warning("a supergroup was not told: %s", type(error).__name__, extra={"admin_id": admin_id})

    async def _tell_stopped_rules(self, admin_id: int, channel_id: int, title: str) -> None:
        texts = await self._texts(admin_id)
        try:
            page = Page(texts.rules.stopped(title), keyboards.rules.stopped(texts, channel_id))
            await self._screens.tell(admin_id, page)
        except TelegramAPIError as error:
            log.warning("stopped rules were not told: %s", type(error).__name__, extra={"admin_id": admin_id})

    async def _texts(self, admin_id: int) -> Texts:
        return await texts_for(self._admins, admin_id, self._zone)


async def texts_for(admins: AdminService, admin_id: int, zone: ZoneInfo) -> Texts:
    """The words of an admin who did nothing just now. `zone`: of those who chose none."""
    admin = await admins.find(admin_id)
    return Texts(zone=ZoneInfo(admin.timezone) if admin and admin.timezone else zone)
