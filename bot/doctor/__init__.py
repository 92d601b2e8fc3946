"""`python -m bot doctor`: looks at everything that Porter stands on, and says what is wrong and what to do.

It never polls, never opens an account, and writes nothing without `--fix`; Porter may run meanwhile.

findings.py  what is said of one thing         report.py  for people, and as JSON
live.py      `--live`: the round against Telegram itself
"""

import sys

from bot.doctor import report
from bot.doctor.findings import Finding, Severity
from bot.settings import Settings, SettingsInvalid

__all__ = ["Finding", "Severity", "examine", "run"]


async def run(given: Settings | SettingsInvalid, *, as_json: bool, fix: bool, live: bool, yes: bool) -> int:
    """Prints what is found; answers the exit code: 0 nothing is worse than a warning, 1 something is."""
    findings = await examine(given, fix=fix)
    if live and isinstance(given, Settings):
        from bot.doctor import live as round_

        findings += await round_.examine(given, yes=yes)
    text = report.as_json(findings) if as_json else report.as_text(findings, colour=sys.stdout.isatty())
    print(text)
    return 0 if report.is_well(findings) else 1


async def examine(given: Settings | SettingsInvalid, *, fix: bool = False) -> list[Finding]:
    """`given`: the settings, or why there are none. `fix`: mend what can be mended without losing anything."""
    if isinstance(given, SettingsInvalid):
        return [Finding("settings", Severity.ERROR, problem, "Set it right.") for problem in given.problems]
    return [Finding("settings", Severity.OK, "All settings are valid.")]
