"""Rules at work at a channel of the sandbox, beside admins who decide there."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from services.audit import AuditService
from services.requests import RequestServices
from services.requests.rule_services import RuleServices
from services.requests.rules import Change, ChangeKind
from storage.audit import AuditRepository
from storage.join_requests import request_from
from storage.models import JoinRequest, Way
from storage.outlooks import OutlookRepository
from storage.request_models import RequestFilters, Rule, RuleAction
from storage.request_pages import RequestPages
from storage.rules import RuleRepository
from storage.schema import join_requests
from storage.verdicts import VerdictRepository
from tests.services.test_join_requests import ADMIN_ID, Door

EVERYBODY = RequestFilters()


@dataclass
class RuleKit:
    """`door` with rules. What they do is awaited by `settled`."""

    door: Door
    services: RequestServices = field(init=False)
    own: RuleServices = field(init=False)

    def __post_init__(self) -> None:
        database = self.door.store.database
        self.rules, self.verdicts = RuleRepository(database), VerdictRepository(database)
        self.audit = AuditRepository(database)
        self.audits = AuditService(self.audit)

    @asynccontextmanager
    async def open(self, *, at_work: bool = True) -> AsyncIterator["RuleKit"]:
        """A process's life. `at_work` False: nothing happens by itself."""
        async with self.door.open() as self.services:
            self.own = RuleServices.over(
                self.rules,
                self.verdicts,
                OutlookRepository(self.door.store.database, RequestPages(self.door.store.database)),
                self.door.settings,
                self.door.store.channels,
                self.door.greetings,
                self.services.decider,
                self.audits,
                self.door.desk.ear,
                pause_seconds=0.0,
            )
            self.services.arrivals.on_stored(self.own.judge.wake)
            if at_work:
                await self.own.start()
            try:
                yield self
            finally:
                await self.own.stop()

    async def arrive(self, count: int) -> list[int]:
        """So many people ask, and the bot is told."""
        user_ids = self.door.ask(count)
        await self.services.arrivals.take([self.door.update(user_id) for user_id in user_ids])
        return user_ids

    async def add(self, action: RuleAction, filters: RequestFilters = EVERYBODY, *, is_live: bool = False) -> Rule:
        """A live one is switched whatever it does to those who wait."""
        rule = await self.own.book.add(self.door.peer, action, filters, ADMIN_ID)
        if is_live:
            await self.rules.set_live(rule, is_live=True)
            self.own.judge.wake()
            rule = await self.own.book.get(rule.id)
        return rule

    def change(self, kind: ChangeKind, rule: Rule | None = None) -> Change:
        return Change(kind, self.door.peer, rule.id if rule else 0)

    async def requests(self) -> list[JoinRequest]:
        """All of the channel, waiting or not."""
        mine = join_requests.select().where(join_requests.c.channel_id == self.door.peer).order_by(join_requests.c.id)
        async with self.door.store.database.read() as connection:
            return [request_from(row) for row in await connection.execute(mine)]

    async def until(self, condition: Callable[[list[JoinRequest]], bool], seconds: float = 30.0) -> list[JoinRequest]:
        """All requests of the channel, once they are so."""
        async with asyncio.timeout(seconds):
            while not condition(rows := await self.requests()):  # noqa: ASYNC110 - rows set no event
                await asyncio.sleep(0.01)
        return rows

    async def by(self, way: Way) -> list[int]:
        """Whom that way decided."""
        return [row.user_id for row in await self.requests() if row.way is way]
