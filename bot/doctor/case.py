"""What all checks share, and how one is carried out: with an end in time, and never with a traceback."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from typing import Any

from bot.doctor.bot_api import BotApi
from bot.doctor.findings import Finding, Severity
from bot.settings import Settings
from storage.database import Database
from storage.models import RootSeal
from storage.types import Clock, utc_now
from storage.vault import Vault

CHECK_SECONDS = 15.0


class NotLooked(Exception):
    """What a check stands on is missing. Its text goes on after "because"."""


@dataclass
class Case:
    """What is looked at. The checks fill it in the order in which they stand; who comes later builds on it.

    `no_database`, `no_bot`, `no_keys`: why what stands on them is not looked at.
    """

    settings: Settings
    bot_api: BotApi
    fix: bool = False
    clock: Clock = utc_now
    runs_here: bool = False
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    """Closes what is opened."""
    opened: Database | None = None
    no_database: str = "the database was not looked at"
    ring: Vault | None = None
    no_keys: str = "the keys were not looked at"
    seals: dict[str, RootSeal] | None = None
    """Of the roots that were agreed to; None: nobody knows."""
    me: dict[str, Any] = field(default_factory=dict)
    no_bot: str = "Telegram was not asked about the bot"

    @property
    def database(self) -> Database:
        """Raises NotLooked."""
        if self.opened is None:
            raise NotLooked(self.no_database)
        return self.opened

    @property
    def vault(self) -> Vault:
        """Raises NotLooked."""
        if self.ring is None:
            raise NotLooked(self.no_keys)
        return self.ring


@dataclass(frozen=True)
class Check:
    """`name` stands on what it says when all is well, and when it could not look. `look` takes the case, or nothing;
    one that is no async generator may block, and has a thread."""

    name: str
    look: Callable[..., Iterator[Finding] | AsyncIterator[Finding]]
    seconds: float = CHECK_SECONDS


async def carry_out(check: Check, *given: Case) -> list[Finding]:
    """What it found until its end, be that a good one or not."""
    found: list[Finding] = []
    looking = check.look(*given)
    try:
        async with asyncio.timeout(check.seconds):
            if isinstance(looking, AsyncIterator):
                async for finding in looking:
                    found.append(finding)  # noqa: PERF401 - what came before an error counts
            else:
                await _in_thread(looking, found)
    except NotLooked as because:
        return [*found, unknown(check.name, f"Not looked at, because {because}.", "Mend that first, then ask again.")]
    except TimeoutError:
        what = f"There was no end of it within {check.seconds:.0f} seconds."
        return [*found, unknown(check.name, what, "See whether a disk or the network hangs, then ask again.")]
    except Exception as error:  # noqa: BLE001 - one check that fails must not take the others along
        what = f"It could not be looked at: {_words(error)}."
        return [*found, unknown(check.name, what, "Look at it by hand; if it is not the system, it is a defect.")]
    return list(found)


async def _in_thread(looking: Iterator[Finding], found: list[Finding]) -> None:
    """In a daemon: a file system that hangs would keep a thread of the loop, and with it the end of the program."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()

    def settle(error: BaseException | None) -> None:
        if not done.done():
            done.set_exception(error) if error else done.set_result(None)

    def work() -> None:
        error: BaseException | None = None
        try:
            found.extend(looking)
        except Exception as raised:  # noqa: BLE001 - told where it is awaited
            error = raised
        with suppress(RuntimeError):  # nobody waits any more: the loop is closed
            loop.call_soon_threadsafe(settle, error)

    threading.Thread(target=work, daemon=True).start()
    await done


def _words(error: Exception) -> str:
    """Its class; of a system's error what it is as well. Never its text, which may quote an address with a token."""
    if isinstance(error, OSError) and error.strerror:
        return f"{type(error).__name__}, {error.strerror}"
    return type(error).__name__


def ok(check: str, what: str) -> Finding:
    return Finding(check, Severity.OK, what)


def note(check: str, what: str, cure: str) -> Finding:
    return Finding(check, Severity.NOTE, what, cure)


def warning(check: str, what: str, cure: str, *, fixed: bool = False) -> Finding:
    return Finding(check, Severity.WARNING, what, cure, fixed)


def error(check: str, what: str, cure: str, *, fixed: bool = False) -> Finding:
    return Finding(check, Severity.ERROR, what, cure, fixed)


def unknown(check: str, what: str, cure: str) -> Finding:
    return Finding(check, Severity.UNKNOWN, what, cure)


def some(names: list[str], shown: int = 5) -> str:
    """The first of them, and how many more."""
    more = len(names) - shown
    return ", ".join(names[:shown]) + (f" and {more} more" if more > 0 else "")
