"""Admins, their screens, conversations and confirmations."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from sqlalchemy import Table, func, select, update

from storage.admins import AdminRepository
from storage.channels import ChannelRepository
from storage.confirmations import ConfirmationRepository
from storage.conversations import ConversationRepository
from storage.database import Database
from storage.errors import CiphertextInvalid, LastOwner
from storage.models import Channel, ChannelKind, Role
from storage.pins import PinRepository
from storage.schema import confirmations, conversations
from storage.screens import ScreenRepository
from storage.types import utc_now
from storage.vault import Vault
from tests.storage.conftest import Clock


@pytest.fixture
def admins(database: Database, clock: Clock) -> AdminRepository:
    return AdminRepository(database, clock=clock)


@pytest.fixture
def screens(database: Database, clock: Clock) -> ScreenRepository:
    return ScreenRepository(database, clock=clock)


@pytest.fixture
def talks(database: Database, vault: Vault) -> ConversationRepository:
    return ConversationRepository(database, vault)


@pytest.fixture
def questions(database: Database, clock: Clock) -> ConfirmationRepository:
    return ConfirmationRepository(database, clock=clock)


async def rows_of(database: Database, table: Table) -> int:
    async with database.read() as connection:
        return int((await connection.execute(select(func.count()).select_from(table))).scalar_one())


async def test_putting_an_admin_again_changes_role_and_name_only(admins: AdminRepository, clock: Clock) -> None:
    """When somebody became an admin, their zone and their last look stay."""
    first = await admins.put(7, Role.VIEWER, "Ann")
    await admins.set_timezone(7, "Europe/Oslo")
    clock.advance(hours=1)
    again = await admins.put(7, Role.OWNER, "Ann B.")
    assert (again.role, again.name, again.timezone) == (Role.OWNER, "Ann B.", "Europe/Oslo")
    assert again.created_at == first.created_at
    assert await admins.get(7) == again
    assert await admins.all() == [again]
    assert await admins.get(8) is None


async def test_touching_home_tells_the_look_before(admins: AdminRepository, clock: Clock) -> None:
    """The first look has none before it; a stranger's look is not stored."""
    await admins.put(7, Role.OWNER, "Ann")
    assert await admins.touch_home(7) is None
    first_look = clock.now
    clock.advance(hours=1)
    assert await admins.touch_home(7) == first_look
    assert await admins.touch_home(8) is None
    assert await admins.get(8) is None


async def test_an_admin_has_one_screen(screens: ScreenRepository, clock: Clock) -> None:
    """A new message takes the place of the old one, and forgets the run that it showed."""
    await screens.put(7, 100, run_id=3)
    clock.advance(minutes=1)
    new = await screens.put(7, 101)
    assert (new.message_id, new.run_id, new.sent_at) == (101, None, clock.now)
    assert await screens.get(7) == new


async def test_screens_that_watch_a_run(screens: ScreenRepository) -> None:
    """A run finds those who look at it, until they look elsewhere or close."""
    for admin_id in (7, 8, 9):
        await screens.put(admin_id, 100 + admin_id)
        await screens.set_run(admin_id, 3)
    await screens.set_run(8, None)
    await screens.delete(9)
    await screens.set_run(10, 3)
    assert [screen.admin_id for screen in await screens.watching(3)] == [7]
    assert await screens.get(10) is None


async def test_conversations_come_back(talks: ConversationRepository) -> None:
    """State and data are kept apart and replaced whole."""
    await talks.set_state("fsm:1:7:7", "LoginForm:code")
    await talks.set_data("fsm:1:7:7", {"attempt": 5, "tries": [1, 2]})
    await talks.set_data("fsm:1:7:7", {"attempt": 6})
    assert await talks.get_state("fsm:1:7:7") == "LoginForm:code"
    assert await talks.get_data("fsm:1:7:7") == {"attempt": 6}
    assert await talks.get_state("fsm:1:8:8") is None
    assert await talks.get_data("fsm:1:8:8") == {}


@pytest.mark.parametrize("state_first", [True, False])
async def test_an_ended_conversation_leaves_no_row(
    talks: ConversationRepository, database: Database, state_first: bool
) -> None:
    """Without state and data there is nothing to keep, in whichever order they are cleared."""
    await talks.set_state("key", "LoginForm:code")
    await talks.set_data("key", {"attempt": 5})
    clearings: list[Callable[[], Awaitable[None]]] = [
        lambda: talks.set_state("key", None),
        lambda: talks.set_data("key", {}),
    ]
    for clear in clearings if state_first else reversed(clearings):
        assert await rows_of(database, conversations) == 1
        await clear()
    assert await rows_of(database, conversations) == 0


async def test_conversation_data_cannot_be_moved(talks: ConversationRepository, database: Database) -> None:
    """One admin's data copied into another's row does not open."""
    await talks.set_data("ann", {"api_hash": "secret"})
    await talks.set_data("bob", {"x": 1})
    async with database.write() as connection:
        anns = await connection.scalar(select(conversations.c.data_sealed).where(conversations.c.key == "ann"))
        await connection.execute(update(conversations).where(conversations.c.key == "bob").values(data_sealed=anns))
    with pytest.raises(CiphertextInvalid):
        await talks.get_data("bob")


async def test_a_confirmation_is_taken_once(questions: ConfirmationRepository) -> None:
    """Of many taps at once, one gets it."""
    question = await questions.create(7, "delete_session", {"id": 3})
    taken = await asyncio.gather(*(questions.take(question, 7) for _ in range(10)))
    [confirmation] = [one for one in taken if one is not None]
    assert (confirmation.verb, confirmation.payload, confirmation.admin_id) == ("delete_session", {"id": 3}, 7)


async def test_another_admins_confirmation_stays(questions: ConfirmationRepository) -> None:
    """Somebody else's tap neither takes it nor uses it up."""
    question = await questions.create(7, "delete_session", {})
    assert await questions.take(question, 8) is None
    assert await questions.take(question, 7) is not None


async def test_an_expired_confirmation_is_none(
    questions: ConfirmationRepository, clock: Clock, database: Database
) -> None:
    """After its five minutes it is worth nothing, and the sweep removes it alone."""
    old = await questions.create(7, "delete_session", {})
    clock.advance(seconds=300)
    young = await questions.create(7, "delete_session", {})
    assert await questions.take(old, 7) is None
    assert await questions.sweep() == 1
    assert await rows_of(database, confirmations) == 1
    confirmation = await questions.take(young, 7)
    assert confirmation is not None
    assert confirmation.expires_at == clock.now + timedelta(seconds=300)


async def test_a_new_role_voids_what_was_open(
    database: Database, vault: Vault, admins: AdminRepository, questions: ConfirmationRepository
) -> None:
    """Channels are replaced; confirmations, and the PIN of who owns no more, are gone; others' stay."""
    channels = ChannelRepository(database)
    for channel_id in (-1001, -1002):
        await channels.put(Channel(channel_id, "A", None, ChannelKind.CHANNEL, None, True, utc_now()))
    await admins.put(7, Role.OWNER, "Ann")
    await admins.put(8, Role.OWNER, "Bob")
    pins = PinRepository(database, vault)
    await pins.put(8, "1234")
    mine, theirs = await questions.create(7, "x", {}), await questions.create(8, "x", {})
    bob = await admins.assign(8, Role.APPROVER, "Bob", [-1001])
    assert bob.channels == {-1001}
    assert (bob.sees(-1001), bob.decides(-1002)) == (True, False)
    assert await questions.take(theirs, 8) is None
    assert await pins.get(8) is None
    assert await questions.take(mine, 7) is not None
    assert (await admins.assign(8, Role.APPROVER, "Bob", [-1002])).channels == {-1002}
    assert (await admins.assign(8, Role.VIEWER, "Bob", [-1002])).channels == set()
    await admins.rename(8, "Bobby")
    assert [(each.name, each.role) for each in await admins.all()] == [("Ann", Role.OWNER), ("Bobby", Role.VIEWER)]


async def test_the_last_owner_stays(admins: AdminRepository) -> None:
    """Two owners who remove each other at once: one stays."""
    await admins.put(7, Role.OWNER, "Ann")
    await admins.put(8, Role.OWNER, "Bob")
    answers = await asyncio.gather(admins.remove(7), admins.assign(8, Role.VIEWER, "Bob", []), return_exceptions=True)
    assert sum(isinstance(answer, LastOwner) for answer in answers) == 1
    assert [each.role for each in await admins.all()].count(Role.OWNER) == 1
    assert not await admins.remove(99)
