"""Several saved channels at once: what one act does to each, and what came of it by name.

One that cannot is told and stops no other. The rows of all change in one transaction, so that a thousand wait for the
disk as long as one does; and one act is one line of the audit, with the names that it begins with.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from services import audit, names
from services.errors import (
    AlreadyActive,
    ChannelUnavailable,
    FloodWait,
    NotFound,
    PorterError,
    SessionDead,
    SinglePosts,
    TargetError,
    Unreachable,
)
from services.runs import Priority, Runner
from services.schedule import ScheduleService, check_schedule
from services.sources import SourceService, scrape_params
from storage.files import FileRepository
from storage.models import AuditVerb, NewPlace, NewRun, Run, RunKind, RunStatus, Scope, Session, SessionState, Source
from storage.sessions import SessionRepository
from storage.source_sets import DELETED_AT_ONCE, SourceSets
from storage.sources import SourceRepository

MOST = 1000
"""Chosen at once."""
ACCOUNT_REASONS = (FloodWait.__name__, Unreachable.__name__)
"""Why a run waits that another account need not wait for."""


@dataclass(slots=True)
class Outcome:
    """What came of an act. `done` and `failed`: names of saved channels, these with the reason."""

    done: list[str] = field(default_factory=list)
    failed: list[tuple[str, PorterError]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Reader:
    """An account that could read `count` of the chosen channels which do not read through it yet."""

    session: Session
    count: int


class ManySources:
    """Ids of what is gone meanwhile are passed over: who chose it has nothing to lose there."""

    def __init__(
        self,
        sets: SourceSets,
        rows: SourceRepository,
        files: FileRepository,
        sessions: SessionRepository,
        sources: SourceService,
        runner: Runner,
        schedule: ScheduleService,
    ) -> None:
        self._sets = sets
        self._rows = rows
        self._files = files
        self._sessions = sessions
        self._sources = sources
        self._runner = runner
        self._schedule = schedule

    async def of(self, source_ids: Sequence[int]) -> list[Source]:
        """Those that are there, by name. Raises NotFound: none is."""
        wanted = set(source_ids)
        found = [source for source in await self._rows.all() if source.id in wanted]
        if not found:
            raise NotFound("source")
        return found

    async def run(self, source_ids: Sequence[int], admin_id: int) -> Outcome:
        """Queue a scrape of each. Fails with AlreadyActive, SessionDead."""
        sources = await self.of(source_ids)
        async with _deed(AuditVerb.SCRAPE, sources) as outcome:
            able = [source for source in sources if not source.is_held]
            outcome.failed += [(each.name, SessionDead("HELD")) for each in sources if each.is_held]
            new = [NewRun(source.id, source.name, scrape_params(source)) for source in able]
            busy = await self._runner.submit_many(RunKind.SCRAPE, new, priority=Priority.TAP, requested_by=admin_id)
            _sort(outcome, able, {source_id: AlreadyActive(run_id) for source_id, run_id in busy.items()})
        return outcome

    async def set_enabled(self, source_ids: Sequence[int], enabled: bool) -> Outcome:
        """Their schedules rest, or go on. Fails with SinglePosts where there is nothing that could rest."""
        sources = await self.of(source_ids)
        verb = AuditVerb.SOURCE_RESUME if enabled else AuditVerb.SOURCE_PAUSE
        async with _deed(verb, sources) as outcome:
            outcome.failed += [(each.name, SinglePosts()) for each in sources if each.scope is not Scope.CHANNEL]
            sources = [source for source in sources if source.scope is Scope.CHANNEL]
            ids = [source.id for source in sources]
            await self._sets.set_enabled(ids, enabled)
            await self._schedule.set_enabled_many(RunKind.SCRAPE, ids, enabled)
            self._sources.live_changed()
            _sort(outcome, sources, {})
        return outcome

    async def set_schedule(self, source_ids: Sequence[int], cron: str | None, timezone: str) -> Outcome:
        """`cron` None: by hand only. What an admin paused stays paused. Fails with SinglePosts. Raises CronInvalid."""
        sources = await self.of(source_ids)
        if cron is not None:
            check_schedule(cron, timezone)
        async with _deed(AuditVerb.SOURCE_EDIT, sources, schedule=cron or "") as outcome:
            walked = [source for source in sources if source.scope is Scope.CHANNEL]
            outcome.failed += [(each.name, SinglePosts()) for each in sources if each.scope is not Scope.CHANNEL]
            if cron is None:
                await self._schedule.remove_many(RunKind.SCRAPE, [source.id for source in walked])
            else:
                subjects = {source.id: source.enabled for source in walked}
                await self._schedule.set_many(RunKind.SCRAPE, subjects, cron, timezone)
            _sort(outcome, walked, {})
        return outcome

    # -- accounts

    async def readers(self, source_ids: Sequence[int]) -> list[Reader]:
        """Which other accounts see these channels, the most useful first."""
        counts = await self._sets.readers(source_ids)
        sessions = {session.id: session for session in await self._sessions.all()}
        return [Reader(sessions[session_id], len(ids)) for session_id, ids in counts.items() if session_id in sessions]

    async def move(self, source_ids: Sequence[int], session_id: int) -> Outcome:
        """From now on they read through that account; what is under way goes on there at once, where it stood.

        Fails with ChannelUnavailable. Raises NotFound and SessionDead for the account.
        """
        sources = await self.of(source_ids)
        session = await self._sessions.get(session_id)
        if session is None:
            raise NotFound("session")
        if session.state is not SessionState.ACTIVE:
            raise SessionDead(session.state_reason or "")
        async with _deed(AuditVerb.SOURCE_EDIT, sources, to=session.name) as outcome:
            seen = set((await self._sets.readers(source_ids)).get(session_id, ()))
            there = {source.id for source in sources if source.session_id == session_id}
            await self._hand_over(seen, session_id)
            self._sources.live_changed()
            _sort(outcome, sources, {each.id: ChannelUnavailable() for each in sources if each.id not in seen | there})
        return outcome

    async def _hand_over(self, source_ids: set[int], session_id: int) -> None:
        """What works through the old account, or waits for what Telegram lets it do, stops for that moment: nothing of
        it goes on there unseen, and the other account need not wait."""
        working = [
            run
            for run in await self._runner.active()
            if run.kind is RunKind.SCRAPE and run.subject_id in source_ids and _is_of_account(run)
        ]
        for run in working:
            await self._runner.pause(run.id)
        await self._rows.move(sorted(source_ids), session_id)
        for run in working:
            await self._runner.resume(run.id)
        await self._runner.release({session_id})

    # -- folders

    async def places(self, source_ids: Sequence[int], root: str | None, base: str) -> dict[str, str]:
        """The folder below `base` that each would get, by name. Raises NotFound."""
        sources = await self.of(source_ids)
        folders = {place.source_id: place.folder for place in _places(sources, root, base)}
        return {source.name: folders[source.id] for source in sources}

    async def place(self, source_ids: Sequence[int], root: str | None, base: str) -> Outcome:
        """From now on files of each go to a folder of its own below `base`; those that are saved stay where they are.

        Fails with AlreadyActive, FolderInvalid, TemplateInvalid. Raises RootUnused, TargetUnavailable.
        """
        sources = await self.of(source_ids)
        async with _deed(AuditVerb.SOURCE_EDIT, sources, to=f"{root or 'Local'}/{base}") as outcome:
            places = {place.source_id: place for place in _places(sources, root, base)}
            failed: dict[int, PorterError] = {}
            first = sources[0]
            await self._sources.check_place(root, places[first.id].folder)
            for source in sources:
                try:
                    await self._sources.check_place(None, places[source.id].folder, source.name_template)
                except TargetError as error:
                    failed[source.id] = error
            changed = [place for place in places.values() if place.source_id not in failed]
            busy = await self._sets.place(changed)
            failed |= {source_id: AlreadyActive(run_id) for source_id, run_id in busy.items()}
            moved = [source for source in sources if source.id not in failed and not _lies_at(source, places)]
            await self._discard_unfinished(moved)
            _sort(outcome, sources, failed)
        return outcome

    # -- the end

    async def delete(self, source_ids: Sequence[int], *, keep_messages: bool) -> Outcome:
        """Their runs end first; files stay on disk. By a few at a time: killed in between, what was not reached is as
        it was, but for the schedules of those few."""
        sources = await self.of(source_ids)
        kept = {"kept": sum(source.total_messages for source in sources)} if keep_messages else {}
        async with _deed(AuditVerb.SOURCE_DELETE, sources, **kept) as outcome:
            for start in range(0, len(sources), DELETED_AT_ONCE):
                await self._delete(sources[start : start + DELETED_AT_ONCE], keep_messages)
            self._sources.live_changed()
            _sort(outcome, sources, {})
        return outcome

    async def _delete(self, sources: Sequence[Source], keep_messages: bool) -> None:
        ids = {source.id for source in sources}
        await self._schedule.remove_many(RunKind.SCRAPE, sorted(ids))
        for run in await self._runner.active():
            if run.kind in (RunKind.SCRAPE, RunKind.VERIFY) and run.subject_id in ids:
                await self._runner.cancel(run.id)
        for source in sources:
            await self._sources.discard_unfinished(source)
        await self._sets.delete(sorted(ids), keep_messages=keep_messages)

    async def _discard_unfinished(self, sources: Sequence[Source]) -> None:
        tallies = await self._files.tallies()
        for source in sources:
            if source.id in tallies and tallies[source.id].waiting:
                await self._sources.discard_unfinished(source)


@asynccontextmanager
async def _deed(verb: AuditVerb, sources: Sequence[Source], /, **detail: int | str) -> AsyncIterator[Outcome]:
    """One line for all of them. A single one that fails raises, as it does by itself."""
    counted = {"sources": len(sources)} if len(sources) > 1 else {}
    outcome = Outcome()
    async with audit.act(verb, ", ".join(source.name for source in sources), **detail, **counted) as filled:
        with audit.told_elsewhere():
            yield outcome
        if len(sources) == 1 and outcome.failed:
            raise outcome.failed[0][1]
        if outcome.failed:
            filled["failed"] = len(outcome.failed)


def _is_of_account(run: Run) -> bool:
    return run.status is RunStatus.RUNNING or (run.status is RunStatus.WAITING and run.reason in ACCOUNT_REASONS)


def _sort(outcome: Outcome, sources: Sequence[Source], failed: dict[int, PorterError]) -> None:
    for source in sources:
        if source.id in failed:
            outcome.failed.append((source.name, failed[source.id]))
        else:
            outcome.done.append(source.name)


def _places(sources: Sequence[Source], root: str | None, base: str) -> list[NewPlace]:
    """A folder each, called after its channel; a second one of that name gets a number."""
    places: dict[str, NewPlace] = {}
    for source in sources:
        wanted = own = names.folder_for(source.channel_title)
        number = 1
        while own in places:
            number += 1
            own = f"{wanted}-{number}"
        places[own] = NewPlace(source.id, root, f"{base}/{own}" if base else own)
    return list(places.values())


def _lies_at(source: Source, places: dict[int, NewPlace]) -> bool:
    place = places[source.id]
    return (source.root, source.folder) == (place.root, place.folder)
