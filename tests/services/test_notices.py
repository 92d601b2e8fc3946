"""Telling admins who came, on real rows: what is told when, to whom, what gives way, what heals."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from services.admins import AdminService
from services.requests.board import DigestLine, Place, Refusal, Sent
from services.requests.notices import CARDS_A_MINUTE, GATHER, Notices
from services.requests.notify_group import NotifyGroup
from storage.admins import AdminRepository
from storage.channels import ChannelRepository
from storage.database import Database
from storage.join_requests import JoinRequestRepository
from storage.models import Admin, Channel, JoinRequest, RequestStatus, Role, Way
from storage.notices import NoticeRepository
from storage.people import PeopleRepository
from storage.request_decisions import RequestDecisions
from storage.request_models import NotifyMode
from storage.request_settings import RequestSettingsRepository
from tests.storage.conftest import Clock, clock, database, keys, make, migrated, path, vault
from tests.storage.gate import settle_all, waiting
from tests.storage.make import CHANNEL_ID, Maker, request

__all__ = ["clock", "database", "keys", "make", "migrated", "path", "vault"]

OWNER, APPROVER, VIEWER = 10, 20, 30
QUAY = CHANNEL_ID - 1
GROUP = -1_001_000_000_777
SECOND = timedelta(seconds=1)


@dataclass
class Wall:
    """Chats by id: what stands in each. Implements services.requests.board.Board."""

    standing: dict[int, dict[int, str]] = field(default_factory=dict)
    refuses: dict[int, Refusal] = field(default_factory=dict)  # by chat
    gone_topics: set[int] = field(default_factory=set)
    topics: dict[int, str] | None = None
    screens: set[tuple[int, int]] = field(default_factory=set)
    named: list[tuple[int, int]] = field(default_factory=list)
    lost: list[int] = field(default_factory=list)
    is_full: bool = False
    sent: int = 0
    ids: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    async def digest(self, place: Place, lines: Sequence[DigestLine]) -> Sent:
        return self._send(place, " | ".join(f"{line.channel.title} {line.new}/{line.waiting}" for line in lines))

    async def card(self, place: Place, request: JoinRequest, channel: Channel) -> Sent:
        return self._send(place, f"card {request.user_id}")

    async def heal(
        self, chat_id: int, message_id: int, request: JoinRequest, channel: Channel, decided_by: str | None
    ) -> bool:
        self.standing[chat_id][message_id] = f"{request.user_id} {request.status} {decided_by}"
        return True

    async def take_away(self, chat_id: int, message_id: int) -> bool:
        self.standing[chat_id].pop(message_id)
        return True

    async def is_screen(self, chat_id: int, message_id: int) -> bool:
        return (chat_id, message_id) in self.screens

    def has_room(self, chat_id: int) -> bool:
        return not self.is_full

    async def open_topic(self, chat_id: int, name: str) -> int | None:
        if self.topics is None:
            return None
        topic_id = 100 + len(self.topics)
        self.topics[topic_id] = name
        return topic_id

    async def name_unreachable(self, owner_id: int, admin: Admin) -> None:
        self.named.append((owner_id, admin.user_id))

    async def name_lost_group(self, owner_id: int) -> None:
        self.lost.append(owner_id)

    def _send(self, place: Place, text: str) -> Sent:
        if place.chat_id in self.refuses:
            return self.refuses[place.chat_id]
        if place.topic_id in self.gone_topics:
            return Refusal.NO_TOPIC
        message_id = next(self.ids)
        self.sent += 1
        self.standing.setdefault(place.chat_id, {})[message_id] = text if place.topic_id is None else (
            f"{place.topic_id}: {text}"
        )  # fmt: skip
        return message_id

    def texts(self, chat_id: int) -> list[str]:
        return list(self.standing.get(chat_id, {}).values())


class House:
    """An owner, an approver of the harbour and a viewer; people who come; the service as it starts."""

    def __init__(self, database: Database, clock: Clock, group: int | None = None) -> None:
        self.database = database
        self.clock = clock
        self.wall = Wall()
        self.rows = JoinRequestRepository(database, clock=clock)
        self.settings = RequestSettingsRepository(database)
        self.admins = AdminService(AdminRepository(database, clock=clock), ChannelRepository(database))
        self.users = itertools.count(1000)
        self.open(group)

    def open(self, group: int | None = None) -> None:
        """A Porter that knows only what is stored."""
        rows = NoticeRepository(self.database, clock=self.clock)
        channels = ChannelRepository(self.database)
        self.service = Notices(
            rows, self.settings, self.rows, channels, self.admins, self.wall, NotifyGroup(group, rows), clock=self.clock
        )

    async def restart(self) -> None:
        self.open()
        await self.service.recall()
        await self.service.tell(self.clock())

    async def come(self, count: int = 1, channel_id: int = CHANNEL_ID) -> list[int]:
        """By the bot's updates."""
        users = [next(self.users) for _ in range(count)]
        now = self.clock()
        await self.rows.store([request(u, channel_id, asked_at=now, user_chat_id=u) for u in users])
        await self.service.tell(now)
        return users

    async def pass_time(self, by: timedelta) -> None:
        self.clock.now += by
        await self.service.tell(self.clock())
        await self.service.heal()

    async def decide(self, user_id: int, by: int | None = OWNER, channel_id: int = CHANNEL_ID) -> None:
        row = next(each for each in await waiting(self.database, channel_id) if each.user_id == user_id)
        await self.rows.settle(row.id, RequestStatus.APPROVED, Way.BOT, by)

    async def take_back(self, user_id: int, by: int) -> None:
        decisions = RequestDecisions(self.database, clock=self.clock)
        (approved,) = await decisions.history(user_id)
        await decisions.take_back(approved, Way.BOT, by)


@pytest.fixture
async def house(database: Database, clock: Clock, make: Maker) -> House:
    await make.channel(CHANNEL_ID, title="Harbour")
    await make.channel(QUAY, title="Quay")
    admins = AdminRepository(database, clock=clock)
    await admins.put(OWNER, Role.OWNER, "Anna")
    await admins.assign(APPROVER, Role.APPROVER, "Boris", [CHANNEL_ID])
    await admins.put(VIEWER, Role.VIEWER, "Vera")
    return House(database, clock)


async def test_the_first_is_told_soon_and_the_next_in_their_time(house: House) -> None:
    """Within a minute after a quiet time, then every half hour; whoever decides there is told, a viewer is not."""
    await house.come(3)
    await house.pass_time(GATHER - SECOND)
    assert not house.wall.standing
    await house.pass_time(SECOND)
    assert house.wall.texts(OWNER) == house.wall.texts(APPROVER) == ["Harbour 3/3"]
    assert VIEWER not in house.wall.standing
    await house.come(2)
    await house.pass_time(timedelta(minutes=29))
    assert house.wall.texts(OWNER) == ["Harbour 3/3"]
    await house.pass_time(timedelta(minutes=2))
    assert house.wall.texts(OWNER) == ["Harbour 2/5"], "the one before gave way"
    await house.pass_time(timedelta(days=1))
    assert house.wall.sent == 4, "nobody new, nothing said"


async def test_what_was_decided_meanwhile_is_not_told(house: House) -> None:
    """All of them: nothing is said at all. And a digest whose people are all decided goes."""
    (user,) = await house.come()
    await house.decide(user)
    await house.pass_time(GATHER)
    assert not house.wall.standing
    (user,) = await house.come()
    await house.pass_time(GATHER)
    assert house.wall.texts(OWNER) == ["Harbour 1/1"]
    await house.decide(user)
    await house.pass_time(SECOND)
    assert house.wall.texts(OWNER) == []


async def test_channels_that_are_due_together_are_one_message(house: House) -> None:
    """And what an unused digest told of another channel stays told, in the new one; a used one is left alone."""
    await house.come(2)
    await house.come(1, QUAY)
    await house.pass_time(GATHER)
    assert house.wall.texts(OWNER) == ["Harbour 2/2 | Quay 1/1"]
    assert house.wall.texts(APPROVER) == ["Harbour 2/2"]
    await house.settings.change(CHANNEL_ID, digest_minutes=1440)
    await house.come(4, QUAY)
    await house.pass_time(timedelta(minutes=31))
    assert house.wall.texts(OWNER) == ["Quay 4/5 | Harbour 0/2"]
    house.wall.screens = {(OWNER, message_id) for message_id in house.wall.standing[OWNER]}
    await house.come(1, QUAY)
    await house.pass_time(timedelta(minutes=31))
    assert house.wall.texts(OWNER) == ["Quay 4/5 | Harbour 0/2", "Quay 1/6"]


async def test_a_restart_tells_what_was_not_told_and_nothing_twice(house: House) -> None:
    """The rows know who was told of; a digest's pause outlives the process."""
    await house.come(5)
    await house.restart()
    await house.pass_time(GATHER)
    assert house.wall.texts(OWNER) == ["Harbour 5/5"]
    await house.restart()
    await house.pass_time(timedelta(minutes=2))
    assert house.wall.texts(OWNER) == ["Harbour 5/5"]
    await house.come(1)
    await house.pass_time(timedelta(minutes=20))
    assert house.wall.texts(OWNER) == ["Harbour 5/5"]
    await house.pass_time(timedelta(minutes=10))
    assert house.wall.texts(OWNER) == ["Harbour 1/6"]


async def test_who_waited_long_before_is_no_news(house: House) -> None:
    """An account lists 300 from last year and one of today: one is new."""
    last_year = house.clock() - timedelta(days=365)
    await house.rows.store([request(n, asked_at=last_year) for n in range(1, 301)])
    await house.rows.store([request(999, asked_at=house.clock())])
    await house.pass_time(SECOND)
    await house.pass_time(GATHER)
    assert house.wall.texts(OWNER) == ["Harbour 1/301"]


async def test_silence(house: House) -> None:
    """Nothing is said, and who came during it is no news afterwards."""
    await house.settings.change(CHANNEL_ID, notify=NotifyMode.SILENT)
    await house.come(3)
    await house.pass_time(timedelta(hours=2))
    await house.settings.change(CHANNEL_ID, notify=NotifyMode.DIGEST, told_at=house.clock())
    house.service.reconsider(CHANNEL_ID)
    await house.pass_time(GATHER)
    assert not house.wall.standing
    await house.come(1)
    await house.pass_time(GATHER)
    assert house.wall.texts(OWNER) == ["Harbour 1/4"], "soon, and not after half an hour"


async def test_a_card_for_each_until_they_are_too_many(house: House) -> None:
    """Five a minute, the rest comes as one message; later there are cards again."""
    await house.settings.change(CHANNEL_ID, notify=NotifyMode.CARDS)
    first = await house.come(2)
    await house.pass_time(SECOND)
    assert house.wall.texts(OWNER) == [f"card {user}" for user in first]
    many = await house.come(10)
    await house.pass_time(SECOND)
    carded = [*first, *many[: CARDS_A_MINUTE - 2]]
    assert house.wall.texts(OWNER) == [f"card {user}" for user in carded]
    await house.pass_time(GATHER)
    assert house.wall.texts(OWNER)[-1] == "Harbour 7/12"
    await house.pass_time(timedelta(minutes=2))
    (later,) = await house.come(1)
    assert house.wall.texts(OWNER)[-1] == f"card {later}"
    assert house.wall.texts(OWNER).count(f"card {later}") == 1


async def test_cards_heal_whoever_decided(house: House) -> None:
    """Each copy says what became of it, as soon as the chat has room for an edit."""
    await house.settings.change(CHANNEL_ID, notify=NotifyMode.CARDS)
    one, other = await house.come(2)
    await house.pass_time(SECOND)
    house.wall.is_full = True
    await house.decide(one, by=APPROVER)
    await house.pass_time(SECOND)
    assert house.wall.texts(OWNER) == [f"card {one}", f"card {other}"]
    house.wall.is_full = False
    await settle_all(house.database, CHANNEL_ID, RequestStatus.DENIED, Way.BULK, house.clock.now)
    await house.pass_time(SECOND)
    healed = [f"{one} APPROVED Boris", f"{other} DENIED None"]
    assert house.wall.texts(OWNER) == house.wall.texts(APPROVER) == healed


async def test_a_card_follows_an_approval_that_is_taken_back(house: House) -> None:
    """For ten minutes, over a restart too, every copy of it; afterwards it is left alone."""
    await house.settings.change(CHANNEL_ID, notify=NotifyMode.CARDS)
    one, other = await house.come(2)
    await house.pass_time(SECOND)
    await house.decide(one, by=APPROVER)
    await house.decide(other, by=APPROVER)
    await house.pass_time(SECOND)
    assert house.wall.texts(OWNER) == [f"{one} APPROVED Boris", f"{other} APPROVED Boris"]
    await house.pass_time(timedelta(minutes=5))
    house.open()
    await house.take_back(one, by=APPROVER)
    await house.pass_time(SECOND)
    said = [f"{one} DENIED Boris", f"{other} APPROVED Boris"]
    assert house.wall.texts(OWNER) == house.wall.texts(APPROVER) == said
    rows = NoticeRepository(house.database)
    assert {request.user_id for _, request in await rows.decided(10)} == {other}, "what is taken back is over"
    await house.pass_time(timedelta(minutes=7))
    assert await rows.decided(10) == []


async def test_a_card_of_somebody_forgotten_goes(house: House) -> None:
    """With the name that stands in it."""
    await house.settings.change(CHANNEL_ID, notify=NotifyMode.CARDS)
    (user,) = await house.come(1)
    await house.pass_time(SECOND)
    await PeopleRepository(house.database).forget(user)
    await house.pass_time(SECOND)
    assert house.wall.texts(OWNER) == house.wall.texts(APPROVER) == []


async def test_an_admin_who_never_pressed_start_is_named_once(house: House) -> None:
    """To the other owners; the others are told all the same; once they write, they are told again."""
    house.wall.refuses = {APPROVER: Refusal.NO_CHAT}
    await house.come(1)
    await house.pass_time(GATHER)
    assert house.wall.named == [(OWNER, APPROVER)]
    assert house.wall.texts(OWNER) == ["Harbour 1/1"]
    await house.come(1)
    await house.pass_time(timedelta(hours=1))
    assert house.wall.named == [(OWNER, APPROVER)]
    house.wall.refuses = {}
    await house.admins.greet(APPROVER, "Boris", wrote=False)
    assert (await house.admins.get(APPROVER)).unreachable_at is not None
    await house.admins.greet(APPROVER, "Boris")
    await house.come(1)
    await house.pass_time(timedelta(hours=1))
    assert house.wall.texts(APPROVER) == ["Harbour 1/3"]


async def test_what_the_bot_api_does_not_take_is_told_later(house: House) -> None:
    """Nobody heard of it: it counts as not told."""
    house.wall.refuses = {OWNER: Refusal.LATER, APPROVER: Refusal.LATER}
    await house.come(2)
    await house.pass_time(GATHER)
    assert not house.wall.standing
    house.wall.refuses = {}
    await house.pass_time(GATHER)
    assert house.wall.texts(OWNER) == ["Harbour 2/2"]


async def test_the_group_takes_the_place_of_copies(house: House) -> None:
    """One message, in the channel's topic; a topic that somebody deleted is made anew."""
    house.wall.topics = {}
    house.open(GROUP)
    await house.settings.change(QUAY, notify=NotifyMode.CARDS)
    await house.come(2)
    await house.pass_time(GATHER)
    (user,) = await house.come(1, QUAY)
    await house.pass_time(SECOND)
    assert house.wall.texts(GROUP) == ["100: Harbour 2/2", f"101: card {user}"]
    assert set(house.wall.standing) == {GROUP}
    house.wall.gone_topics = {100, 101}
    first, second = await house.come(2, QUAY)
    await house.pass_time(SECOND)
    assert house.wall.texts(GROUP)[-2:] == [f"102: card {first}", f"102: card {second}"]
    assert (await house.settings.get(QUAY)).topic_id == 102
    await house.come(1)
    await house.pass_time(timedelta(minutes=31))
    assert "103: Harbour 1/3" in house.wall.texts(GROUP)
    assert house.wall.topics == {100: "Harbour", 101: "Quay", 102: "Quay", 103: "Harbour"}


async def test_a_group_that_is_lost_is_named_and_everybody_told(house: House) -> None:
    """News goes to the admins' own chats until the group takes it again."""
    house.open(GROUP)
    house.wall.refuses = {GROUP: Refusal.NO_CHAT}
    await house.come(1)
    await house.pass_time(GATHER)
    await house.pass_time(GATHER)
    assert house.wall.lost == [OWNER]
    assert house.wall.texts(OWNER) == ["Harbour 1/1"]
    house.wall.refuses = {}
    await house.come(1)
    await house.pass_time(timedelta(hours=2))
    assert house.wall.texts(GROUP) == ["Harbour 1/2"]
    house.wall.refuses = {GROUP: Refusal.NO_CHAT}
    await house.come(1)
    await house.pass_time(timedelta(hours=2))
    assert house.wall.lost == [OWNER, OWNER], "lost once more, named once more"
