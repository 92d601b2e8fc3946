"""compose.yaml: each promise of docs/decisions/0032-container.md stands in it."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.settings import Settings

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "compose.yaml").read_text()


@pytest.fixture(scope="module")
def porter() -> dict[str, Any]:
    services = yaml.safe_load(TEXT)["services"]
    assert list(services) == ["porter"]
    found: dict[str, Any] = services["porter"]
    return found


def test_nobody_is_root(porter: dict[str, Any]) -> None:
    """A user of the host's choice, no way to become another, no capability, and nothing shared with the host."""
    assert porter["user"] == "${PUID:-1000}:${PGID:-1000}"
    assert porter["cap_drop"] == ["ALL"]
    assert porter["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "cap_add", "devices", "network_mode", "pid", "ipc", "ports"} & set(porter)


def test_nothing_but_data_is_written(porter: dict[str, Any]) -> None:
    """The root file system is read-only; /tmp is in memory, has a size and runs nothing; two volumes."""
    assert porter["read_only"] is True
    (tmp,) = porter["tmpfs"]
    place, _, options = tmp.partition(":")
    assert place == "/tmp"
    assert {"noexec", "nosuid", "nodev"} <= set(options.split(","))
    assert re.search(r"size=\d+m", options)
    inside = [volume.rpartition(":")[2] for volume in porter["volumes"]]
    assert inside == [porter["environment"]["DATA_DIR"], porter["environment"]["DOWNLOAD_DIR"]]


def test_the_key_is_a_secret_file(porter: dict[str, Any]) -> None:
    """Beside neither the database nor the settings: MASTER_KEY_FILE names where compose mounts it."""
    secrets = yaml.safe_load(TEXT)["secrets"]
    assert porter["secrets"] == list(secrets)
    assert porter["environment"]["MASTER_KEY_FILE"] == f"/run/secrets/{porter['secrets'][0]}"
    for secret in secrets.values():
        assert set(secret) == {"file"}


def test_it_lives_and_stops_well(porter: dict[str, Any]) -> None:
    """An init reaps; it starts again; SIGTERM has time; memory, processes and logs have bounds; the health is asked."""
    assert porter["init"] is True
    assert porter["restart"] == "unless-stopped"
    assert int(porter["stop_grace_period"].removesuffix("s")) >= 20
    assert porter["mem_limit"]
    assert porter["pids_limit"]
    assert set(porter["logging"]["options"]) == {"max-size", "max-file"}
    assert "HEALTHCHECK" in (ROOT / "Dockerfile").read_text()
    assert 1 <= int(porter["environment"]["HEALTH_PORT"]) <= 65535


def test_every_variable_is_a_setting(porter: dict[str, Any]) -> None:
    """What it sets Porter reads, and .env has no line that compose would want; each of its own has a default."""
    assert porter["env_file"] == ".env"
    assert {name.lower() for name in porter["environment"]} <= set(Settings.model_fields)
    example = (ROOT / ".env.example").read_text()
    assert all(re.search(rf"^{name}=", example, re.MULTILINE) for name in porter["environment"])
    assert all(":-" in variable for variable in re.findall(r"\$\{([^}]*)\}", TEXT))


def test_no_secret_stands_in_it(porter: dict[str, Any]) -> None:
    """Tokens, hashes and keys come from .env or the secret file."""
    told = {name for name, field in Settings.model_fields.items() if "SecretStr" in str(field.annotation)}
    assert told
    assert not {name.upper() for name in told} & set(porter["environment"])
