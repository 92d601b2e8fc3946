"""What the end of a run says about what it left out."""

import pytest

from tests.browser import chromium


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Skipped tests are easily overlooked: that the page was seen by no browser is said in a line of its own."""
    skipped = [report for report in terminalreporter.getreports("skipped") if chromium.MISSING in str(report.longrepr)]
    if skipped:
        terminalreporter.write_sep("!", "the page was not tested", red=True, bold=True)
        terminalreporter.write_line(
            f"{len(skipped)} browser tests did not run: {chromium.MISSING}. Get one: {chromium.HOW_TO_GET_IT}"
        )
