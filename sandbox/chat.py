"""A chat in the terminal with the Porter that runs on the sandbox: `make chat` beside `make run`.

Type to write to the bot; a number presses that button; `.` looks again, `.contact` shares your number, `.share PEER`
answers a channel picker, `.scan` holds your phone at a QR code (`.scan ACCOUNT`: somebody else's), `.codes` shows the
chat with 777000, `.quit` leaves.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from sandbox.driver import Actor, Driver, DriverError
from sandbox.world import SERVICE_ID

SETTLE_SECONDS = 0.6

Json = dict[str, Any]


def draw(message: Json) -> list[Json]:
    """Print the bot's screen; its buttons in the order of the numbers in front of them."""
    keys: list[Json] = []
    print()
    if message["photo"]:
        print(f"  │ <a picture: GET /sandbox/files/{message['photo']['id']}; .scan if it is a QR code>")
    print("\n".join(f"  │ {line}" for line in message["text"].splitlines()))
    for row in message["buttons"] or []:
        labels = []
        for key in row:
            keys.append(key)
            labels.append(f"{len(keys)}:[{key['text']}]")
        print("  │ " + "  ".join(labels))
    for row in message["reply_keyboard"] or []:
        print("  │ " + "  ".join(f"({key['text']})" for key in row))
    return keys


class Terminal:
    def __init__(self, actor: Actor) -> None:
        self._actor = actor
        self._keys: list[Json] = []
        self._verbs: dict[str, Callable[[str], Awaitable[object]]] = {
            ".contact": lambda _: self._actor.share_contact(),
            ".share": lambda peer: self._actor.share_chat(int(peer)),
            ".scan": lambda by: self._actor.scan(int(by) if by else None),
            ".codes": self._show_codes,
            ".": self._look,
        }

    async def take(self, line: str) -> None:
        """One line of the person, then what stands on the screen after it."""
        verb, _, rest = line.partition(" ")
        if verb in self._verbs:
            await self._verbs[verb](rest)
        elif line.isdigit() and 1 <= int(line) <= len(self._keys):
            answer = await self._actor.press(data=self._keys[int(line) - 1]["data"])
            if answer["answer"]:
                print(f"  ({answer['answer']})")
        elif line:
            await self._actor.send(line)
        await self.show()

    async def show(self) -> None:
        await asyncio.sleep(SETTLE_SECONDS)
        messages = await self._actor.bot_messages()
        if messages:
            self._keys = draw(messages[-1])

    async def _show_codes(self, _: str) -> None:
        for message in await self._actor.driver.messages(SERVICE_ID, self._actor.account_id):
            print(f"  777000: {message['text']}")

    async def _look(self, _: str) -> None:
        """Nothing is done; the screen is drawn again."""


async def chat(line: Json) -> None:
    print(__doc__.partition("\n\n")[2])
    me = next(account for account in line["accounts"] if account["id"] == line["admin_id"])
    print(f"You are {me['name']}, {me['phone']}; API id {me['api_id']}, API hash {me['api_hash']},")
    print(f"cloud password: {me['password']}. All of it is made up.")
    async with Driver.open(line["http"], line["token"]) as driver:
        terminal = Terminal(Actor(driver, line["admin_id"], line["bot_id"]))
        await terminal.take("/start")
        while True:
            said = await asyncio.to_thread(input, "> ")
            if said.strip() == ".quit":
                return
            try:
                await terminal.take(said.strip())
            except (DriverError, ValueError) as error:
                print(f"  ! {error}")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m sandbox.chat", description=__doc__)
    parser.add_argument("--data-dir", type=Path, default=Path(".sandbox"), help="of the running sandbox")
    ready = parser.parse_args().data_dir / "ready.json"
    if not ready.exists():
        print("No sandbox runs here: start it with `make run` in another terminal.", file=sys.stderr)
        return 1
    try:
        asyncio.run(chat(json.loads(ready.read_text())))
    except (KeyboardInterrupt, EOFError):
        print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
