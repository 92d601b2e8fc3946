"""Bots as accounts: signed in by their token, kept like any account, and what they come to know and carry home."""

import logging
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.scenarios import add_bot
from sandbox.world import Account as WorldAccount
from sandbox.world import Channel as WorldChannel
from services.bot_accounts import BotAccounts
from services.channels import ChannelService
from services.clients.base import ApiCredentials
from services.credentials import unpack
from services.enrolment import Enrolment, SignedIn
from services.errors import (
    AccountDiffers,
    AccountRequired,
    ApiCredentialsInvalid,
    BotOutside,
    ChannelNotFound,
    LoginError,
    NotFound,
    OwnBot,
    SessionDead,
    SessionExists,
    SessionRequired,
    SessionTrouble,
    SessionUnreadable,
    TokenInvalid,
)
from services.imports import ImportService
from services.outages import GoingOn
from services.session_watch import looking
from storage.models import Filters, RunStatus, Session, SessionKind, SessionState, Source, Start, StartKind
from tests.services.conftest import Jetty, Pooled, Store, open_pool, server_of
from tests.services.desk import until
from tests.services.test_channels import Gate
from tests.services.test_imports import pyrogram, telethon
from tests.services.test_live import alive, kept
from tests.services.voyage import Voyage


@pytest.fixture
def bot(jetty: Jetty) -> WorldAccount:
    return add_bot(jetty.sandbox.world, "Harvester", jetty.private)


@pytest.fixture
def bots(jetty: Jetty, store: Store) -> BotAccounts:
    enrolment = Enrolment(store.sessions, store.vault, renewed)
    return BotAccounts(jetty.sandbox.bot.id, store.sessions, enrolment, jetty.clients)


async def renewed(_: int) -> GoingOn:
    return GoingOn(0, None)


@pytest.fixture
async def pooled(jetty: Jetty, store: Store) -> AsyncIterator[Pooled]:
    async with open_pool(jetty, store) as opened:
        yield opened


@pytest.fixture
def channels(store: Store, pooled: Pooled) -> ChannelService:
    return ChannelService(store.channels, store.sessions, pooled.pool, Gate())


async def signed_in(jetty: Jetty, bots: BotAccounts, bot: WorldAccount) -> SignedIn:
    return await bots.sign_in(jetty.api(jetty.admin), bot.token or "")


async def session_of(jetty: Jetty, bots: BotAccounts, bot: WorldAccount) -> Session:
    return (await signed_in(jetty, bots, bot)).session


# -- signing in


async def test_a_bot_is_an_account(
    jetty: Jetty, store: Store, bots: BotAccounts, bot: WorldAccount, caplog: pytest.LogCaptureFixture
) -> None:
    """Called by its name, marked as a bot, credential and token sealed; the token stands in no log and no file."""
    caplog.set_level(logging.DEBUG)
    session = await session_of(jetty, bots, bot)
    assert (session.kind, session.name, session.username) == (SessionKind.BOT, "Harvester", "harvester_bot")
    assert (session.user_id, session.masked_phone, session.state) == (bot.id, "", SessionState.ACTIVE)
    credential = unpack(await store.sessions.credential(session.id))
    assert (credential.is_bot, credential.user_id) == (True, bot.id)
    assert await store.sessions.token(session.id) == bot.token
    assert await store.sessions.phone(session.id) is None
    secret = (bot.token or "").partition(":")[2]
    assert secret not in caplog.text
    for file in store.path.parent.iterdir():
        assert secret.encode() not in file.read_bytes(), file.name


@pytest.mark.parametrize("token", ["", "harvester", "123456:short", "12345:" + "a" * 35, "1234567:" + "ä" * 35])
async def test_what_is_no_token_is_not_sent(jetty: Jetty, bots: BotAccounts, token: str) -> None:
    with pytest.raises(TokenInvalid):
        await bots.sign_in(jetty.api(jetty.admin), token)
    assert not jetty.calls("auth.importBotAuthorization")


async def test_refusals_store_nothing(jetty: Jetty, store: Store, bots: BotAccounts, bot: WorldAccount) -> None:
    """A revoked token, a wrong application, and Porter's own bot, whose token is not even sent."""
    old = bot.token or ""
    jetty.sandbox.world.revoke_token(bot.id)
    refusals: list[tuple[ApiCredentials, str, type[LoginError]]] = [
        (jetty.api(jetty.admin), old, TokenInvalid),
        (ApiCredentials(4711, "0" * 32), bot.token or "", ApiCredentialsInvalid),
        (jetty.api(jetty.admin), jetty.sandbox.bot_token, OwnBot),
    ]
    for api, token, refusal in refusals:
        with pytest.raises(refusal) as refused:
            await bots.sign_in(api, token)
        assert token.partition(":")[2] not in str(refused.value)
    assert await store.sessions.all() == []
    assert jetty.calls("auth.importBotAuthorization") == 2


async def test_a_bot_is_here_once(jetty: Jetty, bots: BotAccounts, bot: WorldAccount) -> None:
    """Said before Telegram is asked."""
    await signed_in(jetty, bots, bot)
    with pytest.raises(SessionExists) as refused:
        await signed_in(jetty, bots, bot)
    assert refused.value.name == "Harvester"
    assert jetty.calls("auth.importBotAuthorization") == 1


async def test_a_dead_bot_comes_back_by_its_token(
    jetty: Jetty, store: Store, bots: BotAccounts, bot: WorldAccount
) -> None:
    """The same row with a new key: by the token that is kept; after BotFather's revoke, by the new one alone."""
    session = await session_of(jetty, bots, bot)
    before = await store.sessions.credential(session.id)
    jetty.sandbox.world.revoke(bot.id)
    await store.sessions.set_state(session.id, SessionState.SIGNED_OUT, "SESSION_REVOKED", None)
    back = await bots.sign_in_again(session.id)
    assert back is not None
    assert (back.existed, back.session.id, back.session.state) == (True, session.id, SessionState.ACTIVE)
    assert await store.sessions.credential(session.id) != before
    jetty.sandbox.world.revoke_token(bot.id)
    await store.sessions.set_state(session.id, SessionState.SIGNED_OUT, "SESSION_REVOKED", None)
    assert await bots.sign_in_again(session.id) is None
    api = await bots.application_of(session.id)
    assert (await bots.sign_in(api, bot.token or "", session.id)).session.id == session.id
    assert await store.sessions.token(session.id) == bot.token
    with pytest.raises(NotFound):
        await bots.sign_in_again(999)


async def test_another_bot_does_not_repair_it(jetty: Jetty, store: Store, bots: BotAccounts, bot: WorldAccount) -> None:
    """Signed out again, and the dead one stays as it was."""
    session = await session_of(jetty, bots, bot)
    await store.sessions.set_state(session.id, SessionState.SIGNED_OUT, "SESSION_REVOKED", None)
    other = add_bot(jetty.sandbox.world, "Gleaner")
    with pytest.raises(AccountDiffers):
        await bots.sign_in(jetty.api(jetty.admin), other.token or "", session.id)
    assert [each.state for each in await store.sessions.all()] == [SessionState.SIGNED_OUT]
    assert other.id not in {key.user for key in jetty.sandbox.world.auth_keys.values()}


async def test_a_bots_session_is_imported(jetty: Jetty, store: Store, bots: BotAccounts, bot: WorldAccount) -> None:
    """Of either library: a bot's account without a token, which wants one when it has died. Porter's own is refused."""
    client = await jetty.clients.login(jetty.api(jetty.admin))
    await client.sign_in_bot(bot.token or "")
    credential = client.credential(bot.id)
    await client.close()
    enrolment = Enrolment(store.sessions, store.vault, renewed)
    imports = ImportService(
        enrolment, jetty.clients, jetty.api(jetty.admin), server_of(jetty.sandbox), jetty.sandbox.bot.id
    )
    candidate = await imports.inspect(telethon(credential))
    session = (await imports.confirm(candidate, jetty.api(jetty.admin))).session
    assert (session.kind, session.username) == (SessionKind.BOT, "harvester_bot")
    assert unpack(await store.sessions.credential(session.id)).is_bot
    await store.sessions.set_state(session.id, SessionState.SIGNED_OUT, "SESSION_REVOKED", None)
    assert await bots.sign_in_again(session.id) is None
    own = replace(credential, user_id=jetty.sandbox.bot.id, auth_key=bytes(reversed(credential.auth_key)))
    with pytest.raises(SessionUnreadable) as refused:
        await imports.inspect(pyrogram(own))
    assert refused.value.why is SessionTrouble.OWN_BOT


# -- what it sees


@pytest.mark.parametrize("form", ["id", "link"])
async def test_a_channel_is_met_by_a_read(
    jetty: Jetty, store: Store, bots: BotAccounts, bot: WorldAccount, channels: ChannelService, form: str
) -> None:
    """Named by somebody and proven by a read: stored with its address, never asked twice, and never as a gate."""
    session, channel = await session_of(jetty, bots, bot), jetty.private
    channel.members[bot.id].may_invite = True
    assert await channels.of_session(session.id) == []
    text = str(channel.peer) if form == "id" else f"https://t.me/c/{channel.id}/5"
    found = await channels.find(text, session.id)
    assert (found.channel.id, found.channel.title, found.may_invite) == (channel.peer, channel.title, False)
    assert await store.sessions.access_hash(session.id, channel.peer) == channel.access_hash
    asked = sum(jetty.sandbox.faults.counts[bot.id].values())
    assert await channels.find(text, session.id) == found
    assert [row.channel.id for row in await channels.of_session(session.id)] == [channel.peer]
    listing = await channels.listing(session.id)
    assert ([row.channel.id for row in listing.rows], listing.is_refreshing) == ([channel.peer], False)
    assert sum(jetty.sandbox.faults.counts[bot.id].values()) == asked
    channel.title = "Harbour Vaults"
    assert [row.channel.title for row in (await channels.listing(session.id, refresh=True)).rows] == [channel.title]
    channel.members.pop(bot.id)
    assert (await channels.listing(session.id, refresh=True)).rows == []


async def test_where_it_is_not(
    jetty: Jetty, store: Store, bots: BotAccounts, bot: WorldAccount, channels: ChannelService
) -> None:
    """A channel without it, a name that is nobody's, a small group: each in its own words, nothing stored."""
    session = await session_of(jetty, bots, bot)
    refusals = [(str(jetty.gate.peer), BotOutside), ("@nobody_has_this", ChannelNotFound), ("-4711", AccountRequired)]
    for text, refusal in refusals:
        with pytest.raises(refusal):
            await channels.find(text, session.id)
    assert await store.channels.of_session(session.id) == []
    public = await channels.find(f"@{jetty.public.username}", session.id)
    assert public.channel.id == jetty.public.peer
    assert await store.sessions.access_hash(session.id, jetty.public.peer) == jetty.public.access_hash
    assert (await channels.listing(session.id, refresh=True)).rows == [], "readable by name, and not its own"


async def test_the_gate_is_for_people(
    jetty: Jetty, store: Store, bots: BotAccounts, bot: WorldAccount, channels: ChannelService, pooled: Pooled
) -> None:
    """Who waits is loaded by people's accounts: a bot is passed over, and refused where it is named."""
    jetty.private.members[bot.id].may_invite = True
    session = await session_of(jetty, bots, bot)
    await channels.find(str(jetty.private.peer), session.id)
    await store.sessions.set_state(pooled.session.id, SessionState.SIGNED_OUT, "SESSION_REVOKED", None)
    with pytest.raises(SessionRequired):
        await channels.may_invite()
    with pytest.raises(SessionRequired):
        await channels.session_for(jetty.private.peer, may_invite=True)
    with pytest.raises(AccountRequired):
        await channels.check_right(session.id, jetty.private.peer)
    assert await channels.session_for(jetty.private.peer) == session.id
    await store.sessions.set_state(pooled.session.id, SessionState.ACTIVE, None, None)
    assert {row.session_id for row in await channels.may_invite()} == {pooled.session.id}


async def test_a_search_by_all_accounts_asks_bots_last(
    jetty: Jetty, bots: BotAccounts, bot: WorldAccount, channels: ChannelService, pooled: Pooled
) -> None:
    """A person's account is asked first; a channel that only the bot is in is found by the bot."""
    session = await session_of(jetty, bots, bot)
    jetty.private.members.pop(jetty.admin.id)
    assert (await channels.find(f"@{jetty.public.username}")).session_id == pooled.session.id
    assert (await channels.find(str(jetty.private.peer))).session_id == session.id


# -- what it carries home


async def carried(voyage: Voyage, channel: WorldChannel) -> None:
    """Every message and every file of the channel are here, as the sandbox has them."""
    assert sorted(voyage.disk().values()) == sorted(voyage.documents().values())
    rows = await voyage.rows()
    assert len(rows["messages"]) == voyage.post_count()
    assert {row[0] for row in rows["totals"]} == {max(m.id for m in channel.messages.values() if not m.deleted)}


@pytest.fixture
async def voyage(
    jetty: Jetty, store: Store, pooled: Pooled, bots: BotAccounts, bot: WorldAccount, tmp_path: Path
) -> Voyage:
    """By the bot."""
    session = await session_of(jetty, bots, bot)
    (tmp_path / "home").mkdir()
    return Voyage(jetty, store, replace(pooled, session=session), tmp_path / "home")


async def test_a_bot_saves_a_channel(jetty: Jetty, voyage: Voyage, bot: WorldAccount) -> None:
    """Whole and byte-equal, without one call of history; again, with two calls and nothing fetched."""
    for number in range(350):
        jetty.sandbox.world.post(jetty.private, jetty.private.peer, text=f"post {number}")
    jetty.private.next_message_id += 300
    voyage.post(b"behind the hole" * 1000)
    source = await voyage.add()
    assert (await voyage.scrape(source)).status is RunStatus.DONE
    await carried(voyage, jetty.private)
    assert not jetty.calls("messages.getHistory")
    jetty.sandbox.faults.reset()
    assert (await voyage.scrape(source)).status is RunStatus.DONE
    asked = jetty.sandbox.faults.counts[bot.id]
    assert sum(count for method, count in asked.items() if re.match(r"messages|channels|updates", method)) <= 2
    assert not asked["upload.getFile"]


async def test_a_bot_begins_where_it_is_told(jetty: Jetty, voyage: Voyage) -> None:
    """The last ids alone, or what comes from now on; a single post whatever its age."""
    await voyage.know(jetty.private)
    ids = [m.id for m in jetty.private.messages.values() if not m.deleted and m.action is None]
    last = await voyage.source_rows.add(replace(voyage.new("Last"), start=Start(StartKind.LAST, count=5)))
    fresh = await voyage.source_rows.add(replace(voyage.new("Fresh", folder="fresh"), start=Start(StartKind.NEW)))
    for source, wanted in ((last, [each for each in ids if each > ids[-1] - 5]), (fresh, [])):
        assert (await voyage.scrape(source)).status is RunStatus.DONE
        assert await linked(voyage, source) == wanted
    async with voyage.sail() as (_, service):
        run = await service.scrape(fresh.id, 5, posts=[ids[0]])
        assert (await voyage.desk.reached(run.id, RunStatus.DONE, RunStatus.FAILED)).status is RunStatus.DONE
    assert await linked(voyage, fresh) == [ids[0]]
    assert not jetty.calls("messages.getHistory")


async def test_a_bot_hears_of_new_posts(jetty: Jetty, voyage: Voyage) -> None:
    """Live mode is for bots as well, without a question that bots may not ask."""
    await kept(voyage)
    async with alive(voyage) as porter:
        await until(lambda: jetty.calls("updates.getState") > 0, 5)
        await until(lambda: len(voyage.desk.ear.settled) > 1, 5)  # what may have been missed is looked for
        await porter.home(porter.post(b"live" * 40_000))
    assert not jetty.calls("messages.getPeerDialogs") + jetty.calls("messages.getHistory")


async def linked(voyage: Voyage, source: Source) -> list[int]:
    return [message_id for source_id, _, message_id in (await voyage.rows())["links"] if source_id == source.id]


async def test_a_wait_in_a_hole_keeps_the_place(jetty: Jetty, voyage: Voyage) -> None:
    """Ids without messages are ground that was covered: after a wait the walk goes on behind them."""
    world, channel = jetty.sandbox.world, jetty.private
    channel.next_message_id += 2000
    world.post(channel, channel.peer, text="behind the hole")
    source = await voyage.add(filters=Filters(extensions=("none",)))
    for _ in range(12):
        jetty.sandbox.faults.add("channels.getMessages", delay_ms=1)
    jetty.sandbox.faults.add("channels.getMessages", error="FLOOD_WAIT_900")
    run = await voyage.scrape(source)
    assert run.status is RunStatus.WAITING
    stored = await voyage.source_rows.get(source.id)
    assert stored is not None
    assert stored.cursor >= 1000


async def test_a_bot_that_was_removed(jetty: Jetty, voyage: Voyage, bot: WorldAccount) -> None:
    """The run says that the channel is not to be seen any more; its files stay."""
    source = await voyage.add()
    jetty.private.members.pop(bot.id)
    run = await voyage.scrape(source)
    assert (run.status, run.reason) == (RunStatus.FAILED, "ChannelUnavailable")


async def test_a_revoked_token_is_a_dead_session(jetty: Jetty, voyage: Voyage, bot: WorldAccount) -> None:
    source = await voyage.add()
    jetty.sandbox.world.revoke_token(bot.id)
    run = await voyage.scrape(source)
    assert run.is_held
    assert voyage.pooled.deaths == [(voyage.pooled.session.id, "SESSION_REVOKED")]


async def test_the_watch_looks_after_bots(
    jetty: Jetty, voyage: Voyage, channels: ChannelService, bot: WorldAccount, store: Store
) -> None:
    """It asks a bot who it is, and nothing that bots may not be asked."""

    class Sessions:
        async def check(self, session_id: int) -> Session | None:
            async with voyage.pooled.pool.reading(session_id) as client:
                await client.me()
            return await store.sessions.get(session_id)

    session_id = voyage.pooled.session.id
    await looking(Sessions(), channels, voyage.pooled.pool)(session_id)  # type: ignore[arg-type]
    assert not jetty.sandbox.faults.counts[bot.id]["messages.getDialogs"]
    assert not voyage.pooled.pool.is_open(session_id)
    jetty.sandbox.world.revoke_token(bot.id)
    with pytest.raises(SessionDead):
        await looking(Sessions(), channels, voyage.pooled.pool)(session_id)  # type: ignore[arg-type]
