"""The outcome of a decision on many as a table for a spreadsheet. Names are what strangers typed, and stay text."""

import csv
from collections.abc import Iterable
from io import StringIO

from storage.request_models import BulkItem

HEADER = ("name", "username", "user_id", "asked", "outcome", "reason", "unseen")
RISKY = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What a spreadsheet may take for the beginning of a formula (OWASP, CSV injection)."""


class Table:
    """Filled part by part: a hundred thousand people are never held as objects."""

    def __init__(self) -> None:
        self._text = StringIO(newline="")
        self._writer = csv.writer(self._text)
        self._writer.writerow(HEADER)

    def add(self, items: Iterable[BulkItem]) -> None:
        for item in items:
            request = item.request
            self._writer.writerow(
                (
                    harmless(request.name),
                    harmless(request.username or ""),
                    request.user_id,
                    f"{request.asked_at:%Y-%m-%d %H:%M:%S}",
                    item.outcome.lower() if item.outcome else "waiting",
                    harmless(item.reason or "") if item.outcome else "",
                    "yes" if item.is_unseen else "",
                )
            )

    def content(self) -> bytes:
        """UTF-8 with the mark by which Excel knows it; times are UTC."""
        return self._text.getvalue().encode("utf-8-sig", errors="replace")


def harmless(cell: str) -> str:
    """As it is; behind an apostrophe where a spreadsheet would read a formula."""
    return f"'{cell}" if cell.lstrip(" ").startswith(RISKY) else cell
