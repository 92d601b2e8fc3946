"""Which ids a line of the log carries, wherever it is written: of a run, of an admin's doing, of neither."""

import asyncio
import logging
from datetime import UTC, datetime, timedelta

from services import audit, log_context
from services.audit import AuditService
from services.log_context import apart, bound
from services.runs import Priority, RunContext
from services.schedule import ScheduleService
from storage.admins import AdminRepository
from storage.audit import AuditRepository
from storage.models import Admin, AuditVerb, Role, RunKind, RunStatus, Schedule
from storage.runs import RunRepository
from storage.schedules import ScheduleRepository
from tests.lines import heard
from tests.services.conftest import Jetty, Store, open_pool
from tests.services.desk import Desk, until


async def test_ids_add_up_and_end_with_their_block() -> None:
    """Inner ids stand beside outer ones; None is left out; a task has those of its beginning."""
    with bound(admin_id=7):
        with bound(run_id=3, session_id=None):
            inside = asyncio.create_task(asyncio.sleep(0, log_context.ids()))
        assert log_context.ids() == {"admin_id": 7}
    assert await inside == {"admin_id": 7, "run_id": 3}
    assert log_context.ids() == {}


async def test_what_is_apart_has_its_own_ids_alone() -> None:
    """A task that outlives who began it says nothing of them; it is cancelled with who awaits it."""

    async def look() -> dict[str, int]:
        return dict(log_context.ids())

    with bound(admin_id=7, run_id=3):
        assert await apart(look(), session_id=5) == {"session_id": 5}
        hanging = apart(asyncio.Event().wait())
        waiting = asyncio.create_task(asyncio.wait_for(hanging, None))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    assert hanging.cancelled()


async def test_a_run_names_itself(store: Store) -> None:
    """Whatever is logged in a run carries its id and its subject's, the runner's last line included; others' do not."""
    desk = Desk(RunRepository(store.database))

    async def work(_: RunContext) -> None:
        logging.getLogger("services.anything").info("in the middle")

    with heard("services") as lines:
        async with desk.open(work) as runner:
            with bound(admin_id=7):
                scrape = await runner.submit(
                    RunKind.SCRAPE, 4, "News", priority=Priority.TAP, requested_by=7, params={"session_id": 2}
                )
            load = await runner.submit(RunKind.LOAD_REQUESTS, -1001, "Gate", priority=Priority.TAP)
            for run in (scrape, load):
                await desk.reached(run.id, RunStatus.DONE)
            await desk.told(2)
    of_scrape = {"run_id": scrape.id, "source_id": 4, "session_id": 2}
    of_load = {"run_id": load.id, "channel_id": -1001}
    middles = [ids for message, ids in lines if message == "in the middle"]
    assert sorted(middles, key=str) == sorted([of_scrape, of_load], key=str)
    ends = {ids["run_id"]: message for message, ids in lines if " run DONE after " in message}
    assert ends[scrape.id].startswith("SCRAPE run DONE after ")
    assert ends[load.id].startswith("LOAD_REQUESTS run DONE after ")


async def test_what_a_schedule_starts_is_nobodys_doing(store: Store) -> None:
    """The timer is set inside the update of the admin who changes a schedule. What fires later neither carries that
    admin's id nor stands in the audit as theirs."""
    admins, lines = AdminRepository(store.database), AuditRepository(store.database)
    await admins.put(7, Role.OWNER, "Ann")
    admin = await admins.get(7)
    assert isinstance(admin, Admin)
    rows = ScheduleRepository(store.database)
    fired: list[dict[str, int]] = []

    async def ring(_: Schedule) -> None:
        fired.append(dict(log_context.ids()))
        await audit.note(AuditVerb.SCRAPE, "News")

    service = ScheduleService(rows, clock=lambda: datetime.now(UTC) - timedelta(minutes=1))
    service.on(RunKind.SCRAPE, ring)
    await service.start()
    try:
        with bound(admin_id=7), AuditService(lines).by(admin):
            await service.set(RunKind.SCRAPE, 4, "* * * * *", "UTC")
        await until(lambda: bool(fired))
    finally:
        await service.stop()
    assert fired[0] == {}
    assert await lines.count(None) == 0


async def test_a_clients_own_tasks_are_no_runs(jetty: Jetty, store: Store) -> None:
    """Telethon's loops begin with the first call and live on: they carry the session's id, not that call's run."""
    async with open_pool(jetty, store) as pooled:
        with heard("telethon") as lines:  # imported by now, which sets its level
            with bound(run_id=3, admin_id=7):
                async with pooled.pool.reading(pooled.session.id) as client:
                    await client.me()
            async with pooled.pool.reading(pooled.session.id) as client:
                await client.me()
    loops = [ids for message, ids in lines if message.startswith(("Waiting for messages", "Receiving items"))]
    assert len(loops) > 2
    assert all(ids == {"session_id": pooled.session.id} for ids in loops), loops
