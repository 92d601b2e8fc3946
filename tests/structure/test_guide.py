"""The documents for people stay true: commands, roles, buttons, settings and links are those that there are."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiogram import Router
from aiogram.filters import Command, CommandStart
from pydantic_core import PydanticUndefined

from bot.settings import Settings
from handlers import build_router
from handlers.access import COMMAND_ROLES
from handlers.texts.home import COMMANDS
from handlers.texts.labels import Labels
from handlers.texts.request_conditions import FLAG_NAMES
from services.schedule import PRESETS, describe
from storage.models import Role

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
QUOTED = re.compile(r"`\[([^\]`]+)\]`")
"""How the documents write a button."""
PAGES = sorted(path for path in [ROOT / "README.md", *DOCS.glob("*.md")])


def by_path(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


# -- commands


def routers(router: Router) -> Iterator[Router]:
    yield router
    for child in router.sub_routers:
        yield from routers(child)


def registered() -> set[str]:
    """The commands that some router answers."""
    found = set()
    for router in routers(build_router()):
        for handler in router.message.handlers:
            for given in handler.filters or ():
                if isinstance(given.callback, Command | CommandStart):
                    found |= {str(command) for command in given.callback.commands}
    return found


def test_the_guide_has_every_command_and_its_roles() -> None:
    """Its table names what the routers answer, what the menu shows and who may use it; nothing more."""
    rows = re.findall(r"^\| /(\w+) \| ([\w, ]+) \|", (DOCS / "guide.md").read_text(), re.MULTILINE)
    assert [command for command, _ in rows] == list(COMMANDS)
    assert {command for command, _ in rows} == registered() == set(COMMAND_ROLES)
    for command, said in rows:
        roles = {role.value.lower() for role in Role}
        meant = roles if said == "everybody" else set(said.split(", "))
        assert meant == {role.value.lower() for role in COMMAND_ROLES[command]}, command


# -- buttons


def labels() -> Iterator[str]:
    """That stand on buttons as they are; {} is a place for something."""
    for name, value in vars(Labels).items():
        if name.startswith("_"):
            continue
        if isinstance(value, str):
            yield value
        elif isinstance(value, tuple):
            yield from value
        elif isinstance(value, dict):
            yield from value.values()
    yield from FLAG_NAMES.values()
    yield from map(describe, PRESETS)


def composed() -> Iterator[str]:
    """Those that a keyboard puts together, and those that it asks the texts for, with {} for what is put in."""
    asked = set()
    for path in sorted((ROOT / "handlers" / "keyboards").glob("*.py")):
        tree = ast.parse(path.read_text())
        yield from written(tree)
        # texts.sources.retry_label(...): a function of the texts whose answer stands on a button.
        asked |= {
            node.func.attr
            for node in ast.walk(tree)
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Attribute | ast.Name)
        }
    for path in sorted((ROOT / "handlers" / "texts").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and node.name in asked:
                yield from written(node)


def written(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


PUT_IN = r"(?:…|approve|deny|[\d,]+(?: of [\d,]+)?|[A-Z][\w ]*)"
"""What the documents write in the place of something: …, a number, or a name."""


def pattern_of(label: str) -> re.Pattern[str] | None:
    """None: it has no words of its own that could be right or wrong."""
    if not re.search(r"[A-Za-z]{3}|[\U0001F300-\U0001FAFF]", label.replace("{}", "")):
        return None
    return re.compile(PUT_IN.join(map(re.escape, label.split("{}"))))


FIXED = frozenset(labels())
PATTERNS = [pattern for label in (*labels(), *composed()) if (pattern := pattern_of(label))]


def is_there(label: str) -> bool:
    """On some button; or «Schedule: every 6 hours», a label and what is set."""
    if label in FIXED or label.removeprefix("☑ ").removeprefix("☐ ").removeprefix("● ") in FIXED:
        return True
    head, colon, _ = label.partition(": ")
    return bool(colon and head in FIXED) or any(pattern.fullmatch(label) for pattern in PATTERNS)


@pytest.mark.parametrize("page", [page for page in PAGES if page.name != "sandbox.md"], ids=by_path)
def test_every_button_that_is_quoted_exists(page: Path) -> None:
    """A label that changes in the code is found in the documents."""
    missing = [label for label in QUOTED.findall(page.read_text()) if not is_there(label)]
    assert not missing, missing


def test_what_is_no_button_is_found_out() -> None:
    """The check above can fail, and the guide gives it something to look at."""
    made_up = ("Do magic now", "Save all", "Sources: 3", "Newest")
    assert not [label for label in made_up if is_there(label)]
    assert len(QUOTED.findall((DOCS / "guide.md").read_text())) > 150


# -- sentences


SAID = re.compile(r"“((?:[^“”]|“[^“”]*”)+)”")
SENTENCES = re.compile(r"(?<=[.?!]) |\n")


def sentences_of_the_chat() -> Iterator[str]:
    """As a reader sees them, with {} for what is put in."""
    for path in sorted((ROOT / "handlers" / "texts").glob("*.py")):
        for text in written(ast.parse(path.read_text())):
            yield from SENTENCES.split(re.sub(r"</?\w+[^>]*>", "", text))


def spoken(sentence: str, chat: list[str]) -> bool:
    """The chat says it: as it is, as a part of more, or with something put in."""
    bare = sentence.rstrip(".")
    for said in chat:
        if bare in said:
            return True
        if "{}" in said and len(re.findall(r"[a-z]", said.replace("{}", ""))) >= 8:
            pattern = ".+".join(map(re.escape, said.rstrip(".").split("{}")))
            if re.fullmatch(pattern, bare):
                return True
    return False


@pytest.mark.parametrize(
    ("name", "column"),
    [("guide.md", None), ("flows.md", r"^\| “[^|]*” \|([^|]*)\|")],
    ids=["guide", "flows"],
)
def test_sentences_that_are_quoted_are_said(name: str, column: str | None) -> None:
    """What the documents put in quotation marks is what Porter says in the chat."""
    text = (DOCS / name).read_text()
    text = "\n".join(re.findall(column, text, re.MULTILINE)) if column else text
    chat = list(sentences_of_the_chat())
    quoted = [sentence for said in SAID.findall(re.sub(r"\s+", " ", text)) for sentence in SENTENCES.split(said)]
    assert len(quoted) > 5
    missing = [sentence for sentence in quoted if not spoken(sentence, chat)]
    assert not missing, missing
    assert not spoken("Porter has done it for you", chat)


# -- links


LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE = re.compile(r"```.*?```|`[^`]*`", re.DOTALL)


def anchors(page: Path) -> set[str]:
    """Of its headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=by_path)
def test_links_within_the_project_lead_somewhere(page: Path) -> None:
    """To a file that is there, and to a heading in it. Pictures have a test of their own."""
    for target in LINK.findall(CODE.sub("", page.read_text())):
        path, _, anchor = target.partition("#")
        if "://" in path or path.endswith(".png"):
            continue
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), target
        assert not anchor or anchor in anchors(file), target


OURS = re.compile(r"`((?:bot|handlers|services|storage|sandbox|tests|docs|benchmarks)/[\w/.-]*)`")


@pytest.mark.parametrize("page", PAGES, ids=by_path)
def test_files_that_are_named_exist(page: Path) -> None:
    """Where something lies, as the documents say."""
    missing = [name for name in OURS.findall(page.read_text()) if not (ROOT / name).exists()]
    assert not missing, missing


# -- settings


def test_the_table_of_settings_equals_settings() -> None:
    """docs/operations.md explains each setting, in the order of .env.example, with its real default."""
    rows = re.findall(r"^\| `([A-Z_]+)` \| (.*?) \| .{10,} \|$", (DOCS / "operations.md").read_text(), re.MULTILINE)
    assert [name for name, _ in rows] == [name.upper() for name in Settings.model_fields]
    for name, said in rows:
        default = Settings.model_fields[name.lower()].get_default(call_default_factory=True)
        if isinstance(default, bool):
            assert said == f"`{str(default).lower()}`", name
        elif default is not PydanticUndefined and isinstance(default, str | Path | int):
            assert said == f"`{default}`", name
        else:
            assert not said.startswith("`"), name
