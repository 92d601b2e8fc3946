"""Settings: what is refused, in words that a person can act on, and what never prints."""

from pathlib import Path

import pytest

from bot.settings import Settings, SettingsInvalid, load_health_port, load_settings

TOKEN = "123456:AAmade-up-token-for-tests-only"


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("ENV_FILE", "")
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("BOT_TOKEN", "", "BOT_TOKEN is missing"),
        ("BOT_TOKEN", "abc", "BOT_TOKEN must look like"),
        ("ADMIN_IDS", "1,two", "ADMIN_IDS must be Telegram user ids"),
        ("ADMIN_IDS", "-1001", "ADMIN_IDS must be Telegram user ids"),
        ("API_ID", "0", "API_ID"),
        ("API_ID", "5", "go together"),
        ("TIMEZONE", "Mars/Olympus", "TIMEZONE must be a zone"),
        ("MTPROTO_SERVER", "localhost:1", "MTPROTO_SERVER must be DC@HOST:PORT"),
        ("NAS_ROOTS", "nas", "NAS_ROOTS must be name=/mount/point"),
        ("LOG_LEVEL", "LOUD", "LOG_LEVEL"),
        ("HEALTH_PORT", "99999", "HEALTH_PORT"),
        ("PING_URL", "hc-ping.example/uuid", "PING_URL must be an address"),
        ("PING_URL", "https://", "PING_URL must be an address"),
        ("PING_URL", "http://host:none/uuid", "PING_URL must be an address"),
        ("PING_URL", "ftp://host/uuid", "PING_URL must be an address"),
        ("DOWNLOAD_DIR", "data/files", "may not lie in one another"),
    ],
)
def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: str) -> None:
    """One line that names the setting and what it must be."""
    monkeypatch.setenv("BOT_TOKEN", TOKEN)
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsInvalid) as refusal:
        load_settings()
    assert words in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_secrets_never_print(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a repr nor a refusal shows a token, a hash or a key."""
    monkeypatch.setenv("BOT_TOKEN", TOKEN)
    monkeypatch.setenv("API_ID", "1")
    monkeypatch.setenv("API_HASH", "made-up-hash")
    monkeypatch.setenv("MASTER_PASSPHRASE", "made-up-passphrase")
    settings = load_settings()
    printed = f"{settings!r} {settings} {settings.api!r} {settings.keys!r}"
    for secret in (TOKEN, "made-up-hash", "made-up-passphrase"):
        assert secret not in printed
    monkeypatch.setenv("BOT_TOKEN", "made-up-and-wrong")
    with pytest.raises(SettingsInvalid) as refusal:
        load_settings()
    assert "made-up-and-wrong" not in str(refusal.value)


def test_the_log_is_told_every_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each secret that is set is struck out of the log; nothing else is."""
    secrets = {
        "BOT_TOKEN": TOKEN,
        "API_HASH": "made-up-hash",
        "MASTER_KEY": "made-up-key",
        "PING_URL": "https://host.example/made-up",
    }
    for name, value in {**secrets, "API_ID": "1"}.items():
        monkeypatch.setenv(name, value)
    assert sorted(load_settings().secrets) == sorted(secrets.values())


def test_health_reads_its_port_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command works with nothing else set; without a port, or a wrong one, it is refused."""
    monkeypatch.setenv("HEALTH_PORT", "8090")
    assert load_health_port() == 8090
    for wrong in ("99999", ""):
        monkeypatch.setenv("HEALTH_PORT", wrong)
        with pytest.raises(SettingsInvalid, match="HEALTH_PORT"):
            load_health_port()


def test_values_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lists and paths come out as such; an empty value counts as not given."""
    for name, value in {
        "BOT_TOKEN": TOKEN,
        "ADMIN_IDS": "12, 34",
        "NAS_ROOTS": "big=/mnt/big,old=/mnt/old",
        "TIMEZONE": "Europe/Berlin",
        "NOTIFY_CHAT": "",
    }.items():
        monkeypatch.setenv(name, value)
    settings = load_settings()
    assert settings.admin_ids == (12, 34)
    assert settings.nas_roots == {"big": Path("/mnt/big"), "old": Path("/mnt/old")}
    assert settings.zone.key == "Europe/Berlin"
    assert settings.notify_chat is None


def test_the_group_for_notices_is_no_person(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ids of people are above zero: one of them here is a mistake."""
    monkeypatch.setenv("BOT_TOKEN", TOKEN)
    monkeypatch.setenv("NOTIFY_CHAT", "5100000001")
    with pytest.raises(SettingsInvalid, match="NOTIFY_CHAT"):
        load_settings()


@pytest.mark.parametrize("roots", ["nas=mnt/nas", "/mnt/nas", "local=/mnt", "a b=/mnt", "a:b=/mnt", f"{'n' * 21}=/mnt"])
def test_roots_that_cannot_be(monkeypatch: pytest.MonkeyPatch, roots: str) -> None:
    """A root has a plain name, which is not the one of DOWNLOAD_DIR, and an absolute path."""
    monkeypatch.setenv("BOT_TOKEN", TOKEN)
    monkeypatch.setenv("NAS_ROOTS", roots)
    with pytest.raises(SettingsInvalid, match="NAS_ROOTS"):
        load_settings()


def test_the_env_file_is_read_and_the_environment_wins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """ENV_FILE names the file; what stands in the environment goes before it."""
    (tmp_path / "here.env").write_text(f"BOT_TOKEN={TOKEN}\nTIMEZONE=Europe/Berlin\n")
    monkeypatch.setenv("ENV_FILE", "here.env")
    monkeypatch.setenv("TIMEZONE", "Asia/Tokyo")
    settings = load_settings()
    assert settings.bot_token.get_secret_value() == TOKEN
    assert settings.timezone == "Asia/Tokyo"
