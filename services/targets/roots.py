"""LOCAL and the roots of NAS_ROOTS, by name.

A root of NAS_ROOTS is opened only when it is the one that an admin has agreed to: its mark lies in it, and it is a file
system of its own if it was one then.
"""

from collections.abc import Mapping
from pathlib import Path

from services.errors import NotFound, TargetGone
from services.targets.contract import RootLook
from services.targets.local import RESERVE_BYTES, Guard, LocalTarget
from storage.roots import RootRepository


class Targets:
    """The targets: LOCAL, and the roots of NAS_ROOTS by name. `load` once, before any of those is used."""

    def __init__(
        self,
        local_root: Path,
        nas_roots: Mapping[str, Path] | None = None,
        seals: RootRepository | None = None,
        *,
        reserve_bytes: int = RESERVE_BYTES,
    ) -> None:
        """`seals` are needed where there are `nas_roots`."""
        self._local = LocalTarget(local_root, reserve_bytes=reserve_bytes)
        self._guards = {name: Guard() for name in nas_roots or {}}
        self._nas = {
            name: LocalTarget(path, self._guards[name], reserve_bytes=reserve_bytes)
            for name, path in (nas_roots or {}).items()
        }
        self._seals = seals

    @property
    def roots(self) -> list[str]:
        """Names of NAS_ROOTS, as the operator wrote them."""
        return list(self._nas)

    async def load(self) -> None:
        seals = await self._seals.all() if self._seals else {}
        for name, guard in self._guards.items():
            guard.seal = seals.get(name)

    def of(self, root: str | None) -> "LocalTarget":
        """None: LOCAL. Raises TargetGone: no such root is set."""
        if root is None:
            return self._local
        if root not in self._nas:
            raise TargetGone("UNSET")
        return self._nas[root]

    async def look(self, root: str) -> RootLook:
        """Raises NotFound, TargetUnavailable."""
        if root not in self._nas:
            raise NotFound("root")
        return await self._nas[root].look(root)

    async def use(self, root: str) -> None:
        """An admin agrees to the root as it is now: from here on it is known by its mark.

        Raises NotFound, TargetUnavailable.
        """
        if root not in self._nas or self._seals is None:
            raise NotFound("root")
        seal = await self._nas[root].mark()
        await self._seals.put(root, seal)
        self._guards[root].seal = seal
