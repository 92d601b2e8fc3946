"""Findings as a person reads them, and as JSON."""

import json
from collections import Counter
from dataclasses import replace
from typing import NamedTuple

from bot import __version__
from bot.doctor.findings import Finding, Severity

WORST_FIRST = (Severity.ERROR, Severity.WARNING, Severity.UNKNOWN, Severity.NOTE, Severity.OK)


class Mark(NamedTuple):
    """A sign alone tells some readers nothing. `colour`: of a terminal."""

    sign: str
    word: str
    many: str
    colour: str


MARKS = {
    Severity.ERROR: Mark("✗", "error", "errors", "31"),
    Severity.WARNING: Mark("!", "warning", "warnings", "33"),
    Severity.UNKNOWN: Mark("?", "not known", "not known", "35"),
    Severity.NOTE: Mark("·", "note", "notes", "36"),
    Severity.OK: Mark("✓", "ok", "ok", "32"),
}
MENDED = Mark("✓", "mended", "mended", "32")


def is_well(findings: list[Finding]) -> bool:
    """Nothing is worse than a warning, once what was mended is set aside."""
    return not any(finding.severity is Severity.ERROR and not finding.fixed for finding in findings)


def as_json(findings: list[Finding]) -> str:
    rows = [
        {
            "check": finding.check,
            "severity": finding.severity.value,
            "what": finding.what,
            "cure": finding.cure,
            "fixed": finding.fixed,
        }
        for finding in findings
    ]
    return json.dumps({"ok": is_well(findings), "version": __version__, "findings": rows})


def as_text(findings: list[Finding], *, colour: bool) -> str:
    """A line a finding, the worst first, its cure below; what was not looked at for one reason shares a line. The last
    line counts."""
    lines = []
    ordered = sorted(findings, key=lambda finding: (finding.fixed, WORST_FIRST.index(finding.severity)))
    for finding, checks in _alike(ordered).items():
        mark = MENDED if finding.fixed else MARKS[finding.severity]
        head = f"{mark.sign} {mark.word:<9}"
        if colour:
            head = f"\033[{mark.colour}m{head}\033[0m"
        lines.append(f"{head} {', '.join(checks)}: {finding.what}")
        if finding.cure:
            lines.append(f"{'':12}{finding.cure}")
    return "\n".join([*lines, _summary(findings)])


def _alike(findings: list[Finding]) -> dict[Finding, list[str]]:
    """The names of those that differ in nothing else, by the first of them without its name."""
    alike: dict[Finding, list[str]] = {}
    for finding in findings:
        alike.setdefault(replace(finding, check=""), []).append(finding.check)
    return alike


def _summary(findings: list[Finding]) -> str:
    counts = Counter(MENDED if finding.fixed else MARKS[finding.severity] for finding in findings)
    marks = (*(MARKS[severity] for severity in WORST_FIRST), MENDED)
    counted = ", ".join(
        f"{counts[mark]} {mark.word if counts[mark] == 1 else mark.many}" for mark in marks if counts[mark]
    )
    if not is_well(findings):
        return f"Porter has a problem: {counted}."
    is_all = not any(finding.severity is Severity.UNKNOWN for finding in findings)
    return f"{'Nothing stops Porter' if is_all else 'No error was found, but not all was looked at'}: {counted}."
