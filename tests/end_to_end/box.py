"""What compose.yaml asks of a container, without Docker: a root file system of its own that nobody can write to, a user
that nobody knows, no capability, no HOME. Needs root and `unshare`; nothing of it outlives the process."""

import asyncio
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import pytest

ROOT = Path(__file__).parents[2]
STRANGER = 12345
"""No line of /etc/passwd has it."""

# $1: where the new root is made, $2: the user; then the folders that are seen as they are; "--"; the command.
BUILD = """
set -e
root=$1 user=$2; shift 2
mount --make-rprivate /
mount -t tmpfs -o mode=755 none "$root"
mkdir "$root/tmp"
mount -t tmpfs -o mode=1777,size=64m,noexec,nosuid,nodev none "$root/tmp"
while [ "$1" != -- ]; do
    mkdir -p "$root$1"
    mount --rbind "$1" "$root$1"
    mount -o remount,bind,ro "$root$1"
    shift
done
shift
for place in app run/secrets data downloads; do
    mkdir -p "$root/$place"
    mount --bind "$BOX/$place" "$root/$place"
done
mount -o remount,bind,ro "$root/app"
mount -o remount,bind,ro "$root/run/secrets"
mkdir "$root/proc" "$root/dev"
mount -t proc none "$root/proc"
mount --rbind /dev "$root/dev"
mount -o remount,ro "$root"
exec chroot "$root" setpriv --reuid "$user" --regid "$user" --clear-groups --no-new-privs --inh-caps=-all \
    --bounding-set=-all env --chdir=/app "$@"
"""


@dataclass
class Box:
    """`home`: where its folders and its log lie. `env`: all that its processes know of the world."""

    home: Path
    env: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if os.geteuid() or subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode:
            pytest.skip("a file system cannot be mounted here: that takes root, and CAP_SYS_ADMIN in a container")
        for place in ("root", "app", "run/secrets", "data", "downloads"):
            (self.home / place).mkdir(parents=True)
        for place in ("data", "downloads"):
            os.chown(self.home / place, STRANGER, STRANGER)
        for folder in ("bot", "handlers", "services", "storage"):
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / folder, self.home / "app" / folder, ignore=ignored)

    def put_secret(self, name: str, content: str) -> str:
        """Its path inside."""
        path = self.home / "run" / "secrets" / name
        path.write_text(content)
        path.chmod(0o400)
        os.chown(path, STRANGER, STRANGER)
        return f"/run/secrets/{name}"

    @property
    def log(self) -> str:
        return (self.home / "log").read_text()

    async def begin(self, *words: str) -> asyncio.subprocess.Process:
        """`python` with these words, in /app. Its pid is the command's own; its output goes to the log."""
        env = [f"{name}={value}" for name, value in self.env.items()]
        command = [
            "unshare",
            "--mount",
            "sh",
            "-c",
            BUILD,
            "box",
            str(self.home / "root"),
            str(STRANGER),
            *_seen(),
            "--",
        ]
        command += ["--ignore-environment", *env, _python(), *words]
        with (self.home / "log").open("ab") as log:
            return await _start(command, self.home, log)


def _python() -> str:
    """Of the real folder: where .venv is a link, nobody in the box can follow it."""
    return str(Path(os.path.realpath(sys.prefix)) / "bin" / "python")


def _seen() -> list[str]:
    system = [place for place in ("/usr", "/bin", "/lib", "/lib64", "/etc") if Path(place).exists()]
    python = dict.fromkeys(os.path.realpath(prefix) for prefix in (sys.base_prefix, sys.prefix))
    return [*system, *(prefix for prefix in python if not prefix.startswith("/usr"))]


async def _start(command: list[str], home: Path, log: IO[bytes]) -> asyncio.subprocess.Process:
    environment = {"PATH": os.environ["PATH"], "BOX": str(home)}
    return await asyncio.create_subprocess_exec(*command, env=environment, stdout=log, stderr=log)
