"""Join requests with real kurigram and Telethon on the sandbox: taken, loaded, decided - once each, and truly."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from sandbox import members
from sandbox.scenarios import ADMIN, BOT
from sandbox.world import Account as WorldAccount
from sandbox.world import Channel as WorldChannel
from sandbox.world import World, WorldError
from services.access import Rights
from services.audit import AuditService
from services.channels import ChannelService
from services.errors import (
    AlreadyMember,
    ChannelUnavailable,
    DecisionMade,
    FloodWait,
    NotFound,
    RequestGone,
    RightMissing,
    SessionRequired,
    StaysPending,
    UndoOver,
)
from services.gate import BotRights
from services.requests import (
    Arrivals,
    BulkDecisions,
    BulkRuns,
    Decider,
    Gates,
    LoadSchedules,
    Removals,
    RequestLists,
    RequestLoads,
    RequestServices,
)
from services.requests.bulk_each import OneByOne
from services.requests.bulk_everybody import Everybody
from services.requests.greetings import Greetings
from services.requests.membership import Membership
from services.requests.removing import UNDO_WITHIN
from services.requests.submitting import Submitting
from services.requests.walks import RequestLister
from services.runs import Runner
from services.schedule import ScheduleService
from storage.admins import AdminRepository
from storage.audit import AuditRepository
from storage.bulk import BulkRepository
from storage.join_requests import JoinRequestRepository
from storage.models import (
    BULK_RUNS,
    Channel,
    ChannelKind,
    IncomingRequest,
    JoinRequest,
    RequestStatus,
    Role,
    Run,
    RunKind,
    RunStatus,
    SessionState,
    Way,
)
from storage.request_decisions import RequestDecisions
from storage.request_models import RequestFilters, RequestView
from storage.request_pages import RequestPages
from storage.request_settings import RequestSettingsRepository
from storage.request_views import RequestTicks, RequestViewRepository
from storage.rules import RuleRepository
from storage.runs import RunRepository
from storage.schedules import ScheduleRepository
from storage.schema import join_requests
from storage.types import utc_now
from tests.services.conftest import Jetty, Pooled, Store
from tests.services.desk import Desk

ADMIN_ID = 5
ERRORS = {
    "HIDE_REQUESTER_MISSING": RequestGone,
    "USER_ALREADY_PARTICIPANT": AlreadyMember,
    "CHAT_ADMIN_REQUIRED": RightMissing,
}


def everybody(channel_id: int) -> RequestView:
    return RequestView(0, ADMIN_ID, channel_id, RequestFilters())


@dataclass
class WorldGate:
    """The bot at the sandbox's channels, without the Bot API between. Implements services.gate.BotGate and
    GreetingGate."""

    jetty: Jetty
    may: bool = True
    floods: int = 0
    stays: set[int] = field(default_factory=set)
    calls: int = 0
    slow_seconds: float = 0.0
    written: list[tuple[int, str]] = field(default_factory=list)

    async def write(self, chat_id: int, text: str) -> None:
        self.written.append((chat_id, text))

    async def may_invite(self, channel_id: int) -> bool:
        return self.may

    async def rights(self, channel_id: int) -> BotRights:
        return BotRights(await self.may_invite(channel_id), may_ban=False)

    async def look(self, channel_id: int) -> Channel:
        try:
            channel = self.jetty.sandbox.world.channel_by_peer(channel_id)
        except WorldError as error:
            raise ChannelUnavailable from error
        return Channel(channel_id, channel.title, None, ChannelKind.SUPERGROUP, 9, self.may, utc_now())

    async def is_member(self, channel_id: int, user_id: int) -> bool:
        return user_id in self.jetty.sandbox.world.channel_by_peer(channel_id).members

    async def approve(self, channel_id: int, user_id: int) -> None:
        await self._decide(channel_id, user_id, approve=True)

    async def deny(self, channel_id: int, user_id: int) -> None:
        await self._decide(channel_id, user_id, approve=False)

    async def ban(self, channel_id: int, user_id: int) -> None:
        self._restrict(members.ban, channel_id, user_id)

    async def remove(self, channel_id: int, user_id: int) -> None:
        self._restrict(members.remove, channel_id, user_id)

    def _restrict(self, act: Callable[[World, WorldChannel, int, int], None], channel_id: int, user_id: int) -> None:
        world = self.jetty.sandbox.world
        try:
            act(world, world.channel_by_peer(channel_id), user_id, BOT)
        except WorldError as error:
            raise ERRORS[error.name] from error

    async def _decide(self, channel_id: int, user_id: int, *, approve: bool) -> None:
        self.calls += 1
        await asyncio.sleep(self.slow_seconds)
        if not self.may:
            raise RightMissing
        if user_id in self.stays:
            raise StaysPending("USER_CHANNELS_TOO_MUCH")
        if self.floods:
            self.floods -= 1
            raise FloodWait(utc_now() + timedelta(seconds=40))
        world = self.jetty.sandbox.world
        try:
            world.decide(world.channel_by_peer(channel_id), user_id, BOT, approve=approve)
        except WorldError as error:
            raise ERRORS[error.name] from error


@dataclass
class Door:
    """A channel where 30 people wait, an account that may let them in, and the service on a runner."""

    jetty: Jetty
    store: Store
    pooled: Pooled
    channel: WorldChannel
    gate: WorldGate
    desk: Desk
    slept: list[float] = field(default_factory=list)
    on_sleep: Callable[[], None] = lambda: None
    undo_seconds: float = 0.0

    def __post_init__(self) -> None:
        self.bulk = BulkRepository(self.store.database)
        self.rows = JoinRequestRepository(self.store.database)
        self.channels = ChannelService(self.store.channels, self.store.sessions, self.pooled.pool, self.gate)
        self.settings = RequestSettingsRepository(self.store.database)
        self.greetings = Greetings(self.rows, self.settings, self.store.channels, self.gate)

    @property
    def peer(self) -> int:
        return self.channel.peer

    @asynccontextmanager
    async def open(self) -> AsyncIterator[RequestServices]:
        """A process's life."""
        runner = Runner(self.desk.rows, self.desk.ear, clock=self.desk.time, save_seconds=0.01, poll_seconds=0.01)
        self.runner = runner
        pool, rights = self.pooled.pool, Rights(AdminRepository(self.store.database))
        lister = RequestLister(self.rows, self.store.sessions, pool)
        submitting = Submitting(self.store.channels, runner)
        decisions = RequestDecisions(self.store.database)
        lists = RequestLists(
            self.rows,
            RequestPages(self.store.database),
            self.store.channels,
            RequestViewRepository(self.store.database),
            RequestTicks(self.store.database),
            decisions,
        )
        membership = Membership(self.store.sessions, pool)
        decider = Decider(
            self.rows,
            decisions,
            self.store.channels,
            self.channels,
            pool,
            self.gate,
            lister,
            rights,
            self.greetings,
            membership,
        )
        audits = AuditService(AuditRepository(self.store.database))
        loads = RequestLoads(self.rows, self.channels, pool, lister, submitting, rights)
        bulk_runs = BulkRuns(
            Everybody(self.bulk, self.rows, self.store.sessions, lister, membership, pool, rights, sleep=self._sleep),
            OneByOne(self.bulk, decider, rights, sleep=self._sleep),
            self.channels,
            pool,
            rights,
            audits,
        )
        service = RequestServices(
            Arrivals(self.rows, self.store.channels, self.channels, self.desk.ear),
            lists,
            decider,
            loads,
            BulkDecisions(
                self.bulk,
                RequestPages(self.store.database),
                RequestViewRepository(self.store.database),
                RequestTicks(self.store.database),
                lists,
                submitting,
                runner,
                rights,
                undo_seconds=self.undo_seconds,
            ),
            bulk_runs,
            Gates(
                self.store.channels,
                self.rows,
                RequestSettingsRepository(self.store.database),
                ScheduleRepository(self.store.database),
                RuleRepository(self.store.database),
            ),
            Removals(decisions, lists, decider, self.store.sessions, self.channels, pool, self.gate, rights),
            load_schedules=LoadSchedules(
                loads,
                ScheduleService(ScheduleRepository(self.store.database)),
                ScheduleRepository(self.store.database),
                RequestSettingsRepository(self.store.database),
                self.store.channels,
                rights,
            ),
        )
        runner.register(RunKind.LOAD_REQUESTS, service.loads.work)
        for kind in BULK_RUNS:
            runner.register(kind, bulk_runs.work)
        await runner.start()
        try:
            yield service
        finally:
            await runner.stop()

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.on_sleep()
        await asyncio.sleep(0)

    async def load(self, service: RequestServices) -> Run:
        return await self.end(await service.loads.load(self.peer, ADMIN_ID))

    async def end(self, run: Run) -> Run:
        return await self.desk.reached(run.id, RunStatus.DONE, RunStatus.FAILED, RunStatus.WAITING, RunStatus.PAUSED)

    async def ask_many(self, service: RequestServices, approve: bool = True, view_id: int = 0) -> Run:
        """Shown and confirmed."""
        shown = await service.bulk.preview(ADMIN_ID, self.peer, approve, view_id=view_id)
        return await service.bulk.decide(ADMIN_ID, shown.many)

    async def decide_all(self, service: RequestServices, approve: bool = True) -> Run:
        return await self.end(await self.ask_many(service, approve))

    async def tally(self) -> dict[RequestStatus, int]:
        return dict(Counter((await self.statuses()).values()))

    async def statuses(self) -> dict[int, RequestStatus]:
        """By user id, of the newest row."""
        async with self.store.database.read() as connection:
            rows = await connection.execute(join_requests.select().order_by(join_requests.c.id))
            return {row.user_id: RequestStatus(row.status) for row in rows}

    def ask(self, count: int = 1) -> list[int]:
        """People whom nobody knew ask now."""
        accounts = self.jetty.sandbox.world.accounts
        new = [max(accounts) + 1 + number for number in range(count)]
        for user_id in new:
            accounts[user_id] = WorldAccount(user_id, "New", "Face")
        self.jetty.sandbox.world.ask_to_join(self.channel, new)
        return new

    def update(self, user_id: int) -> IncomingRequest:
        """What the bot is told of somebody who asks."""
        account = self.jetty.sandbox.world.accounts[user_id]
        return IncomingRequest(self.peer, user_id, account.name, account.username, account.bio, utc_now())

    def without_bot(self) -> None:
        self.gate.may = False

    async def without_account(self) -> None:
        await self.store.sessions.set_state(self.pooled.session.id, SessionState.SIGNED_OUT, "test", utc_now())


@pytest.fixture
async def door(jetty: Jetty, store: Store, pooled: Pooled) -> Door:
    for admin_id in (1, 2, 3, ADMIN_ID):
        await AdminRepository(store.database).put(admin_id, Role.OWNER, "Ann")
    door = Door(jetty, store, pooled, jetty.gate, WorldGate(jetty), Desk(RunRepository(store.database)))
    await door.channels.of_session(pooled.session.id)
    return door


# -- arriving


async def test_taken_once(door: Door) -> None:
    """What the bot is told is stored before take returns, told once, and the same again changes nothing."""
    batch = [door.update(user_id) for user_id in door.ask(3)]
    async with door.open() as service:
        await service.arrivals.take(batch)
        await service.arrivals.take(batch)
        assert (await service.lists.capped(everybody(door.peer))).at_least == 3
        assert [pending.pending for pending in await service.lists.overview()] == [3]
    assert door.desk.ear.arrived == [(door.peer, 3)]


async def test_a_channel_that_nobody_knew(door: Door) -> None:
    """A request for a channel that is not stored brings the channel with it, even when Telegram does not answer."""
    news, nowhere = door.jetty.public.peer, -1009999999999
    request = door.update(door.ask()[0])
    async with door.open() as service:
        await service.arrivals.take([replace(request, channel_id=news), replace(request, channel_id=nowhere)])
        assert (await service.lists.channel(news)).bot_may_invite
        assert (await service.lists.channel(nowhere)).title == str(nowhere)
        assert (await service.lists.capped(everybody(nowhere))).at_least == 1
        with pytest.raises(NotFound):
            await service.lists.channel(-5)


# -- loading


async def test_loading_everybody(door: Door) -> None:
    """All thirty, each once, with what an admin wants to see; a second load knows them all."""
    async with door.open() as service:
        run = await door.load(service)
        assert (run.status, run.progress.counters) == (
            RunStatus.DONE,
            {"new": 30, "known": 0, "withdrawn": 0, "elsewhere": 0},
        )
        again = await door.load(service)
        assert again.progress.counters == {"new": 0, "known": 30, "withdrawn": 0, "elsewhere": 0}
        assert (again.progress.done, again.progress.total) == (30, 30)
    assert (await door.statuses()).keys() == door.channel.requests.keys()
    assert set((await door.statuses()).values()) == {RequestStatus.PENDING}


async def test_who_is_gone_is_settled_and_who_is_new_stays(door: Door) -> None:
    """Handled or withdrawn elsewhere: not waiting any more. Who arrives during the walk is never settled."""
    world = door.jetty.sandbox.world
    async with door.open() as service:
        await door.load(service)
        gone = list(door.channel.requests)[:4]
        for user_id in gone:
            world.withdraw(door.channel, user_id)
        door.jetty.sandbox.faults.add("messages.getChatInviteImporters", delay_ms=300)
        run = await service.loads.load(door.peer, ADMIN_ID)
        await door.jetty.until_called("messages.getChatInviteImporters")
        late = IncomingRequest(door.peer, 77, "Late", None, None, utc_now())
        await asyncio.sleep(0.05)
        await service.arrivals.take([late])
        run = await door.end(run)
    assert run.progress.counters["withdrawn"] == 4
    statuses = await door.statuses()
    assert {user_id for user_id, status in statuses.items() if status is RequestStatus.WITHDRAWN} == set(gone)
    assert statuses[77] is RequestStatus.PENDING


async def test_a_walk_goes_on_after_a_flood_wait(door: Door) -> None:
    """A long wait between two pages: the first page is stored, and is not asked for again."""
    door.ask(400)
    faults = door.jetty.sandbox.faults
    faults.add("messages.getChatInviteImporters", delay_ms=1)
    faults.add("messages.getChatInviteImporters", error="FLOOD_WAIT_600")
    async with door.open() as service:
        run = await door.load(service)
        assert (run.status, run.reason) == (RunStatus.WAITING, "FloodWait")
        assert len(await door.statuses()) == run.progress.done == 200
        assert "access_hash" not in str(run.checkpoint)
        faults.reset()
        door.pooled.time.pass_seconds(700)
        door.desk.time.pass_seconds(700)
        run = await door.desk.reached(run.id, RunStatus.DONE)
    assert door.jetty.calls("messages.getChatInviteImporters") == 4  # 200, 30, the empty end, and once more the top
    assert run.progress.counters["new"] == 430
    assert len(await door.statuses()) == 430


async def test_loading_interrupted_anywhere(door: Door) -> None:
    """Stopped at random moments, a new process each time: everybody is stored once and nobody is lost."""
    door.ask(1000)
    dice = random.Random(7)
    async with door.open() as service:
        run = await service.loads.load(door.peer, ADMIN_ID)
    for _ in range(12):
        async with door.open():
            await asyncio.sleep(dice.uniform(0, 0.1))
    async with door.open():
        run = await door.end(run)
    assert run.status is RunStatus.DONE
    assert run.progress.counters["new"] + run.progress.counters["known"] == 1030
    assert (await door.tally()) == {RequestStatus.PENDING: 1030}


async def test_loading_needs_an_account_that_may(door: Door) -> None:
    """Without one it is refused at once, before there is a run."""
    async with door.open() as service:
        member = door.channel.members[ADMIN]
        member.role, member.may_invite = "member", False
        await door.channels.of_session(door.pooled.session.id, refresh=True)
        with pytest.raises(RightMissing):
            await service.loads.load(door.peer, ADMIN_ID)
        await door.without_account()
        with pytest.raises(SessionRequired):
            await service.loads.load(door.peer, ADMIN_ID)
    assert await door.desk.rows.recent(5) == []


# -- one by one


async def first(service: RequestServices, door: Door) -> JoinRequest:
    request = await service.lists.following(everybody(door.peer))
    assert request is not None
    return request


@pytest.mark.parametrize("approve", [True, False])
@pytest.mark.parametrize("by_bot", [True, False])
async def test_a_decision_is_true(door: Door, approve: bool, by_bot: bool) -> None:
    """Approved or denied, by the bot or by an account: Telegram and the row agree, and the next person is another."""
    if not by_bot:
        door.without_bot()
    async with door.open() as service:
        await door.load(service)
        request = await first(service, door)
        decided = await service.decider.decide(request.id, ADMIN_ID, approve)
        following = await service.lists.following(everybody(door.peer), request.id)
    assert decided.status is (RequestStatus.APPROVED if approve else RequestStatus.DENIED)
    assert (decided.way, decided.decided_by) == (Way.BOT if by_bot else Way.SESSION, ADMIN_ID)
    assert request.user_id in (door.channel.approved if approve else door.channel.denied)
    assert following is not None
    assert following.id != request.id


async def test_a_bot_that_lost_its_right(door: Door) -> None:
    """Noticed at the decision: an account takes over, and the channel remembers."""
    async with door.open() as service:
        await door.load(service)
        await door.channels.refresh_bot_rights(door.peer)
        door.without_bot()
        decided = await service.decider.decide((await first(service, door)).id, ADMIN_ID, True)
        assert decided.way is Way.SESSION
        assert (await service.lists.channel(door.peer)).bot_may_invite is False


async def test_an_account_decides_on_somebody_it_never_met(door: Door) -> None:
    """Who came by the bot's update is looked up on the list; nobody is resolved, and who is not there is gone."""
    door.without_bot()
    known, unknown = door.update(next(iter(door.channel.requests))), IncomingRequest(
        door.peer, 99, "Ghost", None, None, utc_now()
    )  # fmt: skip
    async with door.open() as service:
        await door.rows.store([known, unknown])
        one, two = (await service.lists.page(everybody(door.peer))).rows
        assert (await service.decider.decide(one.id, ADMIN_ID, True)).status is RequestStatus.APPROVED
        assert (await service.decider.decide(two.id, ADMIN_ID, True)).status is RequestStatus.WITHDRAWN


@pytest.mark.parametrize(
    ("how", "status"),
    [("withdrawn", RequestStatus.WITHDRAWN), ("let in", RequestStatus.HANDLED_ELSEWHERE)],
)
async def test_handled_elsewhere_is_an_answer(door: Door, how: str, status: RequestStatus) -> None:
    """Telegram says that nothing is to decide: the row tells whether they are in, decided by nobody of ours."""
    world = door.jetty.sandbox.world
    async with door.open() as service:
        await door.load(service)
        request = await first(service, door)
        if how == "withdrawn":
            world.withdraw(door.channel, request.user_id)
        else:
            world.decide(door.channel, request.user_id, ADMIN, approve=True)
        decided = await service.decider.decide(request.id, ADMIN_ID, True)
    assert (decided.status, decided.way, decided.decided_by) == (status, Way.ELSEWHERE, None)


async def test_two_admins_press_at_once(door: Door) -> None:
    """One decides; the other hears what was decided, and Telegram is asked once."""
    door.gate.slow_seconds = 0.05
    async with door.open() as service:
        await door.load(service)
        request = await first(service, door)
        outcomes = await asyncio.gather(
            *(
                service.decider.decide(request.id, admin, approve)
                for admin, approve in ((1, True), (2, False), (3, True))
            ),
            return_exceptions=True,
        )
    assert isinstance(outcomes[0], JoinRequest)
    assert [type(outcome) for outcome in outcomes[1:]] == [DecisionMade, DecisionMade]
    assert isinstance(outcomes[1], DecisionMade)
    assert outcomes[1].request.decided_by == 1
    assert door.gate.calls == 1


async def test_what_cannot_be_decided_now_waits_still(door: Door) -> None:
    """Too many channels, a flood wait, nobody who may: raised, and the row is PENDING."""
    async with door.open() as service:
        await door.load(service)
        request = await first(service, door)
        door.gate.stays.add(request.user_id)
        with pytest.raises(StaysPending):
            await service.decider.decide(request.id, ADMIN_ID, True)
        door.gate.stays.clear()
        door.gate.floods = 1
        with pytest.raises(FloodWait):
            await service.decider.decide(request.id, ADMIN_ID, True)
        door.without_bot()
        await door.without_account()
        with pytest.raises(SessionRequired):
            await service.decider.decide(request.id, ADMIN_ID, True)
        assert (await service.lists.get(request.id)).status is RequestStatus.PENDING
        with pytest.raises(NotFound):
            await service.decider.decide(12345, ADMIN_ID, True)


# -- keeping out, taking back


async def test_a_refusal_stays_with_the_request(door: Door) -> None:
    """Why Telegram could not let somebody in is kept while they wait, and goes with the decision."""
    async with door.open() as service:
        await door.load(service)
        request = await first(service, door)
        door.gate.stays.add(request.user_id)
        with pytest.raises(StaysPending):
            await service.decider.decide(request.id, ADMIN_ID, True)
        assert (await service.lists.get(request.id)).refusal == "USER_CHANNELS_TOO_MUCH"
        door.gate.stays.clear()
        decided = await service.decider.decide(request.id, ADMIN_ID, False)
        assert decided.refusal is None


@pytest.mark.parametrize("by_bot", [True, False])
async def test_a_ban_is_a_denial_first(door: Door, by_bot: bool) -> None:
    """By whoever may: the bot, or an account that has met them. They cannot ask again, and the row says so."""
    door.channel.members[BOT].may_ban = by_bot
    async with door.open() as service:
        await door.load(service)
        request = await first(service, door)
        done = await service.removals.ban(request.id, ADMIN_ID)
        assert (done.trouble, done.request.is_banned, done.request.status) == (None, True, RequestStatus.DENIED)
        with pytest.raises(DecisionMade):
            await service.removals.ban(request.id, ADMIN_ID)
    assert door.channel.banned == {request.user_id}
    with pytest.raises(WorldError, match="CHANNEL_PRIVATE"):
        door.jetty.sandbox.world.ask_to_join(door.channel, [request.user_id])


async def test_denied_where_nobody_may_ban(door: Door) -> None:
    """The denial holds; what stood in the way is told. Who was handled elsewhere is not banned either."""
    door.channel.members[BOT].may_ban = False
    async with door.open() as service:
        await door.load(service)
        await door.without_account()
        request = await first(service, door)
        done = await service.removals.ban(request.id, ADMIN_ID)
        assert isinstance(done.trouble, RightMissing)
        assert (done.request.status, done.request.is_banned) == (RequestStatus.DENIED, False)
        door.channel.members[BOT].may_ban = True
        other = await first(service, door)
        door.jetty.sandbox.world.decide(door.channel, other.user_id, BOT, approve=True)
        done = await service.removals.ban(other.id, ADMIN_ID)
        assert done.request.status is RequestStatus.HANDLED_ELSEWHERE
    assert door.channel.banned == set()


@pytest.mark.parametrize("by_bot", [True, False])
async def test_the_last_approval_is_taken_back(door: Door, by_bot: bool) -> None:
    """Once, by whoever approved, for ten minutes: out again and free to ask anew. Nothing else can be taken back."""
    door.channel.members[BOT].may_ban = by_bot
    async with door.open() as service:
        await door.load(service)
        one, two = (await service.lists.page(everybody(door.peer))).rows[:2]
        for request in (one, two):
            await service.decider.decide(request.id, ADMIN_ID, True)
        last = await service.removals.undoable(ADMIN_ID, door.peer)
        assert last is not None
        assert last.id == two.id
        assert await service.removals.undoable(1, door.peer) is None
        for wrong, whose in ((one.id, ADMIN_ID), (two.id, 1)):
            with pytest.raises(UndoOver):
                await service.removals.undo(wrong, whose)
        undone = await service.removals.undo(two.id, ADMIN_ID)
        assert (undone.status, undone.decided_by) == (RequestStatus.DENIED, ADMIN_ID)
        assert undone.way is (Way.BOT if by_bot else Way.SESSION)
        with pytest.raises(UndoOver):
            await service.removals.undo(two.id, ADMIN_ID)
    assert two.user_id not in door.channel.members
    assert one.user_id in door.channel.members
    door.jetty.sandbox.world.ask_to_join(door.channel, [two.user_id])


async def test_what_cannot_be_taken_back(door: Door) -> None:
    """A denial, what is ten minutes old, and who has asked anew since."""
    async with door.open() as service:
        await door.load(service)
        denied, old, again = (await service.lists.page(everybody(door.peer))).rows[:3]
        await service.decider.decide(denied.id, ADMIN_ID, False)
        assert await service.removals.undoable(ADMIN_ID, door.peer) is None
        await service.decider.decide(old.id, ADMIN_ID, True)
        async with door.store.database.write() as connection:
            await connection.execute(
                join_requests.update()
                .where(join_requests.c.id == old.id)
                .values(decided_at=utc_now() - UNDO_WITHIN - timedelta(seconds=1))
            )
        assert await service.removals.undoable(ADMIN_ID, door.peer) is None
        await service.decider.decide(again.id, ADMIN_ID, True)
        assert await service.removals.undoable(ADMIN_ID, door.peer) is not None
        await service.arrivals.take([replace(door.update(again.user_id), asked_at=utc_now() + timedelta(seconds=1))])
        assert await service.removals.undoable(ADMIN_ID, door.peer) is None
