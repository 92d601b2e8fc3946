"""Which files, and which messages, of a channel a source wants.

What a file is (kind, extension or MIME type: any of them), its size, the words beside it and the post's date must all
fit; a condition that is not set fits everything. Only the bytes of a file are never looked at.
"""

import unicodedata
from collections.abc import Callable

from services.clients.base import Post
from services.errors import PatternInvalid
from storage.models import FileKind, Filters, NewFile
from storage.packing import pack_filters, pack_start, unpack_filters, unpack_start

__all__ = [
    "Matcher",
    "extension_of",
    "kinds_of",
    "pack_filters",
    "pack_start",
    "pattern_finder",
    "unpack_filters",
    "unpack_start",
]

LONGEST_PATTERN = 500
PATTERN_MEMORY_BYTES = 1024 * 1024
"""A pattern that would need more is refused, so that no counted repetition eats the machine."""

Finds = Callable[[str], bool]


class Matcher:
    """Filters, made ready for a walk: words are folded and the pattern is compiled once. Raises PatternInvalid."""

    def __init__(self, filters: Filters) -> None:
        self._filters = filters
        self._words = tuple(_folded(word) for word in filters.words)
        self._finds = pattern_finder(filters.pattern) if filters.pattern else None

    def wants_file(self, post: Post) -> bool:
        """Whether the post carries a file that is to be fetched."""
        file = post.file
        return file is not None and self._is_of_type(file) and self._fits(file.size_bytes) and self._is_about(post)

    def wants_message(self, post: Post) -> bool:
        """For a source that keeps only matching messages: where a filter asks for a kind or a size of file, the post
        has to carry one."""
        filters = self._filters
        asks_for_file = filters.kinds or filters.extensions or filters.mimes
        if asks_for_file or filters.min_bytes is not None or filters.max_bytes is not None:
            return self.wants_file(post)
        return self._is_about(post)

    def _is_of_type(self, file: NewFile) -> bool:
        filters = self._filters
        if not (filters.kinds or filters.extensions or filters.mimes):
            return True
        mime = file.mime.lower()
        return (
            file.kind in filters.kinds
            or extension_of(file.name) in filters.extensions
            or any(mime.startswith(each) if each.endswith("/") else mime == each for each in filters.mimes)
        )

    def _fits(self, size_bytes: int) -> bool:
        low, high = self._filters.min_bytes, self._filters.max_bytes
        return (low is None or size_bytes >= low) and (high is None or size_bytes <= high)

    def _is_about(self, post: Post) -> bool:
        since, until = self._filters.since, self._filters.until
        date = post.message.date
        if (since is not None and date < since) or (until is not None and date >= until):
            return False
        if not self._words and self._finds is None:
            return True
        texts = [post.message.text, post.file.name if post.file else ""]
        if self._words and any(word in text for text in map(_folded, texts) for word in self._words):
            return True
        return self._finds is not None and any(self._finds(text) for text in texts)


def _folded(text: str) -> str:
    """So that case is no matter, nor whether an accent is a sign of its own: names from a Mac come so."""
    return unicodedata.normalize("NFKC", text).casefold()


def extension_of(name: str) -> str:
    """Lower case, without the dot; "" where there is none."""
    return name.rpartition(".")[2].lower() if "." in name else ""


def pattern_finder(pattern: str) -> Finds:
    """Whether the pattern is found anywhere in a text, whatever the case. Time is linear to the text, whatever the
    pattern (https://github.com/google/re2/wiki/Syntax). Raises PatternInvalid."""
    import re2  # at first use: few sources have a pattern

    if len(pattern) > LONGEST_PATTERN:
        raise PatternInvalid(f"longer than {LONGEST_PATTERN} characters")
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    options.max_mem = PATTERN_MEMORY_BYTES
    try:
        compiled = re2.compile(pattern, options)
    except re2.error as error:
        raise PatternInvalid(_words_of(error)) from error
    return lambda text: compiled.search(text) is not None


def _words_of(error: Exception) -> str:
    why = error.args[0] if error.args else ""
    return why.decode(errors="replace") if isinstance(why, bytes) else str(why)


IMAGE_ENDINGS = frozenset({"jpg", "jpeg", "png", "gif", "webp", "bmp", "tif", "tiff", "heic", "svg"})
VIDEO_ENDINGS = frozenset({"mp4", "mkv", "webm", "mov", "avi", "m4v", "mpg", "mpeg", "gif"})
AUDIO_ENDINGS = frozenset({"mp3", "m4a", "m4b", "ogg", "oga", "opus", "flac", "wav", "aac", "wma"})


def kinds_of(filters: Filters) -> tuple[FileKind, ...]:
    """The kinds that may carry what is wanted. Anything may be sent as a document."""
    if not (filters.kinds or filters.extensions or filters.mimes):
        return tuple(FileKind)
    kinds = set(filters.kinds)
    if filters.extensions or filters.mimes:
        kinds.add(FileKind.DOCUMENT)
    groups = {mime.partition("/")[0] for mime in filters.mimes}
    for group, endings, carried in (
        ("image", IMAGE_ENDINGS, {FileKind.PHOTO}),
        ("video", VIDEO_ENDINGS, {FileKind.VIDEO}),
        ("audio", AUDIO_ENDINGS, {FileKind.AUDIO, FileKind.VOICE}),
    ):
        if group in groups or endings & set(filters.extensions):
            kinds |= carried
    return tuple(kind for kind in FileKind if kind in kinds)
