"""What works, waits and went, as one list: what is under way first, the worst of it on top, then the past."""

from collections.abc import Callable
from dataclasses import dataclass

from services.access import sees_run
from storage.models import Admin, Role, Run, RunStatus
from storage.runs import RunRepository

PAGE = 8
WORST_FIRST = (RunStatus.WAITING, RunStatus.PAUSED, RunStatus.RUNNING, RunStatus.QUEUED)

Wanted = Callable[[str], bool]
"""Whether a title is looked for."""


@dataclass(frozen=True, slots=True)
class RunPage:
    """`active`: how many are under way, on all pages. `page`: the one it is, counted from 0."""

    runs: list[Run]
    page: int
    has_more: bool
    active: int


class RunList:
    def __init__(self, runs: RunRepository) -> None:
        self._runs = runs

    async def page(
        self, reader: Admin, page: int, *, only_failed: bool = False, wanted: Wanted | None = None
    ) -> RunPage:
        """As this admin may see it. `only_failed`: what stopped or lost files, and what cannot go on by itself."""
        active = [run for run in await self.active(reader) if not only_failed or _is_failing(run)]
        if wanted is not None:
            active = [run for run in active if wanted(run.title)]
        channel_ids = reader.channels if reader.role is Role.APPROVER else None
        titles = None
        if wanted is not None:
            titles = [title for title in await self._runs.titles(channel_ids) if wanted(title)]
        first = max(0, page) * PAGE
        shown = active[first : first + PAGE + 1]
        past = await self._runs.past(
            PAGE + 1 - len(shown),
            max(0, first - len(active)),
            only_failed=only_failed,
            channel_ids=channel_ids,
            titles=titles,
        )
        rows = [*shown, *past]
        if not rows and page > 0:
            return await self.page(reader, 0, only_failed=only_failed, wanted=wanted)
        return RunPage(rows[:PAGE], max(0, page), len(rows) > PAGE, len(active))

    async def active(self, reader: Admin) -> list[Run]:
        """The worst first: what waits for somebody, what waits for a moment, what an admin paused, then what works."""
        seen = [run for run in await self._runs.active() if sees_run(reader, run)]
        return sorted(seen, key=lambda run: (not run.is_held, WORST_FIRST.index(run.status), run.priority, run.id))

    async def waiting_beside(self, reader: Admin, run_id: int) -> int:
        """How many other runs wait: for a moment, a disk, an account, an admin or their turn."""
        return sum(run.id != run_id and run.status is not RunStatus.RUNNING for run in await self.active(reader))


def _is_failing(run: Run) -> bool:
    return run.is_held or bool(run.progress.counters.get("failed"))
