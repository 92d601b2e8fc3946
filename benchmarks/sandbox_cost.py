"""What the sandbox itself costs: CPU milliseconds of its process for one answer, so that it is never what we measure.

Telethon asks over a real socket from this process; the sandbox is a process of its own, and the kernel tells its CPU.
"""

from telethon import TelegramClient, functions, types

from benchmarks.process import cpu_ms
from benchmarks.report import Report, check
from benchmarks.yard import open_yard
from sandbox.driver import Driver

ROUNDS = 100
PART = 1024 * 1024


async def measure() -> Report:
    async with open_yard("harbour") as yard, yard.telethon() as client:
        return await _measure(yard.sandbox_pid, yard.driver, client)


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
