"""What a benchmark tells: one line of JSON, or a few lines for people."""

import json
from dataclasses import asdict, dataclass, field
from typing import Literal

OPERATORS = {"<=": float.__le__, ">=": float.__ge__}


@dataclass(frozen=True)
class Check:
    """A promise held against a value that was measured in this run."""

    what: str
    value: float
    op: Literal["<=", ">="]
    limit: float
    ok: bool


def check(what: str, value: float, op: Literal["<=", ">="], limit: float) -> Check:
    return Check(what, round(value, 3), op, limit, OPERATORS[op](float(value), float(limit)))


@dataclass(frozen=True)
class Report:
    """`ours` and `peers` are in the same `unit`; `calls`: by method, of ours; `figures`: whatever explains them."""

    name: str
    unit: str
    ours: float
    peers: dict[str, float] = field(default_factory=dict)
    calls: dict[str, int] = field(default_factory=dict)
    figures: dict[str, float] = field(default_factory=dict)
    checks: list[Check] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return all(entry.ok for entry in self.checks)

    def as_json(self) -> str:
        return json.dumps(asdict(self))

    def as_text(self) -> str:
        lines = [f"{self.name}: {self.ours:g} {self.unit}"]
        lines += [f"  {name}: {value:g} {self.unit}" for name, value in self.peers.items()]
        lines += [f"  {name}: {value:g}" for name, value in (*self.calls.items(), *self.figures.items())]
        lines += [f"  {'ok ' if c.ok else 'NOT'} {c.what}: {c.value:g} {c.op} {c.limit:g}" for c in self.checks]
        return "\n".join(lines)
