"""Logging: text or JSON on stderr, ids and counts, never content. Secrets are struck out at the handler.

Each line carries the ids of the work that it was written in (services/log_context.py); `extra` has the last word.
"""

import json
import logging
import re
import sys
from typing import Any, Literal

from services import log_context

# These print whole requests, parameters or messages below INFO (LIBRARIES.md section 7; kurigram's session).
NOISY = {
    "aiosqlite": logging.INFO,
    "alembic": logging.WARNING,
    "apscheduler": logging.WARNING,
    "asyncio": logging.INFO,
    "aiogram.event": logging.WARNING,
    "cron_descriptor": logging.INFO,
    "pyrogram": logging.WARNING,
    "sqlalchemy": logging.WARNING,
    "telethon": logging.WARNING,
}

SECRET_SHAPES = re.compile(
    r"(?<!\d)\d{5,}:[A-Za-z0-9_-]{20,}"  # a bot token, in a URL or alone
    r"|\b[A-Za-z0-9+/_-]{300,}={0,2}"  # a session string or an auth key
)
CONTEXT_FIELDS = (
    *("admin_id", "run_id", "source_id", "session_id", "channel_id"),
    *("request_id", "rule_id", "schedule_id", "subject_id", "conversation_id", "reason"),
)


class Redactor(logging.Filter):
    """Replaces what looks like a secret, and the given values, in the finished text of a record."""

    def __init__(self, secrets: list[str]) -> None:
        super().__init__()
        self._secrets = [secret for secret in secrets if len(secret) >= 8]

    def clean(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "[secret]")
        return SECRET_SHAPES.sub("[secret]", text)


class TextFormatter(logging.Formatter):
    def __init__(self, redactor: Redactor) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s: %(message)s%(context)s", "%Y-%m-%d %H:%M:%S")
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        fields = _context(record)
        record.context = "".join(f" {name}={value}" for name, value in fields.items())
        return self._redactor.clean(super().format(record))


class JsonFormatter(logging.Formatter):
    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **_context(record),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return self._redactor.clean(json.dumps(line, ensure_ascii=False, default=str))


def _context(record: logging.LogRecord) -> dict[str, Any]:
    ambient = log_context.ids()
    fields = {name: getattr(record, name, ambient.get(name)) for name in CONTEXT_FIELDS}
    return {name: value for name, value in fields.items() if value is not None}


def configure_logging(level: str, style: Literal["text", "json"], secrets: list[str]) -> None:
    redactor = Redactor(secrets)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter(redactor) if style == "json" else TextFormatter(redactor))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name, floor in NOISY.items():
        logging.getLogger(name).setLevel(max(floor, logging.getLevelName(level)))
