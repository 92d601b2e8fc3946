"""Chatting with a bot through the sandbox's control API: for tests, the demo and benchmarks.

    async with Driver.open(url, token) as driver:
        admin = Actor(driver, admin_id, bot_id)
        await admin.send("/start")
        await admin.press("Accounts")
        await admin.wait_for("no account yet")

Errors carry what stands in the chat, so that a failing test says what the admin saw.
"""

import asyncio
import io
import re
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

Json = dict[str, Any]

POLL_S = 0.03
WAIT_S = 15.0


class DriverError(Exception):
    """The control API refused. `status`: HTTP's."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(f"{status}: {sentence}")
        self.status = status
        self.sentence = sentence


class Driver:
    """Everything that is not done by one account. `peer`: as the Bot API shows it."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self._http = http

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str, token: str) -> AsyncIterator["Driver"]:
        headers = {"Authorization": f"Bearer {token}"}
        timeout = aiohttp.ClientTimeout(total=60)
        async with aiohttp.ClientSession(url, headers=headers, timeout=timeout) as http:
            yield cls(http)

    async def call(self, method: str, path: str, *, query: Json | None = None, **body: Any) -> Any:
        """One call of the control API. Raises DriverError."""
        async with self._http.request(method, f"/sandbox/{path}", params=query, **body) as response:
            answer = await response.json(content_type=None)
            if response.status != 200:
                raise DriverError(response.status, answer["error"])
            return answer

    # -- what is

    async def state(self) -> Json:
        answer: Json = await self.call("GET", "state")
        return answer

    async def messages(self, peer: int, account_id: int, after: int = 0) -> list[Json]:
        answer: list[Json] = await self.call("GET", f"chats/{peer}/messages", query={"as": account_id, "after": after})
        return answer

    async def documents(self) -> list[Json]:
        answer: list[Json] = await self.call("GET", "documents")
        return answer

    async def file(self, file_id: int) -> bytes:
        async with self._http.get(f"/sandbox/files/{file_id}") as response:
            if response.status != 200:
                raise DriverError(response.status, (await response.json())["error"])
            return await response.read()

    async def requests(self, peer: int) -> dict[str, list[int]]:
        """The user ids: pending, approved, denied."""
        answer: dict[str, list[int]] = await self.call("GET", f"channels/{peer}/requests")
        return answer

    async def auth_keys(self) -> list[bytes]:
        """Every auth key that clients and servers have agreed on."""
        return [bytes.fromhex(key) for key in await self.call("GET", "auth-keys")]

    async def duplicated_keys(self) -> list[int]:
        """The accounts of the auth keys that were used from two addresses at a time."""
        answer: list[int] = await self.call("GET", "auth-keys/duplicated")
        return answer

    # -- what happens

    async def ask_to_join(
        self, peer: int, count: int = 1, *, account: int | None = None, link: str | None = None
    ) -> list[int]:
        """`count` people ask, or that one account, by an invite link if one is given; their ids."""
        body: Json = {"count": count} if account is None else {"account": account}
        body |= {"link": link} if link else {}
        answer = await self.call("POST", f"channels/{peer}/requests", json=body)
        asked: list[int] = answer["asked"]
        return asked

    async def withdraw(self, peer: int, account: int) -> None:
        await self.call("POST", f"channels/{peer}/requests", json={"withdraw": account})

    async def post(self, peer: int, text: str = "", *, file: Json | None = None) -> Json:
        """A post of the channel. `file`: {"name", "size"}."""
        body: Json = {"text": text} | ({"file": file} if file else {})
        answer: Json = await self.call("POST", f"channels/{peer}/posts", json=body)
        return answer

    async def post_many(self, peer: int, count: int) -> list[int]:
        answer = await self.call("POST", f"channels/{peer}/posts", json={"count": count})
        ids: list[int] = answer["ids"]
        return ids

    async def edit_post(self, peer: int, message_id: int, text: str) -> None:
        await self.call("POST", f"channels/{peer}/posts", json={"edit": message_id, "text": text})

    async def delete_post(self, peer: int, message_id: int) -> None:
        await self.call("POST", f"channels/{peer}/posts", json={"delete": message_id})

    async def member(self, peer: int, account: int, role: str, rights: Sequence[str] = ()) -> Json:
        """The owner makes them an "admin" with `rights` ("invite", "ban", "topics"), a "member", or somebody who has
        "left" or is "banned"."""
        body = {"account": account, "role": role, "rights": list(rights)}
        answer: Json = await self.call("POST", f"channels/{peer}/members", json=body)
        return answer

    async def found_group(self, title: str, *, account: int | None = None, forum: bool = False) -> Json:
        """A small group of the admin's, and of that account's; or a supergroup with topics."""
        body: Json = {"title": title, "forum": forum} | ({"account": account} if account else {})
        answer: Json = await self.call("POST", "groups", json=body)
        return answer

    async def migrate(self, peer: int) -> Json:
        """The supergroup that a small group becomes."""
        answer: Json = await self.call("POST", f"channels/{peer}/posts", json={"migrate": True})
        return answer

    async def add_accounts(self, count: int) -> list[Json]:
        """New accounts; each as in the ready line: id, phone, code, api_id, api_hash."""
        answer: list[Json] = await self.call("POST", "accounts", json={"count": count})
        return answer

    async def accept_login(self, account_id: int, url: str) -> None:
        """That account scans a QR login; `url`: tg://login?token=..."""
        await self.call("POST", f"accounts/{account_id}/accept-login", json={"url": url})

    async def scan_login(self, account_id: int, peer: int, message_id: int) -> None:
        """That account scans the QR code in the picture of a message, on whoever's screen it stands."""
        await self.call("POST", f"accounts/{account_id}/accept-login", json={"peer": peer, "message": message_id})

    async def account(self, account_id: int, **settings: Any) -> None:
        """`home_dc`; `code_ways`: how its next codes come, such as ["email", "sms"]; `resend_after_s`."""
        await self.call("POST", f"accounts/{account_id}", json=settings)

    async def revoke(self, account_id: int) -> None:
        """End every session of the account."""
        await self.call("POST", "faults", json={"revoke": account_id})

    # -- how it goes

    async def fault(
        self, method: str, *, error: str | None = None, drop: bool = False, delay_ms: int = 0, times: int = 1
    ) -> None:
        body: Json = {"method": method, "drop": drop, "delay_ms": delay_ms, "times": times}
        await self.call("POST", "faults", json=body | ({"error": error} if error else {}))

    async def no_faults(self) -> None:
        await self.call("DELETE", "faults")

    async def network(
        self,
        *,
        rtt_ms: float | None = None,
        mbit: float | None = None,
        bot_limits: bool | None = None,
        requests_page_cap: int | None = None,
    ) -> None:
        settings = {
            "rtt_ms": rtt_ms,
            "mbit": mbit,
            "bot_limits": bot_limits,
            "requests_page_cap": requests_page_cap,
        }
        body = {name: value for name, value in settings.items() if value is not None}
        await self.call("POST", "network", json=body)

    async def file_bytes(self) -> int:
        """Of files, that have left for clients so far: not what was under way when a connection ended."""
        return int((await self.call("GET", "network"))["file_bytes"])

    async def advance(self, seconds: int) -> None:
        """Put the World's clock forward."""
        await self.call("POST", "clock", json={"advance_s": seconds})

    async def calls(self) -> dict[int, dict[str, int]]:
        """How often each method was called, by account id (0: not signed in)."""
        return {int(account): counts for account, counts in (await self.call("GET", "calls")).items()}

    async def call_count(self, method: str) -> int:
        """Of all accounts together."""
        return sum(counts.get(method, 0) for counts in (await self.calls()).values())

    async def reset_calls(self) -> None:
        await self.call("DELETE", "calls")


class Actor:
    """A person in one chat, usually with a bot. Counts `taps` and `typed` messages: CHAT.md promises numbers."""

    def __init__(self, driver: Driver, account_id: int, peer: int) -> None:
        self.driver = driver
        self.account_id = account_id
        self.peer = peer
        self.taps = 0
        self.typed = 0
        self._seen: dict[int, int] = {}  # message id -> its version when this person last did something

    # -- doing

    async def send(self, text: str) -> Json:
        self.typed += 1
        return await self._post({"text": text})

    async def share_contact(self) -> Json:
        self.taps += 1
        return await self._post({"contact": True})

    async def share_chat(self, peer: int) -> Json:
        self.taps += 1
        return await self._post({"share_chat": peer})

    async def share_users(self, *user_ids: int) -> Json:
        self.taps += 1
        return await self._post({"share_users": list(user_ids)})

    async def forward(self, peer: int, message_id: int) -> Json:
        self.taps += 1
        return await self._post({"forward": {"peer": peer, "id": message_id}})

    async def press_reply(self, label: str) -> Json:
        """Press a button of the keyboard below the chat: it says its text."""
        shown = [m["reply_keyboard"] for m in await self.bot_messages() if m["reply_keyboard"] is not None]
        assert shown, f"no keyboard below the chat:\n{show(await self.messages())}"
        assert any(key["text"] == label for row in shown[-1] for key in row), f"no button {label!r} below the chat"
        self.taps += 1
        return await self._post({"text": label})

    async def scan(self, by: int | None = None) -> None:
        """Hold a phone at the screen: account `by` (this person's own, when it is not given) scans its QR code."""
        shown = [message for message in await self.bot_messages() if message["photo"]]
        assert shown, f"no picture in this chat:\n{show(await self.messages())}"
        await self._look()
        await self.driver.scan_login(by or self.account_id, self.peer, shown[-1]["id"])

    async def upload(self, name: str, content: bytes, text: str = "") -> Json:
        self.taps += 1
        form = aiohttp.FormData()
        form.add_field("text", text)
        form.add_field("file", io.BytesIO(content), filename=name)
        await self._look()
        sent: Json = await self.driver.call("POST", self._chat, query=self._as, data=form)
        return sent

    async def press(self, label: str | re.Pattern[str] = "", *, data: str | None = None) -> Json:
        """Press the button with that label (all of it, or a pattern in it) or data, on the newest message that has it.

        Returns {"answer", "alert"} once the bot has answered. Raises AssertionError when no such button is shown.
        """
        self.taps += 1
        messages = await self._look()
        for message in reversed(messages):
            for key in _keys(message):
                if (data is not None and key["data"] == data) or (data is None and _has_label(key["text"], label)):
                    # By data: two buttons of a message may read the same.
                    body = {"text": key["text"]} if key["data"] is None else {"data": key["data"]}
                    path = f"{self._chat}/{message['id']}/press"
                    answer: Json = await self.driver.call("POST", path, query=self._as, json=body)
                    return answer
        wanted = data if data is not None else label if isinstance(label, str) else label.pattern
        raise AssertionError(f"no button {wanted!r} in this chat:\n{show(messages)}")

    async def press_forged(self, message_id: int, data: str) -> Json:
        """What a hand-made client can do: send data that stands on no button of the message."""
        body = {"data": data, "forged": True}
        answer: Json = await self.driver.call("POST", f"{self._chat}/{message_id}/press", query=self._as, json=body)
        return answer

    async def block(self, *, blocked: bool = True) -> None:
        await self.driver.call("POST", f"chats/{self.peer}/block", query=self._as, json={"blocked": blocked})

    # -- reading

    async def messages(self) -> list[Json]:
        """The whole chat, deleted messages included."""
        return await self.driver.messages(self.peer, self.account_id)

    async def bot_messages(self) -> list[Json]:
        """What the other side has written and not deleted."""
        return [m for m in await self.messages() if m["from"] != self.account_id and not m["deleted"]]

    async def screen(self) -> Json:
        """The newest message of the bot that is still there."""
        messages = await self.bot_messages()
        assert messages, f"the bot shows nothing in this chat:\n{show(await self.messages())}"
        return messages[-1]

    async def buttons(self) -> list[str]:
        """The labels of the screen."""
        return [key["text"] for key in _keys(await self.screen())]

    async def wait_for(self, pattern: str | re.Pattern[str], timeout: float = WAIT_S, *, old: bool = False) -> Json:
        """The newest message of the bot with the pattern in its text, sent or edited since this person's last act.

        `old`: one from before will do. Raises AssertionError with the chat when none comes within `timeout` seconds.
        """
        deadline = time.monotonic() + timeout
        while True:
            for message in reversed(await self.bot_messages()):
                is_new = self._seen.get(message["id"]) != message["version"]
                if (is_new or old) and re.search(pattern, message["text"]):
                    return message
            if time.monotonic() > deadline:
                shown = pattern if isinstance(pattern, str) else pattern.pattern
                raise AssertionError(
                    f"no new {shown!r} within {timeout:g} s in this chat:\n{show(await self.messages())}"
                )
            await asyncio.sleep(POLL_S)

    # -- inside

    @property
    def _chat(self) -> str:
        return f"chats/{self.peer}/messages"

    @property
    def _as(self) -> Json:
        return {"as": self.account_id}

    async def _post(self, body: Json) -> Json:
        await self._look()
        sent: Json = await self.driver.call("POST", self._chat, query=self._as, json=body)
        return sent

    async def _look(self) -> list[Json]:
        """Remember what stands there now: what differs later is the answer."""
        messages = await self.messages()
        self._seen = {message["id"]: message["version"] for message in messages}
        return messages


def _keys(message: Json) -> list[Json]:
    return [key for row in message["buttons"] or [] for key in row]


def _has_label(text: str, wanted: str | re.Pattern[str]) -> bool:
    return text == wanted if isinstance(wanted, str) else wanted.search(text) is not None


def show(messages: list[Json], newest: int = 12) -> str:
    """A chat as text: who said what, with its buttons."""
    lines = []
    for message in messages[-newest:]:
        said = "(deleted)" if message["deleted"] else message["text"]
        for kind in ("document", "photo", "contact", "chat_shared"):
            if message[kind]:
                said += f" <{kind}>"
        lines.append(f"#{message['id']} {message['from']}: {said}")
        lines += ["    " + " ".join(f"[{key['text']}]" for key in row) for row in message["buttons"] or []]
        lines += ["    " + " ".join(f"({key['text']})" for key in row) for row in message["reply_keyboard"] or []]
    return "\n".join(lines) or "(empty)"
