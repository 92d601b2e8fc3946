"""The doctor's round against Telegram, played against the sandbox: real sessions, real answers, nothing changed."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer

from bot import doctor
from bot.doctor import live, report
from bot.doctor.findings import Finding, Severity
from bot.doctor.live_allowed import CALLS_OF_AN_ACCOUNT, CALLS_OF_THE_BOT, OF_ACCOUNTS, OF_THE_BOT
from bot.doctor.live_round import OF_BOTS, OF_PEOPLE, OF_THE_BOT_API, ROUND, Guarded
from bot.lock import hold_lock
from bot.settings import Settings
from sandbox import groups
from sandbox.app import Sandbox, open_sandbox
from services.clients.base import ApiCredentials, Credential
from services.clients.factory import Clients
from services.clients.probe import CallsSpent, Guard, NotReadOnly, Tl
from services.credentials import pack
from services.errors import Unreachable
from storage.home import settle
from storage.leases import LeaseRepository
from storage.models import Channel, ChannelKind, SessionKind
from storage.restored import RestoredRepository
from storage.types import utc_now
from tests.services.conftest import FakeTime, Jetty, Store, open_store, server_of

pytestmark = pytest.mark.timeout(120)

CLAIMS = [f"live/{claim.id}" for claim in (*OF_PEOPLE, *OF_BOTS, *OF_THE_BOT_API)]
SHAKES_HANDS = {"help.getConfig", "users.getUsers", "auth.importAuthorization"}
"""What connecting asks by itself."""


@dataclass
class Harbour:
    """A sandbox, and the folder of a Porter that is off."""

    jetty: Jetty
    data_dir: Path

    @property
    def sandbox(self) -> Sandbox:
        return self.jetty.sandbox

    @property
    def settings(self) -> Settings:
        return self.settings_of(self.data_dir)

    def settings_of(self, data_dir: Path) -> Settings:
        return Settings(
            _env_file=None,
            bot_token=self.sandbox.bot_token,
            admin_ids=str(self.sandbox.admin_id),
            data_dir=data_dir,
            download_dir=data_dir.parent / "downloads",
            bot_api_url=self.sandbox.bot_api,
            mtproto_server=self.sandbox.mtproto,
            mtproto_public_key_file=self.sandbox.public_key_file,
        )

    def asked(self) -> dict[int, dict[str, int]]:
        return {account: dict(counts) for account, counts in self.sandbox.faults.counts.items()}

    async def round(self, **options: object) -> dict[str, Finding]:
        findings = await live.examine(self.settings, yes=True, pace_seconds=0, **options)  # type: ignore[arg-type]
        return {finding.check: finding for finding in reversed(findings)}


@asynccontextmanager
async def open_harbour(tmp_path: Path, scenario: str = "jetty") -> AsyncIterator[Harbour]:
    """Its channels are known to Porter; no account is signed in yet."""
    async with open_sandbox(scenario=scenario, data_dir=tmp_path / "sandbox") as sandbox:
        harbour = Harbour(Jetty(sandbox, Clients(server_of(sandbox))), tmp_path / "data")
        async with open_store(harbour.data_dir) as store:
            for channel in sandbox.world.channels.values():
                kind = ChannelKind.SUPERGROUP if channel.megagroup else ChannelKind.CHANNEL
                await store.channels.put(
                    Channel(channel.peer, channel.title, channel.username, kind, 1, True, utc_now())
                )
        yield harbour


@pytest.fixture
async def harbour(tmp_path: Path) -> AsyncIterator[Harbour]:
    async with open_harbour(tmp_path) as opened:
        yield opened


async def sign_in(harbour: Harbour, *names: str) -> list[Credential]:
    credentials = [harbour.jetty.sign_in(getattr(harbour.jetty, name)) for name in names]
    async with open_store(harbour.data_dir) as store:
        for name, credential in zip(names, credentials, strict=True):
            session = await store.add_session(credential, f"Session of {name}")
            channels = harbour.sandbox.world.channels.values()
            met = {channel.peer: channel.access_hash for channel in channels if credential.user_id in channel.members}
            await store.sessions.put_peers(session.id, met)
    harbour.sandbox.faults.reset()
    return credentials


async def add_bot(store: Store, harbour: Harbour) -> Credential:
    """The bot that Porter is, as a reader."""
    admin = harbour.jetty.admin
    client = await harbour.jetty.clients.login(ApiCredentials(admin.api_id, admin.api_hash))
    try:
        account = await client.sign_in_bot(harbour.sandbox.bot_token)
        credential = client.credential(account.user_id)
    finally:
        await client.close()
    await store.sessions.add(
        name="Reader",
        user_id=account.user_id,
        account_name="Reader",
        username=None,
        masked_phone="",
        api_id=admin.api_id,
        api_hash=admin.api_hash,
        phone=None,
        credential=pack(credential),
        fingerprint=store.vault.fingerprint(credential.auth_key),
        kind=SessionKind.BOT,
    )
    return credential


@asynccontextmanager
async def a_bot(harbour: Harbour) -> AsyncIterator[Bot]:
    session = AiohttpSession(api=TelegramAPIServer.from_base(harbour.sandbox.bot_api))
    yield Bot(harbour.sandbox.bot_token, session)
    await session.close()


def unknown(found: dict[str, Finding]) -> set[str]:
    return {check for check, finding in found.items() if finding.severity is Severity.UNKNOWN}


async def test_each_claim_holds_in_the_sandbox(tmp_path: Path) -> None:
    """With accounts of every kind and something of everything, each claim is seen and agrees, but for those that only a
    write would show. Calls of the list alone were made, fewer than announced, and what is told holds no secret."""
    async with open_harbour(tmp_path, "harbour") as harbour:
        world, bot = harbour.sandbox.world, harbour.sandbox.bot
        credentials = await sign_in(harbour, "admin", "second")
        async with open_store(harbour.data_dir) as store:
            credentials.append(await add_bot(store, harbour))
        async with a_bot(harbour) as polling:
            heard = ["message", "callback_query", "chat_join_request", "my_chat_member"]
            await polling.get_updates(timeout=0, allowed_updates=heard)
        world.send_private(bot.id, harbour.sandbox.admin_id, harbour.sandbox.admin_id, text="/start")
        world.started_bots.setdefault(bot.id, set()).add(harbour.sandbox.admin_id)
        gate = harbour.jetty.gate
        gate.members_hidden = harbour.jetty.public.noforwards = True
        for number in range(100):
            small = groups.found(world, f"Pier {number}", harbour.sandbox.admin_id, [harbour.jetty.second.id])
        groups.migrate(world, small)
        world.decide(gate, next(iter(gate.requests)), harbour.sandbox.admin_id, approve=True)
        harbour.sandbox.faults.reset()
        harbour.sandbox.faults.add("messages.getPeerDialogs", error="FLOOD_WAIT_1")

        findings = await live.examine(harbour.settings, yes=True, pace_seconds=0)

        assert [f.check for f in findings] == [*CLAIMS, ROUND]
        found = {finding.check: finding for finding in findings}
        wrong = [finding for finding in findings if finding.severity not in {Severity.OK, Severity.UNKNOWN}]
        assert not wrong, report.as_text(wrong, colour=False)
        assert {check: found[check].what.partition(".")[0] for check in unknown(found)} == {
            "live/bot-words-of-writes": "Not seen, for only a write provokes them, and the round writes nothing",
        }

        asked = harbour.asked()
        by_bot_api = {name: count for name, count in asked[bot.id].items() if "." not in name}
        assert set(by_bot_api) <= OF_THE_BOT
        assert sum(by_bot_api.values()) <= CALLS_OF_THE_BOT
        for account, counts in asked.items():
            by_mtproto = {name: count for name, count in counts.items() if "." in name}
            assert set(by_mtproto) <= OF_ACCOUNTS | SHAKES_HANDS
            assert sum(by_mtproto.values()) <= CALLS_OF_AN_ACCOUNT, account

        told = report.as_json(findings) + report.as_text(findings, colour=False)
        admin = harbour.jetty.admin
        secrets = [harbour.sandbox.bot_token.partition(":")[2], admin.api_hash, admin.phone, "hArB0ur", admin.name]
        secrets += [credential.auth_key.hex() for credential in credentials]
        secrets += [str(channel.access_hash) for channel in world.channels.values()]
        secrets += [channel.title for channel in world.channels.values()]
        assert not [secret for secret in secrets if secret and secret in told]


async def test_what_differs_is_told_with_what_rests_on_it(harbour: Harbour) -> None:
    """Where Telegram behaves otherwise, the finding says what was seen, where Porter rests on it, and the source."""
    await sign_in(harbour, "admin")
    world, faults = harbour.sandbox.world, harbour.sandbox.faults
    world.requests_page_cap = 10
    world.clock_offset_s = 120
    faults.add("contacts.resolveUsername", error="METHOD_INVALID", times=2)
    faults.add("messages.getAdminsWithInvites", error="CHANNEL_PRIVATE")
    faults.add("messages.getSearchCounters", error="SOME_NEW_WORD")
    faults.add("getChatMemberCount", error="BOT_METHOD_INVALID")

    found = await harbour.round()

    differ = {
        "waiting-page": ("10 of 30 where 200 were asked for", "services/requests/walks.py"),
        "clock": ("this machine is -1", "services/schedule.py"),
        "no-such-name": ("400 METHOD_INVALID", "services/clients/answers.py"),
        "impossible-name": ("400 METHOD_INVALID", "services/clients/answers.py"),
        "link-makers": ("CHANNEL_PRIVATE", "services/clients/pyrogram_client.py"),
        "counters": ("400 SOME_NEW_WORD", "services/clients/telethon_search.py"),
        "bot-count": ("BOT_METHOD_INVALID", "bot/gate.py"),
    }
    assert {check for check, each in found.items() if each.severity is Severity.WARNING} == {
        f"live/{name}" for name in differ
    }
    for name, (seen, rests) in differ.items():
        finding = found[f"live/{name}"]
        assert seen in finding.what, finding
        assert finding.what.startswith("Telegram differs.")
        assert rests in finding.cure
        assert "https://core.telegram.org/" in finding.cure
    assert report.is_well(list(found.values()))
    # Pages of ten end as pages of two hundred do, so what lies behind the first is still found.
    assert found["live/waiting-offset"].severity is Severity.OK
    assert found["live/waiting-end"].severity is Severity.OK


async def test_a_long_wait_ends_the_round(harbour: Harbour) -> None:
    """A wait over half a minute is no place to sit: what was seen so far is told, nobody is asked any more, and
    Porter's next start knows of the wait."""
    [credential] = await sign_in(harbour, "admin")
    harbour.sandbox.faults.add("messages.search", error="FLOOD_WAIT_300")
    time = FakeTime()

    found = await harbour.round(sleep=time.sleep)

    assert found[ROUND].severity is Severity.WARNING
    assert "ended early: Telegram wants account 1 to wait until 20" in found[ROUND].what
    assert found["live/history-order"].severity is Severity.OK
    assert found["live/part"].severity is Severity.UNKNOWN
    assert found["live/bot-me"].severity is Severity.UNKNOWN
    assert not time.slept
    assert harbour.jetty.calls("messages.search") == 1
    assert not harbour.jetty.calls("getMe")
    async with open_store(harbour.data_dir) as store:
        assert await store.flood_waits.get(1, "messages.search") is not None
        assert await store.leases.get(1) is None
    assert credential.user_id not in {account for account, counts in harbour.asked().items() if counts.get("getMe")}


async def test_an_account_that_is_signed_out_is_told(harbour: Harbour) -> None:
    """The others, and the bot, are asked all the same."""
    await sign_in(harbour, "admin", "second")
    harbour.sandbox.world.revoke(harbour.jetty.admin.id)

    found = await harbour.round()

    assert found[ROUND].severity is Severity.ERROR
    assert "signed account 1 out" in found[ROUND].what
    assert "with account 2:" in found["live/self"].what
    assert found["live/bot-me"].severity is Severity.OK


async def test_the_bot_is_asked_without_an_account(harbour: Harbour) -> None:
    """With an empty database, and with none at all, the bot's claims are looked at; no folder is made for it."""
    found = await harbour.round()
    assert found["live/layers"].severity is Severity.UNKNOWN
    assert "no person's account is signed in" in found["live/layers"].what
    assert found["live/bot-rights"].severity is Severity.OK

    nowhere = harbour.data_dir.parent / "nowhere"
    findings = await live.examine(harbour.settings_of(nowhere), yes=True, pace_seconds=0)
    assert {f.check: f.severity for f in findings}["live/bot-me"] is Severity.OK
    assert not nowhere.exists()


async def test_trouble_at_telegram_is_no_difference(harbour: Harbour) -> None:
    """A 5xx leaves one claim open; a connection that is lost ends that account's part, and the bot is asked all the
    same."""
    await sign_in(harbour, "admin")
    faults = harbour.sandbox.faults
    faults.add("messages.getSearchCounters", error="RPC_CALL_FAIL")
    faults.add("messages.search", drop=True)

    found = await harbour.round()

    assert found[ROUND].severity is Severity.UNKNOWN
    assert "account 1 got no answer" in found[ROUND].what
    assert "trouble of its own (RPC_CALL_FAIL)" in found["live/counters"].what
    assert found["live/message-link"].severity is Severity.OK
    assert found["live/part"].severity is Severity.UNKNOWN
    assert found["live/bot-me"].severity is Severity.OK
    assert not [each for each in found.values() if each.severity is Severity.WARNING]


async def test_an_account_that_another_host_takes_is_let_go(harbour: Harbour) -> None:
    """Where a lease is lost in the middle, the connection closes before its key is seen from two addresses for long."""
    await sign_in(harbour, "admin")
    async with open_store(harbour.data_dir) as store:
        accounts = live.Accounts(harbour.settings, store.database, store.vault, FakeTime().sleep)
        [session] = await store.sessions.all()
        elsewhere = LeaseRepository(store.database, "another process", "another host")
        async with accounts.open(session, Guard(OF_ACCOUNTS, 9, 0)) as account:
            await account.ask("help.getConfig")
            await elsewhere.clear()
            assert await elsewhere.take(session.id, utc_now()) is None
            await accounts.leases.beat()
            with pytest.raises(Unreachable):
                await account.ask("users.getUsers", id=[Tl("inputUserSelf")])
        held = await store.leases.get(session.id)
        assert held is not None
        assert held.host == "another host"


# -- when it is not made


async def test_no_round_while_porter_runs(harbour: Harbour) -> None:
    """A session lives in one process: whoever holds DATA_DIR has them all."""
    with hold_lock(harbour.data_dir):
        found = await harbour.round()
    assert found[ROUND].severity is Severity.ERROR
    assert "in use by another Porter" in found[ROUND].what
    assert not harbour.asked()


async def test_no_round_with_a_database_that_waits_for_a_word(harbour: Harbour) -> None:
    """Restored, contested, copied, or half restored: the accounts may be at work elsewhere, and Telegram kills a key
    that it sees from two addresses."""
    await sign_in(harbour, "admin")
    copied = harbour.data_dir.parent / "copied"
    async with open_store(harbour.data_dir) as store:
        await settle(store.database)  # as the first start of Porter does
    copied.mkdir(mode=0o700)
    for path in harbour.data_dir.iterdir():
        (copied / path.name).write_bytes(path.read_bytes())
    [refused] = await live.examine(harbour.settings_of(copied), yes=True, pace_seconds=0)
    assert refused.severity is Severity.ERROR
    assert "waits for an owner's word" in refused.what

    async with open_store(harbour.data_dir) as store:
        mark = await RestoredRepository(store.database).mark(utc_now(), utc_now())
    found = await harbour.round()
    assert "waits for an owner's word" in found[ROUND].what
    assert "an owner says in the chat" in found[ROUND].cure

    async with open_store(harbour.data_dir) as store:
        await RestoredRepository(store.database).clear(mark.id)
    (harbour.data_dir / "restore.ready").mkdir()
    found = await harbour.round()
    assert "a restore is not finished" in found[ROUND].what
    assert not harbour.asked()


async def test_it_asks_before_it_begins(harbour: Harbour) -> None:
    """Who would be used, and how much, is said; without a yes nothing is asked of Telegram."""
    await sign_in(harbour, "admin")
    said: list[str] = []

    async def no(announcement: str) -> bool:
        said.append(announcement)
        return False

    [finding] = await live.examine(harbour.settings, yes=False, ask=no)
    assert "nobody said yes" in finding.what
    assert "--yes" in finding.cure
    assert "account 1 (Session of admin)" in said[0]
    assert f"at most {CALLS_OF_AN_ACCOUNT} by each" in said[0]
    assert not harbour.asked()


async def test_without_a_terminal_nobody_says_yes(harbour: Harbour, capsys: pytest.CaptureFixture[str]) -> None:
    """A script must say --yes: the command ends as an error, its JSON whole."""
    code = await doctor.run(harbour.settings, as_json=True, fix=False, live=True, yes=False)
    assert code == 1
    assert '"check": "live-round", "severity": "error"' in capsys.readouterr().out
    assert not {name for counts in harbour.asked().values() for name in counts} & (OF_ACCOUNTS - OF_THE_BOT)


# -- what may be asked


async def test_what_is_not_on_the_list_never_leaves(harbour: Harbour) -> None:
    """A call that would change anything is refused before it is sent, whoever asks for it, and so is one too many."""
    [credential] = await sign_in(harbour, "admin")
    guard = Guard(OF_ACCOUNTS, 4, 0)
    probe = await harbour.jetty.clients.probe(credential, None, guard)
    before = harbour.asked()
    try:
        channel = harbour.jetty.private
        peer = Tl("inputPeerChannel", {"channel_id": channel.id, "access_hash": channel.access_hash})
        for method, fields in (
            ("messages.readHistory", {"peer": Tl("inputPeerSelf"), "max_id": 0}),
            ("messages.sendMessage", {"peer": peer, "message": "hello"}),
            ("messages.hideAllChatJoinRequests", {"peer": peer, "approved": True}),
            ("messages.importChatInvite", {"hash": "hArB0urCr3w"}),
            ("auth.logOut", {}),
        ):
            for dc_id in (None, 4):
                with pytest.raises(NotReadOnly):
                    await probe.ask(method, fields, dc_id)
        assert harbour.asked() == before
        for _ in range(3):
            await probe.ask("help.getConfig", {})
        with pytest.raises(CallsSpent):
            await probe.ask("help.getConfig", {})
        assert guard.calls.total() == 4
    finally:
        await probe.close()

    session = AiohttpSession(api=TelegramAPIServer.from_base(harbour.sandbox.bot_api))
    session.middleware(Guarded(Guard(OF_THE_BOT, 2, 0), FakeTime().sleep))
    bot = Bot(harbour.sandbox.bot_token, session)
    try:
        for call in (bot.get_updates, bot.delete_webhook, bot.log_out, lambda: bot.send_message(1, "hello")):
            with pytest.raises(NotReadOnly):
                await call()
        await bot.get_me()
        await bot.get_me()
        with pytest.raises(CallsSpent):
            await bot.get_me()
    finally:
        await session.close()
    assert harbour.asked()[bot.id] == {"getMe": 2}


def test_the_lists_hold_questions_alone() -> None:
    """Each name says that it reads; a login to another data centre is the one thing that is more."""
    reads = re.compile(r"(?:\w+\.)?(?:get|check|search|resolve|exportMessageLink)\w*")
    assert {name for name in OF_ACCOUNTS | OF_THE_BOT if not reads.fullmatch(name)} == {
        "auth.exportAuthorization",
        "auth.importAuthorization",
    }
    assert "getUpdates" not in OF_THE_BOT


async def test_calls_keep_their_distance() -> None:
    """One call a second, however many ask at once."""
    time = FakeTime()
    guard = Guard({"help.getConfig"}, 9, 1.0, sleep=time.sleep)
    for _ in range(3):
        await guard.let("help.getConfig")
    assert [round(seconds) for seconds in time.slept] == [1, 2]


def test_each_claim_names_its_source_and_a_file_of_ours() -> None:
    """A reviewer finds both: the page that says it, and the file that is wrong when it is."""
    claims = [*OF_PEOPLE, *OF_BOTS, *OF_THE_BOT_API]
    assert len({claim.id for claim in claims}) == len(claims) >= 25
    root = Path(__file__).parents[2]
    for claim in claims:
        assert re.fullmatch(r"[a-z]+(?:-[a-z]+)*", claim.id)
        assert claim.source.startswith(("https://core.telegram.org/", "https://github.com/tdlib/"))
        assert (root / claim.used_by).is_file(), claim.used_by
        assert claim.says.endswith(".")
