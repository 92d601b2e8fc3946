"""Who imports whom, and which library has which owner: the walls of docs/architecture.md."""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("bot", "handlers", "services", "storage", "sandbox")

# package -> packages of ours that it may import
MAY_IMPORT = {
    "bot": {"bot", "handlers", "services", "storage"},
    "handlers": {"handlers", "services", "storage"},
    "services": {"services", "storage"},
    "storage": {"storage"},
    "sandbox": {"sandbox"},
}

# library -> the files that may import it
OWNERS = {
    "aiogram": ("bot/", "handlers/", "sandbox/"),
    "telethon": ("services/clients/telethon", "sandbox/"),
    "pyrogram": ("services/clients/pyrogram", "sandbox/"),
    "playwright": ("tests/",),
    "python_socks": ("services/clients/proxy.py",),
    "apscheduler": ("services/schedule.py",),
    "sqlalchemy": ("storage/",),
    "alembic": ("storage/",),
    "cryptography": ("storage/", "sandbox/"),
    "re2": ("services/filters.py",),
    "segno": ("handlers/qr_picture.py",),
    "zxingcpp": ("sandbox/",),
    "yaml": (),  # of tests alone
}


PLAIN = {"storage.models", "storage.request_models"}
"""Modules of dataclasses and enums, without a database."""


SOURCES = [path.relative_to(ROOT).as_posix() for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


def parsed(path: str) -> ast.Module:
    return ast.parse((ROOT / path).read_text())


@pytest.fixture(scope="module")
def sources() -> list[tuple[str, ast.Module]]:
    """All of them. Not at import: the garbage collector would walk all these trees to the end of the suite."""
    return [(path, parsed(path)) for path in SOURCES]


def imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


@pytest.mark.parametrize("path", SOURCES)
def test_imports_go_one_way(path: str) -> None:
    """bot -> handlers -> services -> storage, never back; the sandbox knows nothing of Porter."""
    package = path.split("/", maxsplit=1)[0]
    ours = {name.split(".")[0] for name in imported(parsed(path))} & set(PACKAGES)
    assert ours <= MAY_IMPORT[package]


@pytest.mark.parametrize("path", SOURCES)
def test_each_library_has_one_owner(path: str) -> None:
    """A library is imported by its owner alone, so that it can be replaced or pinned down in one place."""
    for name in imported(parsed(path)):
        allowed = OWNERS.get(name.split(".")[0])
        assert allowed is None or path.startswith(allowed), f"{path} imports {name}"


def test_handlers_take_only_plain_data_from_storage(sources: list[tuple[str, ast.Module]]) -> None:
    """Of storage, handlers know the models and nothing else."""
    for path, tree in sources:
        if path.startswith("handlers/"):
            assert {name for name in imported(tree) if name.startswith("storage")} <= PLAIN, path


def test_only_settings_read_the_environment(sources: list[tuple[str, ast.Module]]) -> None:
    """os.environ is read in bot/settings.py; the sandbox reads its own to start a child with it."""
    for path, tree in sources:
        if path == "bot/settings.py" or path.startswith("sandbox/"):
            continue
        for node in ast.walk(tree):
            assert not (isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv"}), path


def test_nothing_is_swallowed(sources: list[tuple[str, ast.Module]]) -> None:
    """No bare `except:`, and no handler of a broad exception that does nothing."""
    for path, tree in sources:
        for node in ast.walk(tree):
            if isinstance(node, ast.ExceptHandler):
                assert node.type is not None, f"{path}:{node.lineno} catches everything"
                broad = isinstance(node.type, ast.Name) and node.type.id in {"Exception", "BaseException"}
                assert not (broad and all(isinstance(line, ast.Pass) for line in node.body)), f"{path}:{node.lineno}"


def test_handlers_are_short(sources: list[tuple[str, ast.Module]]) -> None:
    """A handler reads input, calls one service and answers: at most 25 lines, signature included."""
    long = [
        f"{path}:{node.name} ({node.end_lineno - node.lineno + 1})"
        for path, tree in sources
        if path.startswith("handlers/") and "/texts/" not in path
        for node in ast.walk(tree)
        if isinstance(node, ast.AsyncFunctionDef) and node.end_lineno and node.end_lineno - node.lineno >= 25
    ]
    assert not long, long


def test_handlers_write_no_text(sources: list[tuple[str, ast.Module]]) -> None:
    """Texts stand in handlers/texts: no sentence is written in a handler, a keyboard or a service."""
    for path, tree in sources:
        if not path.startswith(("handlers/", "services/")) or "/texts/" in path:
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "Page":
                assert not any(isinstance(arg, ast.Constant) for arg in node.args), f"{path}:{node.lineno}"


def test_every_package_is_listed() -> None:
    """pyproject names each package, so that nothing is swept in and none is left out."""
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    there = [
        path.parent.relative_to(ROOT).as_posix().replace("/", ".")
        for package in PACKAGES
        for path in (ROOT / package).rglob("__init__.py")
    ]
    assert sorted(listed) == sorted(there)
