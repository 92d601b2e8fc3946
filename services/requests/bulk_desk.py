"""Decisions on many, as one admin may ask for them: a desk as those of services/desks.py."""

from typing import Any

from services.access import Rights
from services.errors import NotAllowed
from services.requests.bulk import BulkDecisions, Many, Preview
from services.requests.bulk_csv import Table
from services.runs import Runner
from storage.models import BULK_RUNS, Run


class BulkDesk:
    """services.requests.bulk, where methods of the same names say what these do."""

    def __init__(self, bulk: BulkDecisions, runner: Runner, rights: Rights, admin_id: int) -> None:
        self._bulk = bulk
        self._runner = runner
        self._rights = rights
        self._admin_id = admin_id

    @property
    def undo_seconds(self) -> float:
        return self._bulk.undo_seconds

    async def preview(self, channel_id: int, approve: bool, *, view_id: int = 0, ticked: bool = False) -> Preview:
        return await self._bulk.preview(self._admin_id, channel_id, approve, view_id=view_id, ticked=ticked)

    async def decide(self, confirmed: dict[str, Any]) -> Run:
        """`confirmed`: `Many.to_json` of what was shown."""
        return await self._bulk.decide(self._admin_id, Many.from_json(confirmed))

    async def answer(self, run_id: int, *, include: bool) -> Run:
        return await self._bulk.answer(await self._runner.get(run_id), self._admin_id, include=include)

    async def table(self, run_id: int) -> bytes:
        """Who it was about and what became of them, as CSV. Raises NotFound."""
        run = await self._runner.get(run_id)
        await self._check_sees(run)
        table, after_id = Table(), 0
        while items := await self._bulk.items(run.id, after_id):
            table.add(items)
            after_id = items[-1].request.id
        return table.content()

    async def _check_sees(self, run: Run) -> None:
        if run.kind not in BULK_RUNS or not (await self._rights.of(self._admin_id)).sees(run.subject_id):
            raise NotAllowed
