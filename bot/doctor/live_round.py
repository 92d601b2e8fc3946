"""Claim after claim: with each account what none before it has shown, then with the bot. Findings come of it."""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.session.middlewares.base import BaseRequestMiddleware
from aiogram.exceptions import (
    ClientDecodeError,
    TelegramAPIError,
    TelegramNetworkError,
    TelegramRetryAfter,
    TelegramServerError,
    TelegramUnauthorizedError,
)

from bot.doctor import live_account, live_bot, live_files, live_gate, live_links, live_reading
from bot.doctor.findings import Finding, Severity
from bot.doctor.live_allowed import CALLS_OF_AN_ACCOUNT, CALLS_OF_THE_BOT, OF_ACCOUNTS, OF_THE_BOT
from bot.doctor.live_claim import Claim, NotSeen, Seen
from bot.doctor.live_scene import Account, BotSide
from bot.settings import Settings
from bot.telegram import api_server
from services.clients.pacing import SHORT_WAIT_SECONDS, SHORT_WAITS
from services.clients.probe import CallsSpent, Guard, Refusal, Sleep
from services.errors import FloodWait, PorterError, SessionDead, TelegramRefused, Unreachable
from storage.models import Session, SessionKind

T = TypeVar("T")

ROUND = "live-round"
REQUEST_SECONDS = 20
OF_PEOPLE = (
    *live_account.CLAIMS,
    *live_reading.CLAIMS,
    *live_links.CLAIMS,
    *live_files.CLAIMS,
    *live_gate.CLAIMS,
    *live_account.LAST,
)
OF_BOTS = live_account.OF_BOTS
OF_THE_BOT_API = live_bot.CLAIMS
ANOTHER_SHAPE = (AttributeError, IndexError, KeyError, TypeError, ValueError)
"""What a look raises on an answer without what the claim speaks of."""


@dataclass(frozen=True)
class Pacing:
    """`sleep` is the tests' to replace."""

    seconds: float
    sleep: Sleep


@dataclass(frozen=True)
class Store:
    """What Porter's database has for the round; without one there is the bot alone."""

    sessions: Sequence[Session] = ()
    channels: Sequence[int] = ()
    owners: Sequence[int] = ()
    open_account: Callable[[Session, Guard], AbstractAsyncContextManager[Account]] | None = None


class _Ended(Exception):
    """The round ends here, with what was seen."""


@dataclass
class _Protocol:
    """What is found: by claim, in order; and what came in between."""

    claims: dict[str, Finding] = field(default_factory=dict)
    troubles: list[Finding] = field(default_factory=list)
    calls: int = 0

    def open(self, claims: Sequence[Claim[Any]], why: str, needs: str) -> None:
        for claim in claims:
            self.claims[claim.id] = _unseen(claim, why, needs)

    def left(self, claims: Sequence[Claim[T]]) -> list[Claim[T]]:
        return [claim for claim in claims if self.claims[claim.id].severity is Severity.UNKNOWN]

    def trouble(self, severity: Severity, what: str, cure: str) -> None:
        self.troubles.append(Finding(ROUND, severity, what, cure))


async def make_round(settings: Settings, store: Store, pacing: Pacing) -> list[Finding]:
    """Every claim once; a claim that nobody could show is UNKNOWN. Raises NotReadOnly for a defect of a claim."""
    protocol = _Protocol()
    protocol.open(OF_PEOPLE, "no person's account is signed in", "Sign an account in, in the chat with Porter.")
    protocol.open(OF_BOTS, "no bot's account is signed in", "Nothing, where no bot reads for Porter.")
    protocol.open(OF_THE_BOT_API, "the round did not come so far", "Start it again.")
    try:
        for kind, claims in ((SessionKind.USER, OF_PEOPLE), (SessionKind.BOT, OF_BOTS)):
            for session in store.sessions:
                if session.kind is kind and protocol.left(claims):
                    await _look_with_account(protocol, store, session, claims, pacing)
        await _look_with_bot(protocol, settings, store, pacing)
    except _Ended as ended:
        protocol.trouble(Severity.WARNING, f"The round ended early: {ended}.", "Start it again when that is over.")
    made = Finding(ROUND, Severity.OK, f"{protocol.calls} calls were made. Nothing was changed at Telegram.")
    return [*protocol.troubles, *protocol.claims.values(), made]


async def _look_with_account(
    protocol: _Protocol, store: Store, session: Session, claims: Sequence[Claim[Account]], pacing: Pacing
) -> None:
    assert store.open_account is not None
    whose = f"account {session.id}"
    guard = Guard(OF_ACCOUNTS, CALLS_OF_AN_ACCOUNT, pacing.seconds, sleep=pacing.sleep)
    try:
        async with store.open_account(session, guard) as account:
            for claim in protocol.left(claims):
                protocol.claims[claim.id] = await _looked(claim, account, whose)
    except SessionDead as error:
        protocol.trouble(
            Severity.ERROR, f"Telegram has signed {whose} out: {error.reason}.", "Sign it in again, in the chat."
        )
    except Unreachable as error:
        protocol.trouble(Severity.UNKNOWN, f"{whose} got no answer: {error}.", "Start the round again.")
    except CallsSpent:
        protocol.trouble(
            Severity.NOTE, f"{whose} has made the {CALLS_OF_AN_ACCOUNT} calls that were announced.", "Start it again."
        )
    except FloodWait as wait:
        raise _Ended(f"Telegram wants {whose} to wait until {wait.until:%Y-%m-%d %H:%M:%S} UTC") from wait
    finally:
        protocol.calls += guard.calls.total()


async def _look_with_bot(protocol: _Protocol, settings: Settings, store: Store, pacing: Pacing) -> None:
    http = AiohttpSession(api=api_server(settings), timeout=REQUEST_SECONDS)
    guard = Guard(OF_THE_BOT, CALLS_OF_THE_BOT, pacing.seconds, sleep=pacing.sleep)
    http.middleware(Guarded(guard, pacing.sleep))
    side = BotSide(Bot(settings.bot_token.get_secret_value(), http), store.channels, store.owners)
    try:
        for claim in protocol.left(OF_THE_BOT_API):
            protocol.claims[claim.id] = await _looked(claim, side, "the bot")
    except TelegramUnauthorizedError:
        protocol.trouble(Severity.ERROR, "Telegram refuses BOT_TOKEN.", "Take a new token from @BotFather.")
    except TelegramNetworkError as error:
        protocol.trouble(Severity.UNKNOWN, f"The Bot API did not answer: {type(error).__name__}.", "Start it again.")
    except CallsSpent:
        protocol.trouble(Severity.NOTE, f"The bot has made the {CALLS_OF_THE_BOT} calls announced.", "Start it again.")
    except TelegramRetryAfter as error:
        raise _Ended(f"Telegram wants the bot to wait {error.retry_after} s") from error
    finally:
        protocol.calls += guard.calls.total()
        await http.close()


class Guarded(BaseRequestMiddleware):
    """The guard before every request of the bot; a short wait is sat out."""

    def __init__(self, guard: Guard, sleep: Sleep) -> None:
        self._guard = guard
        self._sleep = sleep

    async def __call__(self, make_request: Any, bot: Bot, method: Any) -> Any:
        waits = 0
        while True:
            await self._guard.let(method.__api_method__)
            try:
                return await make_request(bot, method)
            except TelegramRetryAfter as error:
                waits += 1
                if error.retry_after > SHORT_WAIT_SECONDS or waits > SHORT_WAITS:
                    raise
                await self._sleep(error.retry_after)


async def _looked(claim: Claim[T], scene: T, whose: str) -> Finding:
    """Raises what ends the account, the bot or the round."""
    try:
        seen = await claim.look(scene)
    except NotSeen as error:
        return _unseen(claim, error.why, error.needs)
    except Refusal as error:
        seen = Seen(False, f"a refusal, {error.code} {error.word}")
    except TelegramRefused as error:
        seen = Seen(False, f"an answer that is not understood, {error.word}")
    except Unreachable as error:
        if not error.is_answer:
            raise
        return _unseen(claim, f"Telegram had trouble of its own ({error})", "Start the round again.")
    except (SessionDead, FloodWait, TelegramUnauthorizedError, TelegramNetworkError, TelegramRetryAfter):
        raise
    except PorterError as error:
        seen = Seen(False, f"a refusal that Porter takes for {type(error).__name__}")
    except TelegramServerError as error:
        return _unseen(claim, f"the Bot API had trouble of its own ({error.message})", "Start the round again.")
    except TelegramAPIError as error:
        seen = Seen(False, f"a refusal, {error.message}")
    except ClientDecodeError:
        seen = Seen(False, "an answer that aiogram cannot read")
    except ANOTHER_SHAPE as error:
        missing = f" {error}" if isinstance(error, KeyError) else ""
        seen = Seen(False, f"an answer of another shape ({type(error).__name__}{missing})")
    name = _check(claim)
    if seen.agrees:
        return Finding(name, Severity.OK, f"{claim.says} Seen with {whose}: {seen.what}.")
    return Finding(
        name,
        Severity.WARNING,
        f"Telegram differs. Porter believes: {claim.says} Seen with {whose}: {seen.what}.",
        f"{claim.used_by} rests on it. Compare both with {claim.source}, and report what was seen.",
    )


def _unseen(claim: Claim[Any], why: str, needs: str) -> Finding:
    return Finding(_check(claim), Severity.UNKNOWN, f"Not seen, for {why}. Porter believes: {claim.says}", needs)


def _check(claim: Claim[Any]) -> str:
    return f"live/{claim.id}"
