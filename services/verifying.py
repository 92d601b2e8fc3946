"""Checking a saved channel: is every file that Porter calls saved still on the disk as it was?

Each is read whole and its SHA-256 compared with the stored one. A damaged one is set aside (`<name>.damaged`), never
deleted: it may be somebody's edit. It and a missing one are wanted again from that moment, for the next save.
"""

from dataclasses import replace
from enum import StrEnum

from services.errors import HEALING, FolderInvalid, NotFound
from services.runs import RunContext
from services.targets import Condition, Targets
from storage.files import DAMAGED, MISSING, FileRepository
from storage.models import File, FileState, Progress, Run, Source
from storage.places import locate
from storage.sources import SourceRepository

SAVE_FILES = 50
"""A run that is killed reads at most so many files once more."""


class Verifier:
    """`work` is registered for RunKind.VERIFY; a run's subject is the source."""

    def __init__(self, sources: SourceRepository, files: FileRepository, targets: Targets) -> None:
        self._sources = sources
        self._files = files
        self._targets = targets

    async def work(self, context: RunContext) -> None:
        """Counters: "damaged" and "missing" (of the whole source, and still to be fetched), "unchecked" (they lie in a
        root that is not set any more). Raises PorterError."""
        source = await self._sources.get(context.run.subject_id)
        if source is None:
            raise NotFound("source")
        after_id = await self._begin(context, source)
        since_saved = 0
        while batch := await self._files.settled(source.id, after_id):
            for file in batch:
                found = await self._check(source, file)
                after_id = file.id
                await self._count(context, source, file, found)
                since_saved += 1
                if found is _Found.LOST or since_saved >= SAVE_FILES:
                    await context.checkpoint({"after_id": after_id, "progress": _kept(context.run.progress)})
                    since_saved = 0

    async def ready(self, run: Run) -> bool:
        """Whether the disk of the file that comes next is well again."""
        source = await self._sources.get(run.subject_id)
        after_id = int(run.checkpoint.get("after_id", 0))
        for file in await self._files.settled(source.id, after_id, 1) if source else []:
            assert source is not None
            root = locate(file.path, source.root)[0] if file.path else source.root
            try:
                if self._is_set(root):
                    await self._targets.of(root).check()
            except HEALING:
                return False
        return True

    def _is_set(self, root: str | None) -> bool:
        return root is None or root in self._targets.roots

    async def _begin(self, context: RunContext, source: Source) -> int:
        """Where an earlier life stood. Its progress is that of the checkpoint: what came after is read again."""
        tally = await self._files.tally(source.id)
        before = context.run.checkpoint
        found = {"damaged": tally.damaged, "missing": tally.missing}
        if not before:
            context.progress(Progress(0, tally.done + tally.skipped, 0, tally.done_bytes, found))
            await context.checkpoint({"after_id": 0, "progress": _kept(context.run.progress)})
            return 0
        kept = dict(before["progress"])
        unchecked = {"unchecked": n} if (n := kept.pop("unchecked")) else {}
        context.progress(Progress(**kept, counters={**found, **unchecked}))
        return int(before["after_id"])

    async def _count(self, context: RunContext, source: Source, file: File, found: "_Found") -> None:
        progress = context.run.progress
        size_bytes = file.size_bytes if file.state is FileState.DONE else 0
        counters = dict(progress.counters)
        if found is _Found.LOST:
            tally = await self._files.tally(source.id)
            counters |= {"damaged": tally.damaged, "missing": tally.missing}
        if found is _Found.UNCHECKED:
            counters["unchecked"] = counters.get("unchecked", 0) + 1
        context.progress(
            replace(progress, done=progress.done + 1, done_bytes=progress.done_bytes + size_bytes, counters=counters)
        )

    async def _check(self, source: Source, file: File) -> "_Found":
        if file.state is FileState.SKIPPED:
            return await self._check_original(file)
        assert file.path is not None
        assert file.sha256 is not None
        root, path = locate(file.path, source.root)
        if root != source.root and not self._is_set(root):
            return _Found.UNCHECKED
        target = self._targets.of(root)
        try:
            condition = await target.condition(path, file.size_bytes, file.sha256)
            if condition is Condition.DAMAGED:
                await target.set_aside(path)
        except FolderInvalid:  # a link lies where its folder was
            condition = Condition.MISSING
        if condition is Condition.INTACT:
            return _Found.WELL
        await self._files.lost(file.id, DAMAGED if condition is Condition.DAMAGED else MISSING)
        return _Found.LOST

    async def _check_original(self, file: File) -> "_Found":
        """A file that was not kept for the sake of another: is that one there?"""
        twin = await self._files.twin(file.duplicate_of) if file.duplicate_of is not None else None
        if twin is not None and not self._is_set(twin.root):
            return _Found.UNCHECKED
        if twin is not None:
            condition = await self._targets.of(twin.root).condition(twin.path, twin.size_bytes, twin.sha256)
            if condition is Condition.INTACT:
                return _Found.WELL
        await self._files.lost(file.id, MISSING)
        return _Found.LOST


class _Found(StrEnum):
    WELL = "WELL"
    LOST = "LOST"
    """Not there as it was, and wanted again."""
    UNCHECKED = "UNCHECKED"


def _kept(progress: Progress) -> dict[str, int | None]:
    return {
        "done": progress.done,
        "total": progress.total,
        "done_bytes": progress.done_bytes,
        "total_bytes": progress.total_bytes,
        "unchecked": progress.counters.get("unchecked", 0),
    }
