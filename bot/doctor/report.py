"""Findings as a person reads them, and as JSON."""

import json
from collections import Counter

from bot import __version__
from bot.doctor.findings import Finding, Severity

WORST_FIRST = (Severity.ERROR, Severity.WARNING, Severity.UNKNOWN, Severity.NOTE, Severity.OK)
MARKS = {
    Severity.ERROR: ("✗", "error", "31"),
    Severity.WARNING: ("!", "warning", "33"),
    Severity.UNKNOWN: ("?", "not known", "35"),
    Severity.NOTE: ("·", "note", "36"),
    Severity.OK: ("✓", "ok", "32"),
}
"""By severity: the sign, the word behind it (a sign alone tells some readers nothing), the colour of a terminal."""


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
    return json.dumps({"ok": is_well(findings), "version": __version__, "findings": rows}, ensure_ascii=False)


def as_text(findings: list[Finding], *, colour: bool) -> str:
    """A line a finding, the worst first, its cure below; the last line counts."""
    lines = []
    for finding in sorted(findings, key=lambda finding: (WORST_FIRST.index(finding.severity), finding.fixed)):
        sign, word, code = MARKS[finding.severity]
        if finding.fixed:
            sign, word, code = "✓", "mended", "32"
        head = f"{sign} {word:<9}"
        if colour:
            head = f"\033[{code}m{head}\033[0m"
        lines.append(f"{head} {finding.check}: {finding.what}")
        if finding.cure:
            lines.append(f"{'':12}{finding.cure}")
    return "\n".join([*lines, _summary(findings)])


def _summary(findings: list[Finding]) -> str:
    counts = Counter("mended" if finding.fixed else MARKS[finding.severity][1] for finding in findings)
    words = (*(MARKS[severity][1] for severity in WORST_FIRST), "mended")
    counted = ", ".join(f"{counts[word]} {word}" for word in words if counts[word])
    return f"{'Nothing stops Porter' if is_well(findings) else 'Porter has a problem'}: {counted}."
