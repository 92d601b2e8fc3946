"""`python -m bot doctor`: looks at everything that Porter stands on, and says what is wrong and what to do.

It never polls, never opens an account, and writes nothing without `--fix`; Porter may run meanwhile.

findings.py       what is said of one thing         report.py  for people, and as JSON
case.py           what the checks share, and how one is carried out
configuration.py  settings                          machine.py   versions, limits, who else is at work
data.py           DATA_DIR and the database         keys.py      what opens it
disks.py          where saved files go              telegram.py  the bot, by the Bot API (bot_api.py)
accounts.py       accounts and Telegram's servers   live.py      `--live`: the round against Telegram itself
"""

import sys
from contextlib import AsyncExitStack

from bot.doctor import accounts, configuration, data, disks, keys, machine, report, telegram
from bot.doctor.bot_api import open_bot_api
from bot.doctor.case import Case, Check, carry_out, unknown
from bot.doctor.findings import Finding, Severity
from bot.settings import Settings, SettingsInvalid
from storage.types import Clock, utc_now

__all__ = ["Finding", "Severity", "examine", "run"]

DATABASE_SECONDS = 120.0
"""SQLite reads the whole file."""

MACHINE = (
    Check("versions", machine.versions),
    Check("libraries", machine.libraries),
    Check("limits", machine.limits),
    Check("time-zones", machine.zones),
)
"""Without settings."""

STORED = (
    Check("settings", configuration.look),
    Check("porter", machine.here),
    Check("data-dir", data.folder),
    Check("leftovers", data.leftovers),
    Check("database-file", data.file, DATABASE_SECONDS),
    Check("database", data.opening),
    Check("key-files", keys.files),
    Check("identity", data.identity),
    Check("key", keys.ring),
    Check("owners", data.owners),
    Check("rest", data.rest),
    Check("leases", machine.elsewhere),
    Check("download-dir", disks.downloads),
    Check("root-marks", disks.seals),
    Check("roots", disks.roots),
    Check("disk-space", disks.space),
    Check("health-port", machine.health),
    Check("bot", telegram.bot),
    Check("clock", telegram.clock),
    Check("webhook", telegram.webhook),
    Check("gates", telegram.gates, 60.0),
    Check("notify-chat", telegram.notify_chat, 30.0),
    Check("mtproto-key-file", accounts.public_key),
    Check("mtproto", accounts.server),
    Check("sessions", accounts.sessions),
    Check("sealed", accounts.sealed, 60.0),
    Check("sources", accounts.sources),
)
"""In the order in which one builds on the other."""


async def run(given: Settings | SettingsInvalid, *, as_json: bool, fix: bool, live: bool, yes: bool) -> int:
    """Prints what is found; answers the exit code: 0 nothing is worse than a warning, 1 something is."""
    findings = await examine(given, fix=fix)
    if live and isinstance(given, Settings):
        from bot.doctor import live as round_

        findings += await round_.examine(given, yes=yes)
    text = report.as_json(findings) if as_json else report.as_text(findings, colour=sys.stdout.isatty())
    encoding = sys.stdout.encoding or "ascii"
    print(text.encode(encoding, "replace").decode(encoding))  # a terminal without our signs has the words
    return 0 if report.is_well(findings) else 1


async def examine(given: Settings | SettingsInvalid, *, fix: bool = False, clock: Clock = utc_now) -> list[Finding]:
    """`given`: the settings, or why there are none. `fix`: mend what can be mended without losing anything."""
    if isinstance(given, SettingsInvalid):
        rest = unknown(
            "all-else", "Not looked at, because the settings are not valid.", "Set them right, then ask again."
        )
        return [*configuration.problems(given), *await _all(MACHINE), rest]
    token = given.bot_token.get_secret_value()
    async with AsyncExitStack() as stack, open_bot_api(given.bot_api_url, token) as bot_api:
        case = Case(given, bot_api, fix, clock, stack=stack)
        return [*await _all(MACHINE), *await _all(STORED, case)]


async def _all(checks: tuple[Check, ...], *given: Case) -> list[Finding]:
    return [finding for check in checks for finding in await carry_out(check, *given)]
