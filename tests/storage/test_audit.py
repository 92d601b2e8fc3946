"""The audit: lines in, newest first, swept when they are old."""

import pytest

from storage.audit import SWEEP_ROWS, AuditRepository
from storage.database import Database
from storage.models import AuditOutcome, AuditVerb
from tests.storage.conftest import Clock


@pytest.fixture
def audit(database: Database, clock: Clock) -> AuditRepository:
    return AuditRepository(database, clock=clock)


async def write(audit: AuditRepository, admin_id: int | None, name: str, subject: str = "") -> None:
    await audit.add(admin_id, name, AuditVerb.SCRAPE, AuditOutcome.DONE, subject, {"moved": 1})


async def test_newest_first_in_pages_and_by_person(audit: AuditRepository) -> None:
    """Pages do not overlap; the operator's lines belong to nobody; a person has their newest name."""
    for number in range(10):
        await write(audit, 7 + number % 2, f"Name {number}", str(number))
    await write(audit, None, "terminal")
    assert [line.subject for line in await audit.page(0, 4)] == ["", "9", "8", "7"]
    assert [line.subject for line in await audit.page(4, 4)] == ["6", "5", "4", "3"]
    assert [line.subject for line in await audit.page(0, 2, 7)] == ["8", "6"]
    assert (await audit.count(), await audit.count(7)) == (11, 5)
    assert list((await audit.people()).items()) == [(8, "Name 9"), (7, "Name 8")]
    line = (await audit.page(0, 1))[0]
    assert (line.admin_id, line.verb, line.detail) == (None, AuditVerb.SCRAPE, {"moved": 1})


async def test_old_lines_are_swept(audit: AuditRepository, clock: Clock) -> None:
    """What was written before the moment goes, in batches; the rest stays."""
    for _ in range(SWEEP_ROWS + 3):
        await write(audit, 7, "Ann")
    moment = clock.advance(days=1)
    await write(audit, 7, "Ann", "new")
    assert await audit.sweep(moment) == SWEEP_ROWS + 3
    assert [line.subject for line in await audit.page(0, 9)] == ["new"]
    assert await audit.sweep(moment) == 0
