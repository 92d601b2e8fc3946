"""Accounts as they are stored, and the way to Telegram's own servers. No account is opened: that is `--live`'s."""

import asyncio
from collections.abc import AsyncIterator, Iterator

from bot.doctor.case import Case, error, note, ok, some, warning
from bot.doctor.findings import Finding
from bot.settings import SettingsInvalid
from services.session_formats import PRODUCTION
from storage.errors import CiphertextInvalid, RowMissing
from storage.models import HANDED_OVER, Session, SessionState
from storage.sessions import SessionRepository, all_sessions
from storage.sources import SourceRepository

TELEGRAM_DC = 2
CONNECT_SECONDS = 8
STATES = {SessionState.SIGNED_OUT: "is signed out", SessionState.BANNED: "is banned by Telegram"}


def public_key(case: Case) -> Iterator[Finding]:
    if case.settings.mtproto_public_key_file is None:
        return
    try:
        server = case.settings.mtproto()
    except SettingsInvalid as refused:
        yield error("mtproto-key-file", f"{refused}.", "Set MTPROTO_PUBLIC_KEY_FILE to that server's key, readable.")
        return
    if server is not None and "PUBLIC KEY" not in server.public_key_pem:
        what = "MTPROTO_PUBLIC_KEY_FILE holds no public key in PEM form."
        yield error("mtproto-key-file", what, "Set MTPROTO_PUBLIC_KEY_FILE to that server's key.")


async def server(case: Case) -> AsyncIterator[Finding]:
    """A TCP connection, closed at once."""
    given = case.settings.mtproto_server
    host, port = PRODUCTION[TELEGRAM_DC]
    if given is not None:
        host, _, port_text = given.partition("@")[2].rpartition(":")
        port = int(port_text)
    who = "The server of MTPROTO_SERVER" if given else "Telegram"
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            _, writer = await asyncio.open_connection(host, port)
    except (OSError, TimeoutError):
        what = f"{who} ({host}:{port}) cannot be reached."
        cure = "Let this machine reach it (firewall); accounts with a proxy of their own do not need that."
        yield error("mtproto-unreachable", what, cure)
        return
    writer.close()
    yield ok("mtproto", f"{who} can be reached.")


async def sessions(case: Case) -> AsyncIterator[Finding]:
    rows = await _all(case)
    for row in rows:
        if row.state_reason == HANDED_OVER:
            what = f"The account {row.name} was handed over, perhaps: nobody knows whether its file arrived."
            cure = "Look at its card in the chat (/sessions): if the file is there, delete the account here only."
            yield warning("session-handed-over", what, cure)
        elif row.state is not SessionState.ACTIVE:
            what = f"The account {row.name} {STATES[row.state]}."
            yield warning("session-dead", what, "Sign it in again in the chat (/sessions), or delete it there.")
    if not rows:
        yield note("no-account", "No account is stored.", "Add one in the chat: /sessions.")
    working = sum(row.state is SessionState.ACTIVE for row in rows)
    yield ok("sessions", f"{working} of {len(rows)} accounts are signed in, as far as is known.")


async def sealed(case: Case) -> AsyncIterator[Finding]:
    """Every value that an account cannot do without, opened and forgotten."""
    rows = await _all(case)
    if not rows:
        return
    repository = SessionRepository(case.database, case.vault)
    broken = 0
    for row in rows:
        readers = (repository.credential, repository.api_hash, repository.phone, repository.token, repository.proxy)
        for reader in readers:
            try:
                await reader(row.id)
            except (CiphertextInvalid, RowMissing):
                broken += 1
                what = f"A sealed value of the account {row.name} does not open ({reader.__name__})."
                cure = "Sign the account in again in the chat (/sessions), or restore a backup."
                yield error("session-unreadable", what, cure)
                break
    if not broken:
        yield ok("sealed", "What is sealed of the accounts opens.")


async def sources(case: Case) -> AsyncIterator[Finding]:
    dead = {row.id for row in await _all(case) if row.state is not SessionState.ACTIVE}
    rows = [row for row in await SourceRepository(case.database).all() if row.enabled]
    waiting = [row.name for row in rows if row.session_id in dead]
    if waiting:
        what = f"The account of these saved channels does not work: {some(waiting)}."
        cure = "Sign that account in again, or move them to another one: /sessions, its card."
        yield warning("source-without-account", what, cure)
    what = f"{len(rows) - len(waiting)} of {len(rows)} saved channels have an account that works."
    yield ok("sources", what if rows else "No channel is saved.")


async def _all(case: Case) -> list[Session]:
    async with case.database.read() as connection:
        return await all_sessions(connection)
