"""The arguments of a call, however they came: query string, JSON, form or multipart. As lenient as Telegram is."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import BodyPartReader, web

from sandbox.bot_api.errors import BotApiError, bad_request

MAX_UPLOAD_BYTES = 50 * 1024 * 1024
TOO_LARGE = BotApiError(413, "Request Entity Too Large")


@dataclass(frozen=True)
class Upload:
    filename: str
    mime: str
    content: bytes


class Params:
    def __init__(self, values: Mapping[str, Any], files: Mapping[str, Upload] | None = None) -> None:
        self._values = values
        self.files = files or {}

    def has(self, name: str) -> bool:
        return self._values.get(name) not in (None, "")

    def text(self, name: str) -> str:
        """Empty when absent. A number is written out; a structure is not text."""
        value = self._values.get(name, "")
        if value is None or isinstance(value, dict | list):
            return ""
        return str(value)

    def integer(self, name: str, default: int = 0, low: int | None = None, high: int | None = None) -> int:
        """What is no number counts as absent, what is out of range is moved to its border."""
        try:
            value = int(self.text(name) or default)
        except ValueError:
            value = default
        if low is not None:
            value = max(low, value)
        return value if high is None else min(high, value)

    def flag(self, name: str) -> bool:
        return self.text(name).strip().lower() in ("true", "1", "yes")

    def structure(self, name: str, what: str) -> Any:
        """A JSON value, or None when absent. Raises BotApiError 400 naming `what` cannot be parsed."""
        value = self._values.get(name)
        if not isinstance(value, str):
            return value
        if not value:
            return None
        try:
            return json.loads(value)
        except ValueError:
            raise bad_request(f"can't parse {what} JSON object") from None


async def read_params(request: web.Request) -> Params:
    """Raises BotApiError: 413 for more than 50 MB, 400 for JSON that is none."""
    values: dict[str, Any] = dict(request.query)
    files: dict[str, Upload] = {}
    try:
        if request.content_type == "application/json":
            values |= _object(await request.read())
        elif request.content_type == "multipart/form-data":
            await _read_multipart(request, values, files)
        elif request.can_read_body:
            values |= await request.post()
    except web.HTTPRequestEntityTooLarge:
        raise TOO_LARGE from None
    return Params(values, files)


def _object(body: bytes) -> dict[str, Any]:
    try:
        parsed = json.loads(body or b"{}")
    except ValueError:
        raise bad_request("can't parse JSON object") from None
    if not isinstance(parsed, dict):
        raise bad_request("object expected as parameters")
    return parsed


async def _read_multipart(request: web.Request, values: dict[str, Any], files: dict[str, Upload]) -> None:
    room = MAX_UPLOAD_BYTES
    try:
        async for part in await request.multipart():
            if not isinstance(part, BodyPartReader) or part.name is None:
                continue
            content = bytearray()
            while chunk := await part.read_chunk(64 * 1024):
                room -= len(chunk)
                if room < 0:
                    raise TOO_LARGE
                content += chunk
            if part.filename is None:
                values[part.name] = content.decode(errors="replace")
            else:
                mime = part.headers.get("Content-Type", "application/octet-stream")
                files[part.name] = Upload(part.filename, mime, bytes(content))
    except ValueError:  # no boundary, or a part that does not end
        raise bad_request("can't parse multipart body") from None
