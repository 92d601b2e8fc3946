"""docs/examples/make_session.py as somebody uses it: at a terminal, then the string comes along to Porter."""

import asyncio
import os
import pty
import stat
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from services.enrolment import Enrolment
from services.imports import ImportService
from services.session_formats import SessionFormat
from tests.services.conftest import Jetty, Store, server_of

SCRIPT = Path(__file__).parents[2] / "docs" / "examples" / "make_session.py"


@dataclass
class Terminal:
    """A real one, and the script at it: what is not echoed does not come back."""

    master: int
    process: asyncio.subprocess.Process
    shown: str = ""
    _read_to: int = 0
    _grew: asyncio.Event = field(default_factory=asyncio.Event)

    def read(self) -> None:
        self.shown += os.read(self.master, 65536).decode()
        self._grew.set()

    async def asked(self, question: str) -> None:
        """Behind what was asked before."""
        async with asyncio.timeout(60):
            while (place := self.shown.find(question, self._read_to)) < 0:
                self._grew.clear()
                await self._grew.wait()
        self._read_to = place + len(question)

    async def answer(self, question: str, words: str) -> None:
        await self.asked(question)
        os.write(self.master, f"{words}\n".encode())

    async def ended(self) -> int:
        async with asyncio.timeout(60):
            return await self.process.wait()


@asynccontextmanager
async def at_a_terminal(jetty: Jetty, *arguments: str | Path, stdout: int | None = None) -> AsyncIterator[Terminal]:
    """`stdout`: where that goes instead."""
    server = ("--server", jetty.sandbox.mtproto, "--public-key", jetty.sandbox.public_key_file)
    master, side = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        sys.executable, SCRIPT, *arguments, *server,
        stdin=side, stdout=side if stdout is None else stdout, stderr=side, start_new_session=True,
    )  # fmt: skip
    terminal = Terminal(master, process)
    loop = asyncio.get_running_loop()
    loop.add_reader(master, terminal.read)
    try:
        yield terminal
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        loop.remove_reader(master)
        os.close(master)
        os.close(side)


async def sign_in(terminal: Terminal, jetty: Jetty, *passwords: str) -> str:
    """With a wrong code before the right one, which is returned."""
    account = jetty.admin
    await terminal.answer("API id", str(account.api_id))
    await terminal.answer("API hash", account.api_hash)
    await terminal.answer("Number", f"+{account.phone}".replace("++", "+"))
    await terminal.answer("The code", "x")
    await terminal.asked("The code")
    code = jetty.code()
    await terminal.answer("(not shown)", code)
    for password in passwords:
        await terminal.answer("cloud password", password)
    return code


async def test_a_session_is_made_outside_and_comes_along(store: Store, jetty: Jetty, tmp_path: Path) -> None:
    """Number, code (wrong once), password (wrong once): a file for its owner alone, which Porter takes. No secret has
    come back to the terminal."""
    out = tmp_path / "session.txt"
    password = jetty.admin.password or ""
    async with at_a_terminal(jetty, "--out", out) as terminal:
        code = await sign_in(terminal, jetty, "not this", password)
        assert await terminal.ended() == 0, terminal.shown
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    string = out.read_text().strip()
    for secret in (jetty.admin.api_hash, code, "not this", password, string):
        assert secret not in terminal.shown
    assert "That code is not right" in terminal.shown
    assert "That password is not right" in terminal.shown

    service = ImportService(
        Enrolment(store.sessions, store.vault), jetty.clients, jetty.api(jetty.admin), server_of(jetty.sandbox)
    )
    candidate = await service.inspect(out.read_bytes())
    assert candidate.found.format is SessionFormat.TELETHON_STRING
    signed_in = await service.confirm(candidate, jetty.api(jetty.admin))
    assert signed_in.session.user_id == jetty.admin.id


async def test_a_session_for_a_pipe(jetty: Jetty, tmp_path: Path) -> None:
    """With --print the string alone is on stdout, and the questions are not."""
    with (tmp_path / "pipe").open("w+") as pipe:
        async with at_a_terminal(jetty, "--print", stdout=pipe.fileno()) as terminal:
            await sign_in(terminal, jetty, jetty.admin.password or "")
            assert await terminal.ended() == 0, terminal.shown
        pipe.seek(0)
        string = pipe.read()
    assert len(string.splitlines()) == 1
    assert string.startswith("1")
    assert string.strip() not in terminal.shown


async def test_a_login_that_does_not_work_leaves_nothing(jetty: Jetty, tmp_path: Path) -> None:
    """Given up after three wrong passwords, the file is gone; one that is there is never overwritten."""
    out = tmp_path / "session.txt"
    async with at_a_terminal(jetty, "--out", out) as terminal:
        await sign_in(terminal, jetty, "not this", "nor this", "nor that")
        assert await terminal.ended() == 1, terminal.shown
    assert not out.exists()

    out.write_text("of somebody else")
    async with at_a_terminal(jetty, "--out", out) as terminal:
        assert await terminal.ended() == 1
    assert out.read_text() == "of somebody else"
