"""Of every run of the tests: it has no network, and it says aloud what it left out."""

import errno
import os
import socket
import sys
from typing import Any

import pytest

from tests.browser import chromium

HOME = ("127.", "localhost", "::1")
"""How addresses begin that do not leave this machine."""


def stay_at_home(event: str, arguments: tuple[Any, ...]) -> None:
    """Whatever tries to leave finds what it would find on a machine without a network: a test that needs one fails."""
    if event == "socket.connect" and isinstance(arguments[1], tuple) and not arguments[1][0].startswith(HOME):
        raise OSError(errno.ENETUNREACH, os.strerror(errno.ENETUNREACH))
    if event == "socket.getaddrinfo" and arguments[0] and not is_address(arguments[0]):
        raise socket.gaierror(socket.EAI_NONAME, "tests ask no name server")


def is_address(host: str | bytes) -> bool:
    name = host.decode() if isinstance(host, bytes) else host
    return name.startswith(HOME) or name.replace(".", "").isdigit() or ":" in name


sys.addaudithook(stay_at_home)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Skipped tests are easily overlooked: that the page was seen by no browser is said in a line of its own."""
    skipped = [report for report in terminalreporter.getreports("skipped") if chromium.MISSING in str(report.longrepr)]
    if skipped:
        terminalreporter.write_sep("!", "the page was not tested", red=True, bold=True)
        terminalreporter.write_line(
            f"{len(skipped)} browser tests did not run: {chromium.MISSING}. Get one: {chromium.HOW_TO_GET_IT}"
        )
