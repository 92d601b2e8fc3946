"""What the sandbox itself costs: CPU milliseconds of its process for one answer, so that it is never what we measure.

Telethon asks over a real socket from this process; the sandbox is a process of its own, and the kernel tells its CPU.
"""

import os
import re
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from telethon import TelegramClient, functions, types
from telethon.crypto import rsa
from telethon.sessions import MemorySession

from benchmarks.report import Report, check
from sandbox.driver import Driver
from sandbox.stage import SandboxProcess
from sandbox.world import SERVICE_ID

ROUNDS = 100
PART = 1024 * 1024


def cpu_ms(pid: int) -> float:
    """User and system time of a process so far (proc(5), fields 14 and 15)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


async def signed_in(line: dict[str, Any], public_key: str, driver: Driver) -> TelegramClient:
    """A Telethon client of the admin's account."""
    account = next(a for a in line["accounts"] if a["id"] == line["admin_id"])
    rsa.add_key(public_key, old=False)
    TelegramClient._config = None
    dc, _, address = line["mtproto"].partition("@")
    host, _, port = address.partition(":")
    session = MemorySession()
    session.set_dc(int(dc), host, int(port))
    client = TelegramClient(session, account["api_id"], account["api_hash"], receive_updates=False)
    await client.connect()
    sent = await client.send_code_request(account["phone"])
    texts = [message["text"] for message in await driver.messages(SERVICE_ID, account["id"])]
    code = re.findall(r"Login code: (\d+)", "\n".join(texts))[-1]
    try:
        await client.sign_in(account["phone"], code, phone_code_hash=sent.phone_code_hash)
    except Exception as error:
        if type(error).__name__ != "SessionPasswordNeededError":
            raise
        await client.sign_in(password=account["password"])
    return client


def _public_key(line: dict[str, Any]) -> str:
    return Path(line["public_key_file"]).read_text()


async def measure() -> Report:
    async with AsyncExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="porter-bench-")))
        sandbox = SandboxProcess(home, "harbour")
        line = await sandbox.start()
        stack.push_async_callback(sandbox.stop)
        driver = await stack.enter_async_context(Driver.open(line["http"], line["token"]))
        client = await signed_in(line, _public_key(line), driver)
        stack.push_async_callback(client.disconnect)
        return await _measure(sandbox.pid, driver, client)


async def _measure(pid: int, driver: Driver, client: TelegramClient) -> Report:
    channels = (await driver.state())["channels"]
    private = next(c for c in channels if c["private"] and not c["pending_requests"])
    gate = max(channels, key=lambda channel: channel["pending_requests"])
    dialogs = {dialog.id: dialog.input_entity for dialog in await client.get_dialogs()}
    peer, waiting = dialogs[private["id"]], dialogs[gate["id"]]

    big = max((d for d in await driver.documents() if d["channel"] == private["id"]), key=lambda d: d["size"])
    message = await client.get_messages(peer, ids=big["message"])
    document = message.media.document
    location = types.InputDocumentFileLocation(document.id, document.access_hash, document.file_reference, "")
    away = document.dc_id != client.session.dc_id
    sender = await client._borrow_exported_sender(document.dc_id) if away else client._sender
    parts = document.size // PART

    async def part(n: int) -> None:
        answer = await client._call(sender, functions.upload.GetFileRequest(location, (n % parts) * PART, PART))
        assert len(answer.bytes) == PART

    async def page(n: int) -> None:
        answer = await client(functions.messages.GetHistoryRequest(peer, 0, None, 100 * (n % 9), 100, 0, 0, 0))
        assert len(answer.messages) == 100

    async def people(_: int) -> None:
        request = functions.messages.GetChatInviteImportersRequest(
            waiting, None, types.InputUserEmpty(), 200, requested=True
        )
        assert len((await client(request)).importers) == 200

    figures = {}
    for name, ask in (("part_ms", part), ("history_page_ms", page), ("requests_page_ms", people)):
        await ask(0)
        before = cpu_ms(pid)
        for n in range(ROUNDS):
            await ask(n)
        figures[name] = round((cpu_ms(pid) - before) / ROUNDS, 2)
    if away:
        await client._return_exported_sender(sender)
    return Report(
        "sandbox-cost",
        "ms",
        figures["part_ms"],
        figures=figures,
        checks=[
            check("CPU for one 1 MiB part", figures["part_ms"], "<=", 10),
            check("CPU for a history page of 100", figures["history_page_ms"], "<=", 10),
        ],
    )
