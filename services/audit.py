"""Who did what, when, to what: one line a deed, for the owners to read.

A service that changes something says so where it knows how it ended, by one line around the change:

    async with audit.act(AuditVerb.SESSION_DELETE, session.name):
        ...

Who does it is ambient: the chat's middleware (and a run, for whoever asked for it) opens `AuditService.by(admin)`, and
what Porter does by itself, outside of it, writes nothing. A subject is a name as it is before the deed. Details are
small and plain (counts, roles, names); nothing that was typed as a secret ever gets here.
"""

import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from services.errors import NotAllowed
from storage.audit import AuditRepository
from storage.models import Admin, AuditLine, AuditOutcome, AuditVerb

log = logging.getLogger(__name__)

PAGE = 8
SUBJECT_CHARACTERS = 64
RULES = "Rules"
"""The name of who did it, where rules did."""


@dataclass(frozen=True, slots=True)
class _Doer:
    """`admin_id` None: nobody did it with their own hand."""

    admin_id: int | None
    name: str
    lines: AuditRepository


_doer: ContextVar[_Doer | None] = ContextVar("doer", default=None)


async def note(
    verb: AuditVerb, subject: str = "", outcome: AuditOutcome = AuditOutcome.DONE, /, **detail: int | str
) -> None:
    """One line, of whoever acts here. A line that cannot be written undoes no deed: the log has it."""
    doer = _doer.get()
    if doer is None:
        return
    try:
        await doer.lines.add(doer.admin_id, doer.name, verb, outcome, subject[:SUBJECT_CHARACTERS], dict(detail))
    except Exception:
        log.exception("a line of the audit was not written: %s %s", verb, outcome, extra={"admin_id": doer.admin_id})


@asynccontextmanager
async def act(verb: AuditVerb, subject: str = "", /, **detail: int | str) -> AsyncIterator[dict[str, Any]]:
    """DONE when the block ends, REFUSED when it raises NotAllowed, FAILED with the kind of error for any other.

    Yields the detail, to be filled with what the block finds out.
    """
    try:
        yield detail
    except NotAllowed as error:
        await note(verb, subject, AuditOutcome.REFUSED, **detail)
        error.is_noted = True
        raise
    except Exception as error:
        await note(verb, subject, AuditOutcome.FAILED, **{**detail, "error": type(error).__name__})
        raise
    await note(verb, subject, **detail)


@contextmanager
def told_elsewhere() -> Iterator[None]:
    """What is noted inside is part of a larger deed, which has its own line."""
    token = _doer.set(None)
    try:
        yield
    finally:
        _doer.reset(token)


@dataclass(frozen=True, slots=True)
class AuditPage:
    """`people`: everybody who stands in the audit, for the filter. `count`: of all pages. `page`: the one it is."""

    page: int
    lines: list[AuditLine]
    count: int
    people: dict[int, str]


class AuditService:
    def __init__(self, lines: AuditRepository) -> None:
        self._lines = lines

    @contextmanager
    def by(self, admin: Admin) -> Iterator[None]:
        """What is noted inside was done by this admin."""
        token = _doer.set(_Doer(admin.user_id, admin.name, self._lines))
        try:
            yield
        finally:
            _doer.reset(token)

    @contextmanager
    def by_rules(self) -> Iterator[None]:
        """What is noted inside was done by rules that an owner has switched live."""
        token = _doer.set(_Doer(None, RULES, self._lines))
        try:
            yield
        finally:
            _doer.reset(token)

    async def page(self, page: int, admin_id: int | None = None) -> AuditPage:
        """Newest first, PAGE lines a page; beyond the end the last one. `admin_id`: of that person alone."""
        count = await self._lines.count(admin_id)
        page = min(max(page, 0), max(0, count - 1) // PAGE)
        lines = await self._lines.page(page * PAGE, PAGE, admin_id)
        return AuditPage(page, lines, count, await self._lines.people())
