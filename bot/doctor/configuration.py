"""Settings: each problem by itself, and what does not stop Porter but is not meant that way."""

import difflib
import re
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import available_timezones

from bot.doctor.case import Case, error, ok, warning
from bot.doctor.files import is_open_to_others, tighten
from bot.doctor.findings import Finding
from bot.settings import BackupSettings, Settings, SettingsInvalid, env_file

CURES = {
    "BOT_TOKEN": "Ask @BotFather for a token (/newbot, or /token for a bot that you have) and set BOT_TOKEN to it.",
    "API_ID": "Set API_ID and API_HASH as https://my.telegram.org shows them, or neither.",
    "MTPROTO_SERVER": "Take MTPROTO_SERVER and MTPROTO_PUBLIC_KEY_FILE away: Telegram itself needs neither.",
    "DOWNLOAD_DIR": "Set DOWNLOAD_DIR to a folder beside DATA_DIR, not in it nor around it.",
}
"""By the name that a problem begins with; the others are told of .env.example, which says what each setting takes."""
ASSIGNED = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=")
ALIKE = 0.8


def problems(invalid: SettingsInvalid) -> Iterator[Finding]:
    for problem in invalid.problems:
        name = problem.partition(" ")[0]
        if name == "TIMEZONE" and not available_timezones():
            yield error("tzdata-missing", "This system has no time zones at all.", "Install the package tzdata.")
            continue
        check = "bot-token-missing" if problem == "BOT_TOKEN is missing" else "setting-invalid"
        yield error(check, f"{problem}.", CURES.get(name, f"Set {name} right; .env.example says what it takes."))


def look(case: Case) -> Iterator[Finding]:
    yield ok("settings", f"All settings are valid; saved files go to {case.settings.download_dir}.")
    file = env_file()
    if file is not None and file != Path(".env") and not file.exists():
        yield warning("env-file-missing", f"ENV_FILE names {file}, which is not there.", "Set ENV_FILE right.")
    if file is not None and file.is_file():
        yield from _misspelt(file)
        yield from _readable(case, file)


def _misspelt(file: Path) -> Iterator[Finding]:
    known = [name.upper() for name in (*Settings.model_fields, *BackupSettings.model_fields)]
    for line in file.read_text(errors="replace").splitlines():
        assigned = ASSIGNED.match(line)
        if assigned is None or assigned[1].upper() in known:
            continue
        if alike := difflib.get_close_matches(assigned[1].upper(), known, n=1, cutoff=ALIKE):
            what = f"{file} sets {assigned[1]}, which Porter does not know."
            yield warning("setting-misspelt", what, f"Write {alike[0]}, if that is what is meant.")


def _readable(case: Case, file: Path) -> Iterator[Finding]:
    if is_open_to_others(file):
        fixed = case.fix and tighten(file)
        what = f"Other users of this machine may read {file}, where the bot's token stands."
        yield warning("env-file-open", what, f"chmod 600 {file}", fixed=fixed)
