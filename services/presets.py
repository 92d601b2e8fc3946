"""Kinds of files by the names that people have for them: each stands for kinds, endings and MIME types at once."""

from dataclasses import dataclass, replace
from enum import StrEnum

from storage.models import FileKind, Filters


class Preset(StrEnum):
    """In the order in which they are offered. A button carries the position: new ones come last."""

    PDF = "PDF"
    ARCHIVES = "ARCHIVES"
    IMAGES = "IMAGES"
    VIDEO = "VIDEO"
    MUSIC = "MUSIC"
    VOICE = "VOICE"
    EBOOKS = "EBOOKS"
    OFFICE = "OFFICE"
    DOCUMENTS = "DOCUMENTS"
    """Whatever was sent as a file, of any type."""


@dataclass(frozen=True, slots=True)
class Types:
    """The part of Filters that says what a file is."""

    kinds: tuple[FileKind, ...] = ()
    extensions: tuple[str, ...] = ()
    mimes: tuple[str, ...] = ()

    def __or__(self, other: "Types") -> "Types":
        return Types(
            tuple(kind for kind in FileKind if kind in (*self.kinds, *other.kinds)),
            tuple(dict.fromkeys((*self.extensions, *other.extensions))),
            tuple(dict.fromkeys((*self.mimes, *other.mimes))),
        )

    def __sub__(self, other: "Types") -> "Types":
        return Types(
            tuple(kind for kind in self.kinds if kind not in other.kinds),
            tuple(extension for extension in self.extensions if extension not in other.extensions),
            tuple(mime for mime in self.mimes if mime not in other.mimes),
        )


PRESETS: dict[Preset, Types] = {
    Preset.PDF: Types(extensions=("pdf",), mimes=("application/pdf",)),
    Preset.ARCHIVES: Types(
        extensions=("zip", "rar", "7z", "tar", "gz", "tgz", "bz2", "xz", "zst"),
        mimes=(
            "application/zip",
            "application/x-zip-compressed",
            "application/vnd.rar",
            "application/x-rar-compressed",
            "application/x-7z-compressed",
            "application/x-tar",
            "application/gzip",
        ),
    ),
    Preset.IMAGES: Types(kinds=(FileKind.PHOTO,), mimes=("image/",)),
    Preset.VIDEO: Types(kinds=(FileKind.VIDEO,), mimes=("video/",)),
    # Not all of audio/: voice messages are audio/ogg, and have a button of their own.
    Preset.MUSIC: Types(
        kinds=(FileKind.AUDIO,),
        extensions=("mp3", "m4a", "m4b", "flac", "wav", "aac", "wma"),
        mimes=("audio/mpeg", "audio/mp4", "audio/flac", "audio/x-flac", "audio/wav", "audio/x-wav", "audio/aac"),
    ),
    Preset.VOICE: Types(kinds=(FileKind.VOICE,)),
    Preset.EBOOKS: Types(
        extensions=("epub", "mobi", "azw", "azw3", "fb2", "djvu", "cbz", "cbr"),
        mimes=("application/epub+zip", "application/x-mobipocket-ebook"),
    ),
    Preset.OFFICE: Types(
        extensions=(
            *("doc", "docx", "odt", "rtf", "txt", "md"),
            *("xls", "xlsx", "ods", "csv"),
            *("ppt", "pptx", "odp"),
        ),
        mimes=("application/msword", "application/vnd.ms-excel", "application/vnd.ms-powerpoint", "text/plain"),
    ),
    Preset.DOCUMENTS: Types(kinds=(FileKind.DOCUMENT,)),
}


def types_of(filters: Filters) -> Types:
    return Types(filters.kinds, filters.extensions, filters.mimes)


def chosen(filters: Filters) -> list[Preset]:
    """Those that are wanted whole."""
    types = types_of(filters)
    return [preset for preset, all_of in PRESETS.items() if all_of - types == Types()]


def others(filters: Filters) -> Types:
    """What is wanted beside the presets."""
    rest = types_of(filters)
    for preset in chosen(filters):
        rest -= PRESETS[preset]
    return rest


def toggle(filters: Filters, preset: Preset) -> Filters:
    """That one on or off; what others want as well stays."""
    now = chosen(filters)
    wanted = others(filters)
    for each in Preset:
        if (each in now) != (each is preset):
            wanted |= PRESETS[each]
    return replace(filters, kinds=wanted.kinds, extensions=wanted.extensions, mimes=wanted.mimes)


def with_extensions(filters: Filters, extensions: tuple[str, ...]) -> Filters:
    """These beside what the presets want, instead of those before."""
    wanted = Types(others(filters).kinds, extensions, others(filters).mimes)
    for preset in chosen(filters):
        wanted |= PRESETS[preset]
    return replace(filters, kinds=wanted.kinds, extensions=wanted.extensions, mimes=wanted.mimes)


def without_types(filters: Filters) -> Filters:
    """Every type of file; the other conditions stay."""
    return replace(filters, kinds=(), extensions=(), mimes=())
