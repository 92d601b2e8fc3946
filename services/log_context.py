"""Whose work this is: ids that each line of the log carries while somebody works on a run, or on what an admin did.

Ambient, so that the lines of libraries carry them too. A task inherits the ids of whoever starts it. That is right for
a part of the work, and wrong for what outlives it (a client's connection, a timer): those are begun by `apart`.
"""

import asyncio
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager
from contextvars import Context, ContextVar
from types import MappingProxyType
from typing import Any, TypeVar

T = TypeVar("T")

_ids: ContextVar[Mapping[str, int]] = ContextVar("log_ids", default=MappingProxyType({}))


def ids() -> Mapping[str, int]:
    """By the names of the log's fields: admin_id, run_id, source_id, session_id, channel_id."""
    return _ids.get()


@contextmanager
def bound(**more: int | None) -> Iterator[None]:
    """Lines inside carry these too. None: not known."""
    token = _ids.set({**_ids.get(), **{name: value for name, value in more.items() if value is not None}})
    try:
        yield
    finally:
        _ids.reset(token)


def apart(work: Coroutine[Any, Any, T], **own: int) -> asyncio.Task[T]:
    """Begin `work` with `own` ids and nothing else of whoever begins it: neither ids nor who acts (services/audit.py).

    Cancelling who awaits it cancels it, as with any task.
    """
    context = Context()
    context.run(_ids.set, own)
    return asyncio.create_task(work, context=context)
