"""A few calls of the Bot API, by hand: aiogram hides the date of an answer and takes seconds to import."""

import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp

TELEGRAM = "https://api.telegram.org"
CALL_SECONDS = 10


class Unreachable(Exception):
    """No answer of a Bot API. Its text says how that showed; never the address, which holds the token."""


class Refused(Exception):
    """`wait_seconds`, `moved_to` (the id of a supergroup): with some refusals."""

    def __init__(self, code: int, wait_seconds: int | None, moved_to: int | None) -> None:
        super().__init__(code)
        self.code = code
        self.wait_seconds = wait_seconds
        self.moved_to = moved_to


class BotApi:
    """`skew_seconds`: how far the server's clock is ahead of ours, at least; None: it did not say."""

    def __init__(self, session: aiohttp.ClientSession, base: str, token: str) -> None:
        self._session = session
        self._base = f"{base.rstrip('/')}/bot{token}"
        self.skew_seconds: float | None = None

    async def call(self, method: str, **arguments: Any) -> Any:
        """The result. Raises Refused, Unreachable."""
        try:
            sent = time.time()
            async with self._session.post(f"{self._base}/{method}", json=arguments) as response:
                self._compare(response.headers.get("Date"), sent, time.time())
                body = await response.json(content_type=None)
        except TimeoutError:
            raise Unreachable(f"no answer within {CALL_SECONDS} seconds") from None
        except aiohttp.ClientError as error:
            raise Unreachable(_cause(error)) from None
        except ValueError:
            raise Unreachable(f"the answer ({response.status}) is none of a Bot API") from None
        if not isinstance(body, dict) or "ok" not in body:
            raise Unreachable(f"the answer ({response.status}) is none of a Bot API")
        if not body["ok"]:
            extra = body.get("parameters") or {}
            raise Refused(response.status, extra.get("retry_after"), extra.get("migrate_to_chat_id"))
        return body.get("result")

    def _compare(self, date: str | None, sent: float, received: float) -> None:
        """The date has whole seconds, and was written between our two moments."""
        if date is None:
            return
        theirs = parsedate_to_datetime(date).timestamp()
        if theirs + 1 < sent:
            self.skew_seconds = theirs + 1 - sent
        else:
            self.skew_seconds = max(0.0, theirs - received)


def _cause(error: aiohttp.ClientError) -> str:
    if isinstance(error, aiohttp.ClientConnectorError) and error.os_error.errno:
        return os.strerror(error.os_error.errno)
    return type(error).__name__


@asynccontextmanager
async def open_bot_api(base: str | None, token: str) -> AsyncIterator[BotApi]:
    timeout = aiohttp.ClientTimeout(total=CALL_SECONDS)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        yield BotApi(session, base or TELEGRAM, token)
