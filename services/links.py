"""Links to Telegram in what people write: to a channel, to a post of it, or an invitation.

https://core.telegram.org/api/links. A link stands anywhere in a text; @name and an id only count alone, for in a
sentence they are mere mentions. Parameters that only say who shared a link (?single, ?utm_source) are passed over.
"""

import re
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from services.clients.peers import id_of_channel

LONGEST_TEXT = 4096
MOST_LINKS = 20
LARGEST_POST = 2**31 - 1
LARGEST_CHANNEL = 10**12 - 1
HOSTS = frozenset({"t.me", "telegram.me", "telegram.dog"})

_LINK = re.compile(
    r"(?:https?://)?(?<![\w.@-])(?:[a-z0-9_-]+\.)?(?:t\.me|telegram\.me|telegram\.dog)/?[^\s<>\"'«»„“”]*"
    r"|(?:tg|telegram):(?://)?[a-z]+/?\?[^\s<>\"'«»„“”]+",
    re.IGNORECASE,
)
_TAIL = ".,;:!?)]}…*_~"
"""What closes a sentence behind a link. No link ends with it."""
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{3,31}")
_MENTION = re.compile(rf"@({_NAME.pattern})")
_ID = re.compile(r"-\d{1,18}")
_HASH = re.compile(r"[A-Za-z0-9_-]{8,64}")
RESERVED = frozenset(
    {
        "addemoji", "addlist", "addstickers", "addtheme", "bg", "boost", "c", "call", "confirmphone", "contact",
        "giftcode", "invoice", "iv", "joinchat", "login", "m", "msg", "nft", "proxy", "s", "setlanguage", "share",
        "socks", "web", "www",
    }
)  # fmt: skip
"""First words of paths that lead elsewhere."""


@dataclass(frozen=True, slots=True)
class ChannelLink:
    """`channel`: a username, or an id as the Bot API shows it. `post`: of which post, if of one."""

    channel: int | str
    post: int | None = None


@dataclass(frozen=True, slots=True)
class InviteLink:
    """Opens a private channel to whoever knows it: a secret."""

    hash: str

    def __repr__(self) -> str:
        return "InviteLink()"


Link = ChannelLink | InviteLink


def find_links(text: str) -> list[Link]:
    """Each once, in their order. Of one channel, the link to a post goes before the bare one."""
    text = text[:LONGEST_TEXT].strip()
    if alone := _alone(text):
        return [alone]
    found: dict[Link, None] = {}
    for written in _LINK.finditer(text):
        link = read_link(written[0])
        if link is not None:
            found.setdefault(link)
    links = list(found)[:MOST_LINKS]
    of_posts = {_key(link.channel) for link in links if isinstance(link, ChannelLink) and link.post is not None}
    return [link for link in links if not (isinstance(link, ChannelLink) and _is_bare_of(link, of_posts))]


def _key(channel: int | str) -> int | str:
    return channel.lower() if isinstance(channel, str) else channel


def _is_bare_of(link: ChannelLink, of_posts: set[int | str]) -> bool:
    return link.post is None and _key(link.channel) in of_posts


def _alone(text: str) -> ChannelLink | None:
    if mentioned := _MENTION.fullmatch(text):
        return ChannelLink(mentioned[1])
    return ChannelLink(int(text)) if _ID.fullmatch(text) else None


def read_link(written: str) -> Link | None:
    """One link; None: it leads to neither a channel nor an invitation."""
    written = written.rstrip(_TAIL)
    if re.match(r"(?:tg|telegram):", written, re.IGNORECASE):
        return _of_app(written)
    try:
        parts = urlsplit(written if "//" in written[:8] else f"https://{written}")
    except ValueError:  # [ in the host, say
        return None
    host = (parts.hostname or "").removeprefix("www.")
    path = [part for part in parts.path.split("/") if part]
    if host not in HOSTS:  # name.t.me/5
        name, _, host = host.partition(".")
        path = [name, *path] if host in HOSTS else []
    return _of_path(path)


def _of_app(written: str) -> Link | None:
    """tg://resolve?domain=name&post=5, tg://privatepost?channel=1&post=5, tg://join?invite=hash."""
    action, _, query = written.partition("?")
    action = action.partition(":")[2].strip("/").lower()
    said = {name: values[0] for name, values in parse_qs(query.partition("#")[0]).items()}
    match action:
        case "resolve":
            return _named(said.get("domain", ""), said.get("post"))
        case "privatepost":
            return _numbered(said.get("channel", ""), said.get("post"))
        case "join":
            return _invite(said.get("invite", ""))
    return None


def _of_path(path: list[str]) -> Link | None:
    match path:
        case ["joinchat", hashed, *_]:
            return _invite(hashed)
        case [first, *_] if first[0] in "+ " or first.startswith("%20"):
            return _invite(first.lstrip("+ ").removeprefix("%20"))
        case ["c", channel, *rest]:
            return _numbered(channel, _post_of(rest))
        case ["s", name, *rest]:
            return _named(name, _post_of(rest))
        case [name, *rest]:
            return _named(name, _post_of(rest))
    return None


def _post_of(rest: list[str]) -> str | None:
    """/5 is a post, /3/5 the post 5 in the topic 3."""
    numbers = [part for part in rest[:2] if part.isdecimal()]
    return numbers[-1] if numbers else None


def _named(name: str, post: str | None) -> ChannelLink | None:
    if not _NAME.fullmatch(name) or name.lower() in RESERVED:
        return None
    return ChannelLink(name, _number(post, LARGEST_POST))


def _numbered(channel: str, post: str | None) -> ChannelLink | None:
    number = _number(channel, LARGEST_CHANNEL)
    return None if number is None else ChannelLink(id_of_channel(number), _number(post, LARGEST_POST))


def _number(written: str | None, largest: int) -> int | None:
    if written is None or not (written.isascii() and written.isdecimal()) or len(written) > 18:
        return None
    return int(written) if 0 < int(written) <= largest else None


def _invite(hashed: str) -> InviteLink | None:
    """Behind a plus and digits alone stands somebody's telephone number."""
    return InviteLink(hashed) if _HASH.fullmatch(hashed) and not hashed.isdecimal() else None
