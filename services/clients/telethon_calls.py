"""One way to ask through Telethon: request in, answer or one of our errors out."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from telethon import TelegramClient
from telethon.errors import (
    AuthKeyNotFound,
    InvalidBufferError,
    RPCError,
    SecurityError,
    TypeNotFoundError,
    rpc_errors_dict,
    rpc_errors_re,
)

from services.clients.answers import is_being_cancelled, lost_connection, translate
from services.errors import TelegramRefused

# Telethon keeps no word in its exceptions, only their classes: its own tables, read backwards.
_WORDS: dict[type[RPCError], str] = {
    **{kind: pattern.replace(r"(\d+)", "X") for pattern, kind in rpc_errors_re},
    **{kind: word for word, kind in rpc_errors_dict.items()},
}


async def ask(client: TelegramClient, request: Any) -> Any:
    """Raises PorterError or PaceWait."""
    with translated():
        return await client(request)


def word_of(error: RPCError) -> str:
    """Telegram's word, its number blanked out: FLOOD_WAIT_X."""
    return _WORDS.get(type(error)) or str(error.message)


@contextmanager
def translated() -> Iterator[None]:
    try:
        yield
    except RPCError as error:
        raise translate(word_of(error), error.code or 0, getattr(error, "seconds", 0)) from error
    except AuthKeyNotFound as error:
        raise translate("AUTH_KEY_NOT_FOUND", 404) from error
    except TypeNotFoundError as error:
        # An answer of a newer layer. The exception's text holds that answer, so it is not chained.
        raise TelegramRefused(f"CONSTRUCTOR_{error.invalid_constructor_id:08X}_UNKNOWN") from None
    except (OSError, EOFError, SecurityError, InvalidBufferError) as error:  # a TimeoutError is an OSError
        raise lost_connection(error) from error
    except asyncio.CancelledError as error:
        if is_being_cancelled():
            raise
        raise lost_connection(error) from error
