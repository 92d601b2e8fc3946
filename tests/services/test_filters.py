"""Every rule of the filters in tables, presets, and patterns that want to eat the machine."""

import time
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from services import presets
from services.clients.base import Post
from services.errors import PatternInvalid
from services.filters import Matcher, kinds_of, pack_filters, pattern_finder, unpack_filters
from services.presets import PRESETS, Preset, Types, chosen, others, toggle, types_of, with_extensions, without_types
from storage.models import FileKind, Filters, NewFile, NewMessage

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MIB = 2**20


def post(
    text: str = "", name: str | None = "a.bin", kind: FileKind = FileKind.DOCUMENT, mime: str = "x/y", size: int = MIB
) -> Post:
    """`name` None: a post without a file."""
    file = None if name is None else NewFile(1, 1, kind, name, mime, size, NOON)
    return Post(NewMessage(1, NOON, None, text), file, None)


PDF = post("Invoice of March", "Rechnung.PDF", mime="application/pdf", size=5 * MIB)
UNNAMED_PDF = post("", "5400000000000001", mime="application/pdf")
PHOTO = post("the quay", "1.jpg", FileKind.PHOTO, "image/jpeg", 200_000)
PICTURE_AS_FILE = post("", "plan.PNG", mime="image/png")
VOICE = post("", "1.ogg", FileKind.VOICE, "audio/ogg")
SONG = post("", "Foghorn.mp3", FileKind.AUDIO, "audio/mpeg")
TEXT = post("Invoice without a file", None)


@pytest.mark.parametrize(
    ("filters", "wanted"),
    [
        (Filters(), [PDF, UNNAMED_PDF, PHOTO, PICTURE_AS_FILE, VOICE, SONG]),
        (Filters(kinds=(FileKind.PHOTO,)), [PHOTO]),
        (Filters(kinds=(FileKind.DOCUMENT,)), [PDF, UNNAMED_PDF, PICTURE_AS_FILE]),
        (Filters(extensions=("pdf",)), [PDF]),
        (Filters(mimes=("application/pdf",)), [PDF, UNNAMED_PDF]),
        (Filters(mimes=("image/",)), [PHOTO, PICTURE_AS_FILE]),
        (Filters(mimes=("image/p",)), []),  # a group ends with a slash
        (Filters(kinds=(FileKind.VOICE,), extensions=("mp3",), mimes=("image/png",)), [PICTURE_AS_FILE, VOICE, SONG]),
        (Filters(min_bytes=5 * MIB), [PDF]),
        (Filters(min_bytes=5 * MIB + 1), []),
        (Filters(max_bytes=200_000), [PHOTO]),
        (Filters(max_bytes=199_999), []),
        (Filters(words=("invoice",)), [PDF]),
        (Filters(words=("INVOICE", "quay")), [PDF, PHOTO]),
        (Filters(words=("rechnung",)), [PDF]),
        (Filters(words=("foghorn.mp3",)), [SONG]),
        (Filters(pattern=r"^foghorn\.MP3$"), [SONG]),
        (Filters(pattern="inv.*march"), [PDF]),
        (Filters(words=("quay",), pattern="^plan"), [PHOTO, PICTURE_AS_FILE]),
        (Filters(since=NOON), [PDF, UNNAMED_PDF, PHOTO, PICTURE_AS_FILE, VOICE, SONG]),
        (Filters(until=NOON), []),
        (Filters(kinds=(FileKind.PHOTO,), words=("invoice",)), []),
        (Filters(kinds=(FileKind.PHOTO,), max_bytes=MIB, words=("quay",), since=NOON), [PHOTO]),
    ],
)
def test_which_files_are_wanted(filters: Filters, wanted: list[Post]) -> None:
    """Types are alternatives; type, size, words and date must all fit."""
    matcher = Matcher(filters)
    posts = [PDF, UNNAMED_PDF, PHOTO, PICTURE_AS_FILE, VOICE, SONG, TEXT]
    assert [each for each in posts if matcher.wants_file(each)] == wanted
    assert all(matcher.wants_message(each) for each in wanted), "a file never comes without its message"


@pytest.mark.parametrize(
    ("filters", "is_wanted"),
    [
        (Filters(), True),
        (Filters(words=("invoice",)), True),
        (Filters(words=("bill",)), False),
        (Filters(pattern="^invoice"), True),
        (Filters(until=NOON), False),
        (Filters(kinds=(FileKind.DOCUMENT,), words=("invoice",)), False),
        (Filters(min_bytes=1), False),
    ],
)
def test_which_messages_match(filters: Filters, is_wanted: bool) -> None:
    """A post without a file matches where nothing is said of files."""
    assert Matcher(filters).wants_message(TEXT) is is_wanted


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("отчёт", "ОТЧЁТ за март"),
        ("straße", "STRASSE 5"),
        ("caf\u00e9", "Cafe\u0301 menu"),
        ("ﬁle", "file"),
        ("😀", "a 😀 plan"),
    ],
)
def test_words_in_any_writing(word: str, text: str) -> None:
    """Letter case, and signs that are written in two ways, make no difference."""
    assert Matcher(Filters(words=(word,))).wants_message(post(text, None))


# -- patterns


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|aa)+$", "(.*a){20}$", "a*a*a*a*a*a*a*b", "(x+x+)+y", r"(\w+\s?)*!$"])
def test_hostile_patterns_are_quick(pattern: str) -> None:
    """Those on which backtracking never ends take linear time on 100 kB, and so do ten times of it."""
    finds = pattern_finder(pattern)
    begun = time.perf_counter()
    for text in ("a" * 100_000 + "!x", "x" * 100_000):
        finds(text)
    assert time.perf_counter() - begun < 2


@pytest.mark.parametrize(
    "pattern", ["(", "a{1001}", "((a{100}){100}){100}", "(?=a)", r"\1", "[b-a]", "a" * 501, "(?P<x"]
)
def test_patterns_that_are_refused(pattern: str) -> None:
    """With a word of what is wrong; nothing is compiled that would need more memory than it may."""
    with pytest.raises(PatternInvalid) as refused:
        Matcher(Filters(pattern=pattern))
    assert refused.value.why


# -- presets


def test_no_preset_is_part_of_another() -> None:
    """Else its button would light up with the other one's."""
    for preset in Preset:
        assert chosen(_only(preset)) == [preset]


def _only(*names: Preset) -> Filters:
    filters = Filters()
    for preset in names:
        filters = toggle(filters, preset)
    return filters


@pytest.mark.parametrize(
    ("preset", "wanted"),
    [
        (Preset.PDF, [PDF, UNNAMED_PDF]),
        (Preset.IMAGES, [PHOTO, PICTURE_AS_FILE]),
        (Preset.MUSIC, [SONG]),
        (Preset.VOICE, [VOICE]),
        (Preset.DOCUMENTS, [PDF, UNNAMED_PDF, PICTURE_AS_FILE]),
        (Preset.ARCHIVES, []),
    ],
)
def test_what_presets_want(preset: Preset, wanted: list[Post]) -> None:
    """By type and ending, whichever says so."""
    matcher = Matcher(_only(preset))
    assert [
        each for each in (PDF, UNNAMED_PDF, PHOTO, PICTURE_AS_FILE, VOICE, SONG) if matcher.wants_file(each)
    ] == wanted


def test_toggling_presets() -> None:
    """On and off again leaves what was there, own endings and other conditions included."""
    own = Filters(extensions=("dwg",), kinds=(FileKind.VOICE,), min_bytes=5)
    for first in Preset:
        for second in Preset:
            both = toggle(toggle(own, first), second)
            again = toggle(toggle(both, first), second)
            assert (set(again.extensions), set(again.kinds)) == ({"dwg"}, {FileKind.VOICE}), (first, second)
            assert again.min_bytes == 5
    assert others(own) == Types(extensions=("dwg",))
    assert chosen(own) == [Preset.VOICE]


def test_own_endings_beside_presets() -> None:
    """They take the place of the own ones before, and of nothing else."""
    filters = with_extensions(_only(Preset.PDF, Preset.IMAGES), ("dwg",))
    filters = with_extensions(filters, ("iso", "pdf"))
    assert chosen(filters) == [Preset.PDF, Preset.IMAGES]
    assert others(filters) == Types(extensions=("iso",))
    assert types_of(without_types(replace(filters, words=("a",)))) == Types()


@pytest.mark.parametrize(
    ("filters", "kinds"),
    [
        (Filters(min_bytes=1), set(FileKind)),
        (Filters(kinds=(FileKind.VOICE,)), {FileKind.VOICE}),
        (_only(Preset.PDF), {FileKind.DOCUMENT}),
        (_only(Preset.IMAGES), {FileKind.DOCUMENT, FileKind.PHOTO}),
        (_only(Preset.EBOOKS, Preset.VIDEO), {FileKind.DOCUMENT, FileKind.VIDEO}),
        (Filters(extensions=("mp3",)), {FileKind.DOCUMENT, FileKind.AUDIO, FileKind.VOICE}),
    ],
)
def test_kinds_that_may_carry_it(filters: Filters, kinds: set[FileKind]) -> None:
    """What is counted at Telegram before a first run."""
    assert set(kinds_of(filters)) == kinds


def test_filters_as_plain_data() -> None:
    """For forms that live in the database: back and forth without loss, nothing that is not set."""
    filters = Filters((FileKind.PHOTO,), ("pdf",), ("image/",), 5, 10, ("a", "b"), "x.*y", NOON, NOON)
    assert unpack_filters(pack_filters(filters)) == filters
    assert pack_filters(Filters()) == {}
    assert set(PRESETS) == set(presets.Preset)
