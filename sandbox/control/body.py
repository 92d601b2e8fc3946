"""JSON bodies and query parameters, read strictly: who writes a test wants to hear of a typing error."""

import json
from typing import Any

from aiohttp import web


class ControlError(Exception):
    """Answered as {"error": sentence} with that HTTP status."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence


def bad(sentence: str) -> ControlError:
    return ControlError(400, sentence)


def missing(sentence: str) -> ControlError:
    return ControlError(404, sentence)


class Body:
    """A JSON object. Every field is asked for by name and kind; `done` refuses those that nobody asked for."""

    def __init__(self, values: dict[str, Any]) -> None:
        self._values = values
        self._asked: set[str] = set()

    def has(self, name: str) -> bool:
        return self._values.get(name) is not None

    def text(self, name: str, default: str | None = None) -> str:
        value = self._get(name, default)
        if not isinstance(value, str):
            raise bad(f"{name} must be a string")
        return value

    def integer(self, name: str, default: int | None = None, *, low: int | None = None, high: int = 2**63) -> int:
        value = self._get(name, default)
        if isinstance(value, bool) or not isinstance(value, int):
            raise bad(f"{name} must be a whole number")
        if not (-high if low is None else low) <= value <= high:
            raise bad(f"{name} is out of range")
        return value

    def number(self, name: str) -> float:
        value = self._get(name, None)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1e9:
            raise bad(f"{name} must be a number that is not negative")
        return float(value)

    def flag(self, name: str, default: bool | None = None) -> bool:
        value = self._get(name, default)
        if not isinstance(value, bool):
            raise bad(f"{name} must be true or false")
        return value

    def inner(self, name: str) -> "Body":
        value = self._get(name, None)
        if not isinstance(value, dict):
            raise bad(f"{name} must be an object")
        return Body(value)

    def integers(self, name: str) -> list[int]:
        value = self._get(name, None)
        if not isinstance(value, list) or not all(isinstance(item, int) for item in value):
            raise bad(f"{name} must be a list of whole numbers")
        return value

    def texts(self, name: str) -> list[str]:
        value = self._get(name, None)
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise bad(f"{name} must be a list of strings")
        return value

    def done(self) -> None:
        if unknown := sorted(set(self._values) - self._asked):
            raise bad(f"nothing here takes {', '.join(unknown)}")

    def _get(self, name: str, default: Any) -> Any:
        self._asked.add(name)
        value = self._values.get(name)
        if value is None:
            if default is None:
                raise bad(f"{name} is missing")
            return default
        return value


async def read_body(request: web.Request) -> Body:
    try:
        value = json.loads(await request.text())
    except ValueError:
        raise bad("the body must be JSON") from None
    if not isinstance(value, dict):
        raise bad("the body must be a JSON object")
    return Body(value)


def query_integer(request: web.Request, name: str, default: int | None = None) -> int:
    text = request.query.get(name, "")
    if not text and default is not None:
        return default
    return _integer(text, name)


def path_integer(request: web.Request, name: str) -> int:
    return _integer(request.match_info[name], name)


def _integer(text: str, name: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise bad(f"{name} must be a whole number") from None
