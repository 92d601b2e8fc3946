"""Buttons, one module a conversation: pure functions from rows to markup. No services, no state."""

from handlers.keyboards import (
    account_channels,
    applications,
    bots,
    editing,
    forget,
    home,
    imports,
    login,
    people,
    requests,
    restored,
    runs,
    sessions,
    sources,
)
from handlers.keyboards.base import ROWS, one, only_home, window

__all__ = [
    "ROWS",
    "account_channels",
    "applications",
    "bots",
    "editing",
    "forget",
    "home",
    "imports",
    "login",
    "one",
    "only_home",
    "people",
    "requests",
    "restored",
    "runs",
    "sessions",
    "sources",
    "window",
]
