"""What an operator sets, from the environment or `.env`. The only reader of the environment.

Names are a contract (README, .env.example). Secrets are SecretStr: they print as stars.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

if TYPE_CHECKING:  # `python -m bot health` comes by every half minute, and shall cost next to nothing
    from services.clients.base import ApiCredentials, MtprotoServer
    from storage.keys import KeyConfig

ROOT_NAME = re.compile(r"(?!local$)[a-z0-9_-]{1,20}", re.IGNORECASE)
"""Stored in rows, and shown in the chat beside Local."""


class SettingsInvalid(Exception):
    """One line that a person can act on; values never stand in it. `problems`: its parts."""

    def __init__(self, *problems: str) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


HealthPort = Annotated[int | None, Field(ge=1, le=65535)]


class Settings(BaseSettings):
    model_config = SettingsConfigDict(hide_input_in_errors=True, extra="ignore", env_ignore_empty=True)

    bot_token: SecretStr
    admin_ids: Annotated[tuple[int, ...], NoDecode] = ()
    api_id: int | None = Field(default=None, gt=0)
    api_hash: SecretStr | None = None
    data_dir: Path = Path("data")
    download_dir: Path = Path("downloads")
    nas_roots: Annotated[dict[str, Path], NoDecode] = Field(default_factory=dict)
    reserve_mb: int = Field(default=512, ge=0)
    ask_above_gb: int = Field(default=20, ge=0)
    download_window_mb: int = Field(default=4, ge=2, le=8)
    master_key: SecretStr | None = None
    master_key_file: Path | None = None
    master_passphrase: SecretStr | None = None
    allow_export: bool = False
    timezone: str = "UTC"
    retention_days: int = Field(default=90, ge=0, le=36_500)
    notify_chat: int | None = Field(default=None, lt=0)
    bot_api_url: str | None = None
    mtproto_server: str | None = None
    mtproto_public_key_file: Path | None = None
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["text", "json"] = "text"
    health_port: HealthPort = None
    ping_url: SecretStr | None = None

    @field_validator("bot_token")
    @classmethod
    def _token_has_its_shape(cls, value: SecretStr) -> SecretStr:
        number, colon, secret = value.get_secret_value().partition(":")
        if not (number.isdigit() and colon and secret):
            raise ValueError("must look like 123456:ABC... as BotFather gave it")
        return value

    @field_validator("admin_ids", mode="before")
    @classmethod
    def _split_ids(cls, value: object) -> object:
        if isinstance(value, str):
            parts = [part.strip() for part in value.split(",") if part.strip()]
            if not all(part.isdigit() and int(part) > 0 for part in parts):
                raise ValueError("must be Telegram user ids: positive numbers with commas between")
            return tuple(int(part) for part in parts)
        return value

    @field_validator("nas_roots", mode="before")
    @classmethod
    def _split_roots(cls, value: object) -> object:
        if isinstance(value, str):
            pairs = [part.partition("=") for part in value.split(",") if part.strip()]
            if not all(name.strip() and Path(path.strip()).is_absolute() for name, _, path in pairs):
                raise ValueError("must be name=/mount/point with commas between")
            if not all(ROOT_NAME.fullmatch(name.strip()) for name, _, _ in pairs):
                raise ValueError("names are 1 to 20 letters, digits, - or _, and not Local")
            return {name.strip(): Path(path.strip()) for name, _, path in pairs}
        return value

    @field_validator("timezone")
    @classmethod
    def _zone_exists(cls, value: str) -> str:
        if value != "UTC" and value not in available_timezones():  # which reads the whole tz database
            raise ValueError("must be a zone of the tz database, such as Europe/Berlin")
        return value

    @field_validator("mtproto_server")
    @classmethod
    def _server_has_its_shape(cls, value: str | None) -> str | None:
        if value is not None:
            dc, at, address = value.partition("@")
            host, colon, port = address.rpartition(":")
            if not (dc.isdigit() and at and host and colon and port.isdigit()):
                raise ValueError("must be DC@HOST:PORT")
        return value

    @field_validator("ping_url")
    @classmethod
    def _address_has_its_shape(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            try:
                parts = urlsplit(value.get_secret_value())
                is_address = parts.scheme in ("http", "https") and parts.hostname and (parts.port or 1)
            except ValueError:
                is_address = False
            if not is_address:
                raise ValueError("must be an address that begins with https:// or http://")
        return value

    @model_validator(mode="after")
    def _fits_together(self) -> "Settings":
        if (self.api_id is None) != (self.api_hash is None):
            raise ValueError("API_ID and API_HASH go together: set both or none")
        if (self.mtproto_server is None) != (self.mtproto_public_key_file is None):
            raise ValueError("MTPROTO_SERVER and MTPROTO_PUBLIC_KEY_FILE go together: set both or none")
        data, downloads = self.data_dir.resolve(), self.download_dir.resolve()
        if data == downloads or data in downloads.parents or downloads in data.parents:
            raise ValueError("DOWNLOAD_DIR and DATA_DIR may not lie in one another")
        return self

    @property
    def bot_id(self) -> int:
        """Whose token it is, as the token says."""
        return int(self.bot_token.get_secret_value().partition(":")[0])

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @property
    def api(self) -> "ApiCredentials | None":
        from services.clients.base import ApiCredentials

        if self.api_id is None or self.api_hash is None:
            return None
        return ApiCredentials(self.api_id, self.api_hash.get_secret_value())

    @property
    def keys(self) -> "KeyConfig":
        from storage.keys import KeyConfig

        return KeyConfig(
            master_key=_reveal(self.master_key),
            master_key_file=self.master_key_file,
            master_passphrase=_reveal(self.master_passphrase),
            default_key_file=self.data_dir / "porter.key",
        )

    def mtproto(self) -> "MtprotoServer | None":
        """The other MTProto server, its key read from the file; None: Telegram itself."""
        from services.clients.base import MtprotoServer

        if self.mtproto_server is None or self.mtproto_public_key_file is None:
            return None
        dc, _, address = self.mtproto_server.partition("@")
        host, _, port = address.rpartition(":")
        try:
            pem = self.mtproto_public_key_file.read_text()
        except OSError as error:
            raise SettingsInvalid(f"MTPROTO_PUBLIC_KEY_FILE cannot be read: {error.strerror}") from error
        return MtprotoServer(int(dc), host, int(port), pem)

    @property
    def secrets(self) -> list[str]:
        """What no line of the log may show."""
        values = (getattr(self, name) for name in type(self).model_fields)
        return [value.get_secret_value() for value in values if isinstance(value, SecretStr)]

    @property
    def network(self) -> str:
        """Which Telegram a database belongs to."""
        return "telegram" if self.mtproto_server is None else "other"


def _reveal(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()


def env_file() -> Path | None:
    """The file that ENV_FILE names (default `.env`). None: no file is read."""
    name = os.environ.get("ENV_FILE", ".env")
    return Path(name) if name else None


def load_settings() -> Settings:
    """Settings from the environment and the file of `env_file`.

    Raises SettingsInvalid with every problem in one line.
    """
    with _refusing():
        return Settings(_env_file=env_file())


class BackupSettings(BaseSettings):
    """Read by `backup` and `restore` alone: a Porter that runs has no business with it."""

    model_config = SettingsConfigDict(hide_input_in_errors=True, extra="ignore", env_ignore_empty=True)

    backup_passphrase: SecretStr | None = None


def load_backup_passphrase() -> str | None:
    """BACKUP_PASSPHRASE, for scripts. None: ask."""
    return _reveal(BackupSettings(_env_file=env_file()).backup_passphrase)


class HealthSettings(BaseSettings):
    """Read by `health` alone, every half minute: the other settings are no business of its."""

    model_config = SettingsConfigDict(hide_input_in_errors=True, extra="ignore", env_ignore_empty=True)

    health_port: HealthPort = None


def load_health_port() -> int:
    """Raises SettingsInvalid."""
    with _refusing():
        port = HealthSettings(_env_file=env_file()).health_port
    if port is None:
        raise SettingsInvalid("HEALTH_PORT is missing: this Porter answers nobody who asks for its health")
    return port


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except ValidationError as error:
        problems = [_sentence(detail["loc"], detail["type"], detail["msg"]) for detail in error.errors()]
        raise SettingsInvalid(*problems) from None
    except OSError as error:
        raise SettingsInvalid(f"ENV_FILE cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:  # its text would quote the bytes
        raise SettingsInvalid("ENV_FILE is no text in UTF-8") from None


def _sentence(location: tuple[int | str, ...], kind: str, message: str) -> str:
    message = message.removeprefix("Value error, ")
    if not location:
        return message
    name = str(location[0]).upper()
    return f"{name} is missing" if kind == "missing" else f"{name} {message[0].lower()}{message[1:]}"
