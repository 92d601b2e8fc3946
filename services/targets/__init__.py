"""Where files go. The only rooms that touch the disk of a target.

A file grows as `.porter-<file id>.part` in the source's folder and gets its name when it is whole: written, proven,
synced, renamed, folder synced. Every path is opened from the root downwards, component by component, without
following links, so that nothing that lies in a target leads out of it.

contract.py  what the download engine and the checks ask of a target
roots.py     LOCAL and the roots of NAS_ROOTS, by name
local.py     a directory of this machine, with a guard for what may be unmounted
incoming.py  a file that is being fetched
disk.py      single steps on descriptors, blocking; the system's errors in our words
"""

from services.targets.contract import (
    MANY_ENTRIES,
    Condition,
    IncomingFile,
    LinkImpossible,
    RootLook,
    Target,
    check_folder,
    part_count,
)
from services.targets.roots import Targets

__all__ = [
    "MANY_ENTRIES",
    "Condition",
    "IncomingFile",
    "LinkImpossible",
    "RootLook",
    "Target",
    "Targets",
    "check_folder",
    "part_count",
]
