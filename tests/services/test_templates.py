"""Names from templates: what may be asked for, and that no stranger's name ever leaves its place."""

import mimetypes
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.errors import TemplateInvalid, TemplateTrouble
from services.names import MAX_NAME_BYTES, is_safe_folder, safe_name
from services.templates import DEFAULT, Facts, parse
from storage.models import FileKind

NOON = datetime(2026, 11, 20, 12, 5, 9, tzinfo=UTC)
MINUTES = Facts(
    channel="Harbour: News",
    message_id=812,
    document_id=99,
    kind=FileKind.DOCUMENT,
    name="minutes.pdf",
    mime="application/pdf",
    date=NOON,
    caption="\nMeeting of\nNovember",
    sender_id=7,
    album_id=5,
)
BARE = replace(MINUTES, name="", caption="", sender_id=None, album_id=None)


@pytest.mark.parametrize(
    ("template", "facts", "path"),
    [
        ("{date:%Y-%m}/{id} {name}", MINUTES, "2026-11/812 minutes.pdf"),
        ("{date:%Y/%m}/{name}", MINUTES, "2026/11/minutes.pdf"),
        ("{channel}/{album}/{id}", MINUTES, "Harbour_ News/5/812.pdf"),
        ("{album}/{sender}/{caption}", BARE, "812.pdf"),
        ("{caption} - {name}", MINUTES, "Meeting of - minutes.pdf"),
        ("{date} {id}", MINUTES, "2026-11-20 812.pdf"),
        ("{{{id}}} {name}", MINUTES, "{812} minutes.pdf"),
        ("{sender}", BARE, "812.pdf"),
        ("{name}", replace(MINUTES, kind=FileKind.PHOTO), "812.jpg"),
        ("{name}", replace(MINUTES, name="README"), "README"),
        (
            "{date:%Y-%m}/{id}",
            replace(MINUTES, date=NOON.astimezone(timezone(timedelta(days=0, hours=14)))),
            "2026-11/812.pdf",
        ),
        ("{date:%d}/{id}", replace(MINUTES, date=NOON.astimezone(timezone(timedelta(hours=14)))), "21/812.pdf"),
    ],
)
def test_templates(template: str, facts: Facts, path: str) -> None:
    """Fields, folders, dates in their zone; empty values leave no empty folder and no nameless file."""
    assert "/".join(filter(None, parse(template).render(facts))) == path


@pytest.mark.parametrize(
    ("template", "with_document"),
    [
        ("{id} {name}", "812 99 minutes.pdf"),
        ("{name}", "minutes 99.pdf"),
        ("{caption}", "Meeting of 99.pdf"),
        ("{id}/{name}", "minutes 99.pdf"),
    ],
)
def test_two_of_one_name(template: str, with_document: str) -> None:
    """The document's number tells them apart."""
    assert parse(template).render(MINUTES, with_document=True)[1] == with_document


@pytest.mark.parametrize(
    ("template", "why"),
    [
        ("", TemplateTrouble.EMPTY),
        ("  ", TemplateTrouble.EMPTY),
        ("{name}" * 40, TemplateTrouble.TOO_LONG),
        ("{id}\n{name}", TemplateTrouble.TOO_LONG),
        ("a/" * 8 + "{id}", TemplateTrouble.TOO_DEEP),
        ("{id", TemplateTrouble.BRACE),
        ("id}", TemplateTrouble.BRACE),
        ("{}", TemplateTrouble.UNKNOWN_FIELD),
        ("{0}", TemplateTrouble.UNKNOWN_FIELD),
        ("{size}", TemplateTrouble.UNKNOWN_FIELD),
        ("{name.__class__}", TemplateTrouble.UNKNOWN_FIELD),
        ("{name[0]}", TemplateTrouble.UNKNOWN_FIELD),
        ("{name!r}", TemplateTrouble.UNKNOWN_FIELD),
        ("{id:05}", TemplateTrouble.NO_FORMAT),
        ("{name:{id}}", TemplateTrouble.NO_FORMAT),
        ("{date:%Q}", TemplateTrouble.BAD_DATE),
        ("{date:%}", TemplateTrouble.BAD_DATE),
        ("{date:}", TemplateTrouble.BAD_DATE),
        ("{date:%Y//%m} {id}", TemplateTrouble.BAD_DATE),
        ("/{id}", TemplateTrouble.BAD_FOLDER),
        ("../{id}", TemplateTrouble.BAD_FOLDER),
        ("a/../{id}", TemplateTrouble.BAD_FOLDER),
        (".hidden/{id}", TemplateTrouble.BAD_FOLDER),
        ("a//{id}", TemplateTrouble.BAD_FOLDER),
        ("con/{id}", TemplateTrouble.BAD_FOLDER),
        ("a\\b/{id}", TemplateTrouble.BAD_FOLDER),
        ("{id}/", TemplateTrouble.BAD_FOLDER),
        ("{id}/file", TemplateTrouble.CONSTANT),
    ],
)
def test_templates_that_are_refused(template: str, why: TemplateTrouble) -> None:
    """Before anything is stored, with the reason."""
    with pytest.raises(TemplateInvalid) as refused:
        parse(template)
    assert refused.value.why is why


HOSTILE = [
    "../../etc/passwd",
    "..",
    "/etc/passwd",
    "a\x00b.pdf",
    "🙂" * 75,
    "🙂" * 300 + ".pdf",
    "CON",
    "con.txt",
    "...",
    ".bashrc",
    "  .x",
    "a\u202egnp.exe",
    "\u200f\u200f",
    "trailing. . .",
    "a\\..\\b",
    "C:\\Windows",
    "new\nline.pdf",
    "\ud800",
    "e\u0301.pdf",
    ".porter-7.part",
    ".porter-root",
]


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("template", ["{id} {name}", "{name}", "{name}/{caption}", "{channel}/{name}{caption}"])
def test_hostile_values_stay_inside(template: str, name: str) -> None:
    """As a name, as a caption, as a channel's title, as a folder: plain components, no links upwards, none of ours."""
    facts = replace(MINUTES, name=name, caption=name, channel=name)
    for with_document in (False, True):
        folder, last = parse(template).render(facts, with_document=with_document)
        assert not folder or is_safe_folder(folder)
        assert last == safe_name(last)
        assert last
        assert folder.count("/") + 1 <= template.count("/") + 1


def test_names_that_look_alike() -> None:
    """One Unicode form: both ways to write é are one name, so that no disk can mix them up."""
    names = {parse("{name}").render(replace(MINUTES, name=name))[1] for name in ("\u00e9.pdf", "e\u0301.pdf")}
    assert names == {"\u00e9.pdf"}


TEXTS = st.one_of(
    st.text(max_size=300),
    st.builds(
        lambda text, times, ending: text * times + ending,
        st.text(min_size=1, max_size=3),
        st.integers(1, 200),
        st.sampled_from([".pdf", ".tar.gz", ".", "..", ".averyveryverylongextension", " .x"]),
    ),
)


@given(
    TEXTS, TEXTS, st.booleans(), st.sampled_from(["{name}", "{caption}{name}", "{name}/{id}{caption}", "{id} {name}"])
)
def test_any_value_makes_a_safe_name(name: str, caption: str, with_document: bool, template: str) -> None:
    facts = replace(MINUTES, name=name, caption=caption, channel=caption)
    folder, last = parse(template).render(facts, with_document=with_document)
    assert not folder or is_safe_folder(folder)
    assert 0 < len(last.encode()) <= MAX_NAME_BYTES
    assert not last.startswith(".")
    assert not set(last) & set('/\\\x00\n:*?"<>|')


def usual(message_id: int, name: str, kind: FileKind, mime: str, document_id: int | None) -> str:
    """How files were called before there were templates. Never to change: they lie on people's disks."""
    prefix = f"{message_id}" if document_id is None else f"{message_id} {document_id}"
    if kind is FileKind.PHOTO:
        return f"{prefix}.jpg"
    own = safe_name(name, MAX_NAME_BYTES - len(prefix) - 1)
    return f"{prefix} {own}" if own else f"{prefix}{mimetypes.guess_extension(mime) or '.bin'}"


@given(TEXTS, st.sampled_from(FileKind), st.sampled_from(["application/pdf", "nonsense"]), st.booleans())
def test_the_default_is_what_it_always_was(name: str, kind: FileKind, mime: str, with_document: bool) -> None:
    """Byte for byte."""
    facts = replace(MINUTES, name=name, kind=kind, mime=mime)
    assert parse(DEFAULT).render(facts, with_document=with_document) == (
        "",
        usual(812, name, kind, mime, 99 if with_document else None),
    )
