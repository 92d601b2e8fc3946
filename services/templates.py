"""Names of files from a template: `{date:%Y}/{id} {name}`.

A template is read by a parser of its own, which knows the fields below and nothing else of Python's formatting: no
attributes, no indexes, no conversions. Folders are made by `/` in the template alone; whatever a value brings along
goes through names.safe_name, so that a stranger's name, caption or title never makes a folder nor leaves one.
"""

import mimetypes
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, tzinfo
from enum import StrEnum
from pathlib import PurePosixPath

from services.errors import TemplateInvalid, TemplateTrouble
from services.names import MAX_DEPTH, MAX_EXTENSION_BYTES, MAX_NAME_BYTES, safe_name, shorten
from storage.models import File, FileKind, NewMessage

DEFAULT = "{id} {name}"
"""Porter's own names: the folder sorts as the channel does."""
LONGEST = 200
VALUE_BYTES = 60
"""Of captions and titles, so that one value leaves room for the others."""
PLAIN_DATE = "%Y-%m-%d"
DATE_LETTERS = "YymdHMSjVG"
DATE = re.compile(rf"(?:[^%]|%[{DATE_LETTERS}])+")


class Field(StrEnum):
    CHANNEL = "channel"
    DATE = "date"
    ID = "id"
    NAME = "name"
    CAPTION = "caption"
    SENDER = "sender"
    ALBUM = "album"


@dataclass(frozen=True, slots=True)
class Facts:
    """What a name may be made of. `name`: as its sender called the file; `date` is written in its own zone."""

    channel: str
    message_id: int
    document_id: int
    kind: FileKind
    name: str
    mime: str
    date: datetime
    caption: str
    sender_id: int | None
    album_id: int | None


def facts_of(file: File, channel: str, message: NewMessage, zone: tzinfo) -> Facts:
    return Facts(
        channel=channel,
        message_id=file.message_id,
        document_id=file.document_id,
        kind=file.kind,
        name=file.name,
        mime=file.mime,
        date=file.date.astimezone(zone),
        caption=message.text,
        sender_id=message.sender_id,
        album_id=message.grouped_id,
    )


@dataclass(frozen=True, slots=True)
class _Slot:
    field: Field
    format: str = ""


_Part = tuple[str | _Slot, ...]


@dataclass(frozen=True, slots=True)
class Template:
    folders: tuple[_Part, ...]
    last: _Part

    def render(self, facts: Facts, *, with_document: bool = False) -> tuple[str, str]:
        """(folders below the source's, "" for none; name). `with_document` tells two files of one name apart.

        A folder for which nothing is left is left out; a name for which nothing is left is the message's number.
        """
        folders = [safe_name(_fill(part, facts)) for part in self.folders]
        return "/".join(folder for folder in folders if folder), self._name(facts, with_document)

    def _name(self, facts: Facts, with_document: bool) -> str:
        has_id = any(isinstance(piece, _Slot) and piece.field is Field.ID for piece in self.last)
        number = f"{facts.message_id} {facts.document_id}" if with_document and has_id else None
        extension = _extension(facts)
        name = safe_name(_fill(self.last, facts, number), LONGEST_RAW) or str(facts.message_id)
        if extension and not name.lower().endswith(extension.lower()):
            name += extension
        if with_document and not has_id:
            ending = extension if extension and name.lower().endswith(extension.lower()) else ""
            tail = f" {facts.document_id}{name[len(name) - len(ending) :]}"
            stem = name[: len(name) - len(ending)]
            return shorten(stem, MAX_NAME_BYTES - len(tail.encode()), keep_extension=False) + tail
        return shorten(name, MAX_NAME_BYTES)


LONGEST_RAW = 1 << 20


def parse(text: str) -> Template:
    """Raises TemplateInvalid."""
    if not text.strip():
        raise TemplateInvalid(TemplateTrouble.EMPTY)
    if len(text) > LONGEST or not text.isprintable():
        raise TemplateInvalid(TemplateTrouble.TOO_LONG)
    parts: list[list[str | _Slot]] = [[]]
    for piece in _pieces(text.strip()):
        if piece == "/":
            parts.append([])
        else:
            parts[-1].append(piece)
    if len(parts) > MAX_DEPTH:
        raise TemplateInvalid(TemplateTrouble.TOO_DEEP)
    for part in parts:
        _check(part)
    if not any(isinstance(piece, _Slot) for piece in parts[-1]):
        raise TemplateInvalid(TemplateTrouble.CONSTANT)
    return Template(tuple(tuple(part) for part in parts[:-1]), tuple(parts[-1]))


def depth(text: str) -> int:
    """How many folders it makes, at most. Raises TemplateInvalid."""
    return len(parse(text).folders)


def _check(part: list[str | _Slot]) -> None:
    """What the template itself says of a folder or name is usable as it stands."""
    literal = "".join(piece if isinstance(piece, str) else "x" for piece in part).strip(" ")
    if not literal or literal != safe_name(literal):
        raise TemplateInvalid(TemplateTrouble.BAD_FOLDER, literal)


def _pieces(text: str) -> Iterator[str | _Slot]:
    """Characters, "/" for the end of a folder, and fields."""
    position = 0
    while position < len(text):
        character = text[position]
        if text[position : position + 2] in ("{{", "}}"):
            yield character
            position += 2
        elif character == "}":
            raise TemplateInvalid(TemplateTrouble.BRACE)
        elif character != "{":
            yield character
            position += 1
        else:
            end = text.find("}", position)
            if end < 0:
                raise TemplateInvalid(TemplateTrouble.BRACE)
            yield from _slots(text[position + 1 : end])
            position = end + 1


def _slots(inside: str) -> Iterator[str | _Slot]:
    """One field; a date may hold folders."""
    name, colon, form = inside.partition(":")
    if name not in set(Field):
        raise TemplateInvalid(TemplateTrouble.UNKNOWN_FIELD, name)
    field = Field(name)
    if field is not Field.DATE:
        if colon:
            raise TemplateInvalid(TemplateTrouble.NO_FORMAT, name)
        yield _Slot(field)
        return
    for position, piece in enumerate((form if colon else PLAIN_DATE).split("/")):
        if position:
            yield "/"
        if not DATE.fullmatch(piece) or "{" in piece:
            raise TemplateInvalid(TemplateTrouble.BAD_DATE, piece)
        yield _Slot(field, piece)


def _fill(part: _Part, facts: Facts, number: str | None = None) -> str:
    return "".join(piece if isinstance(piece, str) else _value(piece, facts, number) for piece in part)


def _value(slot: _Slot, facts: Facts, number: str | None) -> str:
    match slot.field:
        case Field.CHANNEL:
            return safe_name(facts.channel, VALUE_BYTES)
        case Field.DATE:
            return facts.date.strftime(slot.format)
        case Field.ID:
            return number or str(facts.message_id)
        case Field.NAME:
            return _own_name(facts)
        case Field.CAPTION:
            first = next((line for line in facts.caption.splitlines() if line.strip()), "")
            return shorten(safe_name(first, LONGEST_RAW), VALUE_BYTES, keep_extension=False)
        case Field.SENDER:
            return str(facts.sender_id) if facts.sender_id is not None else ""
        case Field.ALBUM:
            return str(facts.album_id) if facts.album_id is not None else ""


def _own_name(facts: Facts) -> str:
    """Photos have none."""
    return "" if facts.kind is FileKind.PHOTO else safe_name(facts.name, LONGEST_RAW)


def _extension(facts: Facts) -> str:
    """With its dot. A file that has a name without one gets none."""
    if facts.kind is FileKind.PHOTO:
        return ".jpg"
    own = _own_name(facts)
    if not own:
        return mimetypes.guess_extension(facts.mime) or ".bin"
    extension = PurePosixPath(own).suffix
    return extension if 1 < len(extension.encode()) <= MAX_EXTENSION_BYTES + 1 else ""
