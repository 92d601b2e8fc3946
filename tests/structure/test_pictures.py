"""Pictures in the documents: what is named is there, what is there is taken by `make screenshots`, none is heavy."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "docs" / "pictures"
SHOWN = re.compile(r"!\[[^\]]*\]\(([^)\s]+)\)|<img[^>]*\ssrc=\"([^\"]+)\"")
MOST_BYTES = 120_000

DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def shown_in(document: Path) -> list[str]:
    return [first or second for first, second in SHOWN.findall(document.read_text())]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_picture_that_is_named_is_there(document: Path) -> None:
    """And lies in this repository: a document that is read asks nobody else."""
    for target in shown_in(document):
        assert (document.parent / target).is_file(), target


def test_the_readme_shows_what_it_is() -> None:
    assert len(shown_in(ROOT / "README.md")) >= 2


def test_pictures_are_those_that_make_screenshots_takes() -> None:
    """None is left over from a screen that is gone; a repository is not the place for heavy ones."""
    code = (ROOT / "tests" / "browser" / "screenshots.py").read_text()
    taken = set(re.findall(r"\btake\(anna, \"([\w-]+)\"\)", code))
    assert {path.stem for path in PICTURES.glob("*")} == taken
    assert [path.name for path in PICTURES.glob("*") if path.stat().st_size > MOST_BYTES] == []
