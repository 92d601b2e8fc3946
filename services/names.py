"""Names of files and folders on disk, made from names that strangers chose."""

import re
import unicodedata
from pathlib import PurePosixPath

MAX_NAME_BYTES = 143
"""The shortest limit of the file systems in use (eCryptfs); others take 255."""
MAX_EXTENSION_BYTES = 16
MAX_DEPTH = 8
FOLDER_BYTES = 60

# Forbidden on Windows shares, separators everywhere.
FORBIDDEN = re.compile(r'[<>:"/\\|?*]')
# Direction marks make "cod.exe" read "exe.doc"; zero-width and byte-order marks hide in a name.
MARKS = dict.fromkeys((0x061C, 0x200B, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2060, 0x206A), 0xFEFF))
CONTROL = {"Cc", "Cs", "Zl", "Zp"}
RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?", re.IGNORECASE)


def safe_name(name: str, max_bytes: int = MAX_NAME_BYTES) -> str:
    """One path component, at most `max_bytes` of UTF-8, its extension kept; "" when nothing usable is left."""
    name = unicodedata.normalize("NFC", name).translate(MARKS)
    name = "".join(" " if unicodedata.category(c) in CONTROL else c for c in name)
    name = " ".join(FORBIDDEN.sub("_", name).split())
    name = name.lstrip(". ").rstrip(". ")
    if RESERVED.fullmatch(name):
        name = f"_{name}"
    return shorten(name, max_bytes)


def shorten(name: str, max_bytes: int, *, keep_extension: bool = True) -> str:
    """A safe name that is too long, cut between characters; the same when it is not."""
    if len(name.encode()) <= max_bytes:
        return name
    stem, dot, extension = name.rpartition(".")
    if not keep_extension or not dot or len(extension.encode()) > MAX_EXTENSION_BYTES:
        stem, dot, extension = name, "", ""
    room = max_bytes - len(f"{dot}{extension}".encode())
    return stem.encode()[:room].decode(errors="ignore").rstrip(". ") + dot + extension


def folder_for(title: str) -> str:
    """A folder name that a channel's title suggests: `Tech News!` -> `tech-news`."""
    words = re.findall(r"\w+", unicodedata.normalize("NFKC", title).casefold())
    return safe_name("-".join(words).strip("_"), FOLDER_BYTES).rstrip("-") or "channel"


def is_safe_folder(folder: str) -> bool:
    """Whether it is a relative path of one to MAX_DEPTH plain components."""
    parts = folder.split("/")
    return len(parts) <= MAX_DEPTH and all(part and part == safe_name(part) for part in parts)


def join(folder: str, name: str) -> str:
    return str(PurePosixPath(folder, name))
