"""`make demo`: a narrated tour on the sandbox that ends by itself, each step checked against the sandbox's truth.

Claim, log in with keypad and password, choose a channel, scrape (killed with -9 in the middle and started again),
load requests, approve, deny, approve all. Exit code 0 only if every step did what it says.
"""

import asyncio
import hashlib
import re
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from sandbox import walks
from sandbox.driver import Actor, Driver
from sandbox.stage import PorterProcess, SandboxProcess


class StepFailed(Exception):
    pass


class Narrator:
    def __init__(self) -> None:
        self._started = time.monotonic()
        self._number = 0

    def step(self, what: str) -> None:
        self._number += 1
        print(f"\n{self._number:2}. {what}", flush=True)

    def say(self, what: str) -> None:
        print(f"    {what}", flush=True)

    def show(self, screen: dict[str, Any]) -> None:
        """A screen as the admin sees it."""
        for line in (screen["text"] or "").splitlines():
            print(f"    │ {line}")
        for row in screen["buttons"] or []:
            print("    │ " + "  ".join(f"[{key['text']}]" for key in row), flush=True)

    def check(self, what: str, truth: bool) -> None:
        """`truth` comes from the sandbox or the disk, never from Porter's own words."""
        print(f"    {'✓' if truth else '✗'} {what}", flush=True)
        if not truth:
            raise StepFailed(what)

    def done(self) -> None:
        print(f"\nEvery step did what it said, in {time.monotonic() - self._started:.0f} s.")


def on_disk(root: Path) -> dict[str, int]:
    """sha256 -> how many files of these bytes lie below `root`."""
    found: dict[str, int] = {}
    for path in root.rglob("*"):
        if path.is_file():
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            found[digest] = found.get(digest, 0) + 1
    return found


async def tour(narrator: Narrator, line: dict[str, Any], home: Path, stack: AsyncExitStack) -> None:
    driver = await stack.enter_async_context(Driver.open(line["http"], line["token"]))
    account = next(entry for entry in line["accounts"] if entry["id"] == line["admin_id"])
    admin = Actor(driver, line["admin_id"], line["bot_id"])
    state = await driver.state()
    private = next(c for c in state["channels"] if c["private"] and c["pending_requests"] == 0)
    gate = max(state["channels"], key=lambda channel: channel["pending_requests"])

    narrator.step("Porter starts without owners: its log prints a claim link.")
    porter = PorterProcess(line, home, ADMIN_IDS="")
    await porter.start()
    stack.push_async_callback(porter.stop)
    link = await _claim_link(porter)
    await admin.send(f"/start {link}")
    narrator.show(await admin.wait_for("You own this Porter"))
    stranger = Actor(driver, next(a["id"] for a in line["accounts"] if a["id"] != admin.account_id), line["bot_id"])
    await stranger.send(f"/start {link}")
    await asyncio.sleep(1)
    narrator.check("the link is used up: a second person meets silence", not await stranger.bot_messages())

    narrator.step("Log in: number shared, code tapped on the keypad, password deleted at once.")
    await walks.log_in(admin, account)
    narrator.show(await admin.screen())
    said = [message["text"] or "" for message in await driver.messages(admin.peer, admin.account_id)]
    narrator.check("neither password nor API hash stands in the chat any more", not any(
        account["password"] in text or account["api_hash"] in text for text in said
    ))  # fmt: skip

    narrator.step(f"Save the private channel «{private['title']}».")
    await walks.add_source(admin, private["title"])
    narrator.show(await admin.screen())

    narrator.step("Save now - and kill -9 in the middle.")
    await driver.network(rtt_ms=50)
    await admin.press("▶ Save now")
    wanted = [d for d in await driver.documents() if d["channel"] == private["id"]]
    await _until(lambda: len(on_disk(porter.download_dir)) >= len(wanted) // 3)
    await porter.kill()
    narrator.say(f"killed with {len(on_disk(porter.download_dir))} of {len(wanted)} files there")
    await driver.network(rtt_ms=0)
    await porter.start()
    narrator.show(await admin.wait_for(r"✅ .*done", 120))
    hashes = on_disk(porter.download_dir)
    narrator.check(
        f"all {len(wanted)} documents lie on disk, byte-equal, each once",
        hashes == {document["sha256"]: 1 for document in wanted},
    )
    await driver.reset_calls()
    await admin.send("/scrape")
    await admin.wait_for(r"✅ .*done", 60)
    narrator.check("a second run asks for no file again", await driver.call_count("upload.getFile") == 0)

    narrator.step(f"Load who waits at «{gate['title']}».")
    await driver.reset_calls()
    narrator.show(await walks.load_requests(admin, str(gate["id"])))
    calls = await driver.call_count("messages.getChatInviteImporters")
    narrator.check(f"{gate['pending_requests']} people loaded in {calls} calls", calls <= 15)

    narrator.step("Approve one, deny one - the next person shows in the same card.")
    narrator.show(await walks.first_person(admin, gate["title"]))
    await admin.press("Approve")
    await admin.press("Deny")
    narrator.show(await admin.screen())
    truth = await driver.requests(gate["id"])
    narrator.check("one is in, one is denied", (len(truth["approved"]), len(truth["denied"])) == (1, 1))

    narrator.step("Approve everybody else.")
    narrator.show(await walks.decide_all(admin, gate["title"]))
    truth = await driver.requests(gate["id"])
    everybody = gate["pending_requests"] - 1
    narrator.check(
        f"{everybody} are members, nobody waits",
        (len(truth["approved"]), len(truth["pending"]), len(truth["denied"])) == (everybody, 0, 1),
    )

    narrator.step("SIGTERM.")
    narrator.check("Porter ends within 5 seconds", await porter.stop() < 5)


async def _until(is_so: Callable[[], bool], seconds: float = 60) -> None:
    """Look again and again: the disk and a log tell nobody when they change."""
    for _ in range(int(seconds / 0.05)):
        if is_so():
            return
        await asyncio.sleep(0.05)
    raise StepFailed("nothing happened")


async def _claim_link(porter: PorterProcess) -> str:
    link = re.compile(r"start=(own_[\w-]+)")
    await _until(lambda: link.search(porter.log()) is not None)
    found = link.search(porter.log())
    assert found is not None
    return found[1]


async def main() -> int:
    narrator = Narrator()
    async with AsyncExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="porter-demo-")))
        sandbox = SandboxProcess(home / "sandbox", "harbour")
        line = await sandbox.start()
        stack.push_async_callback(sandbox.stop)
        try:
            await tour(narrator, line, home / "porter", stack)
        except (StepFailed, AssertionError, TimeoutError, RuntimeError) as error:
            log = (home / "porter" / "porter.log").read_text().splitlines()
            print(f"\nThe tour stopped: {error}\n\nPorter's log ends:", *log[-20:], sep="\n", file=sys.stderr)
            return 1
    narrator.done()
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
