"""The image: read as text, and what it copies run as it would be there."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def instructions() -> list[tuple[str, str]]:
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(line.split(maxsplit=1)[0], line.split(maxsplit=1)[1]) for line in lines]


def test_two_stages_and_nobody_is_root() -> None:
    """The compiler stays in the first stage; the second runs as a user of its own, with its data in volumes."""
    kinds = [kind for kind, _ in instructions()]
    assert kinds.count("FROM") == 2
    final = instructions()[len(kinds) - kinds[::-1].index("FROM") - 1 :]
    assert not any("gcc" in rest for _, rest in final)
    user = next(rest for kind, rest in final if kind == "USER")
    assert user not in {"root", "0"}
    assert any(kind == "VOLUME" and "/data" in rest for kind, rest in final)
    assert kinds.index("ENTRYPOINT") > kinds.index("USER")


def test_what_the_image_copies_is_enough_and_never_the_sandbox(tmp_path: Path) -> None:
    """The copied folders alone start, and refuse without a token instead of falling back to anything."""
    copied = [rest.split() for kind, rest in instructions() if kind == "COPY" and not rest.startswith("--from")]
    folders = [source for source, _ in copied if (ROOT / source).is_dir()]
    assert sorted(folders) == ["bot", "handlers", "services", "storage"]
    ignore = (ROOT / ".dockerignore").read_text().splitlines()
    assert all(f"!{source}" in ignore for source, _ in copied)
    for folder in folders:
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    imported = subprocess.run(
        [sys.executable, "-c", "import bot.app, services.clients.telethon_client, services.clients.pyrogram_client"],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False, env={"PATH": "/usr/bin"},
    )  # fmt: skip
    assert imported.returncode == 0, imported.stderr
    refused = subprocess.run(
        [sys.executable, "-m", "bot"],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False, env={"PATH": "/usr/bin", "ENV_FILE": ""},
    )  # fmt: skip
    assert refused.returncode == 2
    assert re.fullmatch(r"Porter does not start: BOT_TOKEN is missing\n", refused.stderr)


def test_the_image_asks_after_its_own_health() -> None:
    """The port is set, the check is Porter's own command, SIGTERM stops it, and no user is named by a name: a host
    that decides whether it is root knows numbers alone."""
    final = dict(instructions())
    assert "HEALTH_PORT=" in final["ENV"]
    assert final["HEALTHCHECK"].endswith('CMD ["python", "-m", "bot", "health"]')
    assert "--start-period=" in final["HEALTHCHECK"]
    assert final["STOPSIGNAL"] == "SIGTERM"
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", final["USER"])


def test_hadolint_finds_nothing() -> None:
    """The linter of Dockerfiles; what it is told to ignore stands in the Dockerfile, with its reason."""
    hadolint = Path(sys.executable).with_name("hadolint")
    if not hadolint.exists():
        pytest.skip("hadolint comes for Linux on x86-64 alone")
    linted = subprocess.run(
        [str(hadolint), "--no-color", str(ROOT / "Dockerfile")], capture_output=True, text=True, timeout=60, check=False
    )
    assert linted.returncode == 0, linted.stdout + linted.stderr
