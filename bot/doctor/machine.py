"""The machine: versions, limits, time zones, and who else is at work on this database."""

import importlib.metadata
import platform
import re
import resource
import socket
import sqlite3
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path
from zoneinfo import available_timezones

import aiohttp

from bot import __version__
from bot.doctor.case import Case, error, note, ok, some, warning
from bot.doctor.findings import Finding
from bot.lock import is_locked
from services.leases import STALE, this_host
from storage.leases import LeaseRepository

PYTHON, SQLITE = (3, 11), (3, 38)
OPEN_FILES = 1024
LOCK_FILE = Path(__file__).parents[2] / "requirements.lock"
PINNED = re.compile(r"([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^\s;\\]+)")
HEALTH_SECONDS = 5


def versions() -> Iterator[Finding]:
    running = f"Porter {__version__}, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    if sys.version_info < PYTHON:
        yield error("python-old", f"{running}: this Python is too old.", "Install Python 3.11 or newer.")
    elif sqlite3.sqlite_version_info < SQLITE or not _has_trigrams():
        yield error("sqlite-old", f"{running}: this SQLite lacks what Porter needs.", "Use a Python with SQLite 3.38+.")
    else:
        yield ok("versions", f"{running}.")


def _has_trigrams() -> bool:
    with closing(sqlite3.connect(":memory:")) as connection:
        try:
            connection.execute("CREATE VIRTUAL TABLE t USING fts5(words, tokenize = 'trigram')")
        except sqlite3.OperationalError:
            return False
    return True


def libraries(lock_file: Path = LOCK_FILE) -> Iterator[Finding]:
    """Against the pins, where they are at hand. What is pinned for other systems alone may be missing."""
    if not lock_file.exists():
        return
    wanted: dict[str, set[str]] = {}
    for line in lock_file.read_text().splitlines():
        if pinned := PINNED.match(line):
            wanted.setdefault(pinned[1], set()).add(pinned[2])
    others = []
    for name, pins in wanted.items():
        try:
            found = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
        if found not in pins:
            others.append(f"{name} {found} (pinned: {' or '.join(sorted(pins))})")
    if others:
        what = f"Other versions are installed than Porter was tested with: {some(others)}."
        yield warning("library-version", what, f"pip install --require-hashes -r {lock_file.name}")
    else:
        yield ok("libraries", f"The libraries are those of {lock_file.name}.")


def limits() -> Iterator[Finding]:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < OPEN_FILES:
        what = f"A process may have {soft} files open; each account and download needs some."
        yield warning("open-files", what, f"Allow {OPEN_FILES} or more (ulimit -n, LimitNOFILE= of systemd).")
    else:
        yield ok("limits", f"A process may have {'any number of' if soft < 0 else soft} files open.")


def zones() -> Iterator[Finding]:
    if not available_timezones():
        yield error("tzdata-missing", "This system has no time zones at all.", "Install the package tzdata.")
    else:
        yield ok("time-zones", "The time zones are there.")


def here(case: Case) -> Iterator[Finding]:
    case.runs_here = is_locked(case.settings.data_dir)
    if case.runs_here:
        what = "A Porter runs on this DATA_DIR."
        yield note("porter-runs", what, "Nothing to do. Stop it before rekey, restore or an upgrade by --fix.")
    else:
        yield ok("porter", "No Porter runs on this DATA_DIR.")


async def elsewhere(case: Case) -> AsyncIterator[Finding]:
    lease = await LeaseRepository(case.database, "doctor", this_host()).elsewhere(case.clock() - STALE)
    if lease is not None:
        what = f"A Porter on another host uses this database: {lease.process}, seen {lease.beat_at:%H:%M:%S} UTC."
        cure = "Stop one of the two: an account that is used from two addresses is signed out for good."
        yield error("porter-elsewhere", what, cure)
    else:
        yield ok("leases", "No other host uses this database.")


async def health(case: Case) -> AsyncIterator[Finding]:
    port = case.settings.health_port
    if port is None:
        return
    with closing(socket.socket()) as probe:
        # As servers bind: what a connection of the last minute left over does not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            is_taken = True
        else:
            is_taken = False
    if is_taken and not (case.runs_here and await _is_porter(port)):
        what = f"HEALTH_PORT {port} of this machine is taken by another program."
        yield error("health-port-taken", what, "Set HEALTH_PORT to a free port, or stop that program.")
    elif case.runs_here and not is_taken:
        what = f"Porter runs, but does not answer at HEALTH_PORT {port}."
        yield note("health-port-silent", what, "Start Porter again if the setting is new.")
    else:
        yield ok("health-port", f"HEALTH_PORT {port} is {'answered by Porter' if is_taken else 'free'}.")


async def _is_porter(port: int) -> bool:
    timeout = aiohttp.ClientTimeout(total=HEALTH_SECONDS)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(_address(port)) as response:
            answer = await response.json(content_type=None)
    except (TimeoutError, aiohttp.ClientError, ValueError):
        return False
    return isinstance(answer, dict) and "ok" in answer


def _address(port: int) -> str:
    return f"http://127.0.0.1:{port}/health"
