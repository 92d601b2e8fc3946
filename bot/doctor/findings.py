"""What the doctor says of one thing: how bad it is, what was seen, what to do."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    OK = "ok"
    NOTE = "note"
    WARNING = "warning"
    ERROR = "error"
    UNKNOWN = "unknown"
    """It could not be looked at; the finding says why."""


@dataclass(frozen=True)
class Finding:
    """`check`: a stable kebab-case name. `what`: one sentence, never with a secret. `cure`: what to do, imperative;
    empty for OK alone. `fixed`: `--fix` has done it."""

    check: str
    severity: Severity
    what: str
    cure: str = ""
    fixed: bool = False
