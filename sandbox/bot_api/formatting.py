"""Texts as Telegram reads them: HTML into entities, commands and links found in plain text. Offsets are UTF-16 units.

Strict like the original (TDLib's parse_html): the same tags, the same complaints with the same byte offsets.
"""

import re
from dataclasses import dataclass, field
from typing import Any

from sandbox.bot_api.errors import BotApiError, bad_request

Entity = dict[str, Any]

TAGS = {
    "a": "text_link",
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "span": "spoiler",
    "tg-spoiler": "spoiler",
    "tg-emoji": "custom_emoji",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
}
ARGUMENTS = {
    ("a", "href"): "",
    ("blockquote", "expandable"): "",
    ("code", "class"): "language-",
    ("span", "class"): "tg-",
    ("tg-emoji", "emoji-id"): "",
}
"""Attributes that mean something, with the prefix that their value must have. The others are skipped."""

NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
ORDER = (
    "blockquote",
    "expandable_blockquote",
    "pre",
    "code",
    "text_link",
    "text_mention",
    "bold",
    "italic",
    "underline",
    "strikethrough",
)

_REFERENCE = re.compile(
    r"&(?:#x([0-9a-fA-F]{1,6})(?![0-9a-fA-F])|#([0-9]{1,7})(?![0-9])|(lt|gt|amp|quot)(?![a-zA-Z]));?"
)
_TAG_NAME = re.compile(r"[^\s>]*")
_ATTRIBUTE_NAME = re.compile(r"[^\s=>]*")
_BARE_VALUE = re.compile(r"[a-zA-Z0-9.-]*")
_SPACE = re.compile(r"\s*")
_DETECTED = re.compile(
    r"(?P<url>\bhttps?://[^\s<>\"]*[^\s<>\".,;:!?)]|\bt\.me/[^\s<>\"]*[^\s<>\".,;:!?)])"
    r"|(?<![\w@/])(?P<mention>@[A-Za-z]\w{3,31})\b"
    r"|(?<![\w/<>])(?P<bot_command>/[A-Za-z0-9_]{1,64}(?:@[A-Za-z]\w{3,31})?)(?![\w/])",
    re.ASCII,
)


def utf16_length(text: str) -> int:
    return len(text) + sum(character > "\uffff" for character in text)


@dataclass
class _Open:
    tag: str
    argument: str
    offset: int  # UTF-16
    start: int  # index in the result


@dataclass
class _Parser:
    html: str
    at: int = 0
    result: str = ""
    length: int = 0  # of the result, UTF-16
    entities: list[Entity] = field(default_factory=list)
    open: list[_Open] = field(default_factory=list)

    def parse(self) -> tuple[str, list[Entity]]:
        while self.at < len(self.html):
            if self.html.startswith("</", self.at):
                self._end_tag()
            elif self.html[self.at] == "<":
                self._start_tag()
            else:
                self._text()
        if self.open:
            raise _complaint(f'Can\'t find end tag corresponding to start tag "{self.open[-1].tag}"')
        return self.result, self.entities

    def _text(self) -> None:
        end = self.html.find("<", self.at)
        end = len(self.html) if end < 0 else end
        text = unescape(self.html[self.at : end])
        self.result += text
        self.length += utf16_length(text)
        self.at = end

    def _start_tag(self) -> None:
        begin = self.at
        name = self._take(_TAG_NAME, begin + 1)
        if self.at >= len(self.html):
            raise self._complaint("Unclosed start tag", begin)
        tag = name.lower()
        if tag not in TAGS:
            raise self._complaint(f'Unsupported start tag "{tag}"', begin)
        argument = ""
        while True:
            self._take(_SPACE)
            if self._peek() == ">":
                break
            attribute, value = self._attribute(tag, begin)
            prefix = ARGUMENTS.get((tag, attribute))
            if prefix is not None and value.startswith(prefix):
                argument = value.removeprefix(prefix)
        if tag == "span" and argument != "spoiler":
            raise self._complaint('Tag "span" must have class "tg-spoiler"', begin)
        self.at += 1
        self.open.append(_Open(tag, argument, self.length, len(self.result)))

    def _attribute(self, tag: str, begin: int) -> tuple[str, str]:
        name = self._take(_ATTRIBUTE_NAME)
        if not name:
            raise self._complaint(f'Empty attribute name in the tag "{tag}"', begin)
        self._take(_SPACE)
        if (tag, name) == ("blockquote", "expandable") and self._peek() != "=":
            return name, "expandable"
        if self._peek() != "=":
            raise self._complaint(f'Expected equal sign in declaration of an attribute of the tag "{tag}"', begin)
        self._take(_SPACE, self.at + 1)
        quote = self._peek()
        if not quote:
            raise self._complaint(f'Unclosed start tag "{tag}"', begin)
        if quote in "'\"":
            end = self.html.find(quote, self.at + 1)
            if end < 0 or end + 1 == len(self.html):
                raise self._complaint("Unclosed start tag", begin)
            value = unescape(self.html[self.at + 1 : end])
            self.at = end + 1
            return name, value
        start = self.at
        value = self._take(_BARE_VALUE).lower()
        if not self._peek() or not (self._peek().isspace() or self._peek() == ">"):
            raise self._complaint("Unexpected end of name token", start)
        return name, value

    def _end_tag(self) -> None:
        begin = self.at
        if not self.open:
            raise self._complaint("Unexpected end tag", begin)
        name = self._take(_TAG_NAME, begin + 2).lower()
        self._take(_SPACE)
        if self._peek() != ">":
            raise self._complaint("Unclosed end tag", begin)
        opened = self.open.pop()
        if name and name != opened.tag:
            raise self._complaint("Unmatched end tag", begin, f', expected "</{opened.tag}>", found "</{name}>"')
        self.at += 1
        if self.length > opened.offset:
            self._close(opened)

    def _close(self, opened: _Open) -> None:
        kind = TAGS[opened.tag]
        entity: Entity = {"type": kind, "offset": opened.offset, "length": self.length - opened.offset}
        if kind == "text_link":
            url = link(opened.argument or self.result[opened.start :])
            if url is None:
                return
            entity["url"] = url
        elif kind == "custom_emoji":
            if not opened.argument.isdigit():
                raise _complaint("Invalid custom emoji identifier specified")
            entity["custom_emoji_id"] = opened.argument
        elif kind == "code" and opened.argument:
            entity["language"] = opened.argument
        elif kind == "blockquote" and opened.argument:
            entity["type"] = "expandable_blockquote"
        self._merge(entity)

    def _merge(self, entity: Entity) -> None:
        """<pre> and <code class="language-x"> around the same text are one entity; a lone language is forgotten."""
        last = self.entities[-1] if self.entities else None
        same = last is not None and (last["offset"], last["length"]) == (entity["offset"], entity["length"])
        if last is not None and same and {last["type"], entity["type"]} == {"pre", "code"}:
            language = last.get("language") or entity.get("language")
            if language:
                self.entities[-1] = {**entity, "type": "pre", "language": language}
                return
        self.entities.append(entity)

    def _take(self, pattern: re.Pattern[str], start: int | None = None) -> str:
        match = pattern.match(self.html, self.at if start is None else start)
        assert match is not None  # every pattern matches the empty string too
        self.at = match.end()
        return match[0]

    def _peek(self) -> str:
        return self.html[self.at : self.at + 1]

    def _complaint(self, what: str, index: int, rest: str = "") -> BotApiError:
        return _complaint(f"{what} at byte offset {len(self.html[:index].encode())}{rest}")


def _complaint(what: str) -> BotApiError:
    return bad_request(f"can't parse entities: {what}")


def unescape(text: str) -> str:
    """The references that Telegram knows; anything else stays as it stands."""

    def character(match: re.Match[str]) -> str:
        hexadecimal, decimal, name = match.groups()
        if name:
            return NAMED[name]
        code = int(hexadecimal, 16) if hexadecimal else int(decimal)
        if 0xD800 <= code <= 0xDFFF:
            raise _complaint(
                "Text contains invalid Unicode characters after decoding HTML entities,"
                " check for unmatched surrogate code units"
            )
        return chr(code) if 0 < code < 0x10FFFF else match[0]

    return _REFERENCE.sub(character, text)


def link(url: str) -> str | None:
    """The address as Telegram stores it, or None where it would show plain text."""
    url = url.strip()
    scheme, separator, rest = url.partition("://")
    if separator and scheme.lower() in ("tg", "ton", "tonsite"):
        return url
    if separator and scheme.lower() not in ("http", "https", "ftp"):
        return None
    scheme, rest = (scheme.lower(), rest) if separator else ("http", url)
    host, slash, path = rest.partition("/")
    if not re.fullmatch(r"(?:[\w-]+\.)+\w[\w-]*(?::\d+)?(?:[?#].*)?|localhost(?::\d+)?", host):
        return None
    return f"{scheme}://{host}/{path}" if slash else f"{scheme}://{host}{'' if '?' in host else '/'}"


def parse_html(html: str) -> tuple[str, list[Entity]]:
    """Raises BotApiError 400 "can't parse entities: ..."."""
    text, entities = _Parser(html).parse()
    for entity in entities:
        if entity["type"] == "code":
            entity.pop("language", None)
    return _trim(text, entities)


def _trim(text: str, entities: list[Entity]) -> tuple[str, list[Entity]]:
    """Without the white space around; entities move with it."""
    stripped = text.strip()
    lead = utf16_length(text[: len(text) - len(text.lstrip())])
    length = utf16_length(stripped)
    kept = []
    for entity in entities:
        start = max(0, entity["offset"] - lead)
        end = min(length, entity["offset"] + entity["length"] - lead)
        if end > start:
            kept.append({**entity, "offset": start, "length": end - start})
    kept.sort(key=lambda e: (e["offset"], -e["length"], ORDER.index(e["type"]) if e["type"] in ORDER else len(ORDER)))
    return stripped, kept


def plain(text: str) -> tuple[str, list[Entity]]:
    return _trim(text, [])


def with_detected(text: str, entities: list[Entity]) -> list[Entity]:
    """The entities and, where none lies yet, the commands, mentions and links that Telegram marks by itself."""
    found = []
    for match in _DETECTED.finditer(text):
        offset, length = utf16_length(text[: match.start()]), utf16_length(match[0])
        if all(e["offset"] + e["length"] <= offset or offset + length <= e["offset"] for e in entities):
            assert match.lastgroup is not None
            found.append({"type": match.lastgroup, "offset": offset, "length": length})
    return sorted([*entities, *found], key=lambda e: (e["offset"], -e["length"]))
