"""Lines of the log, as they are written."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from services import log_context

Line = tuple[str, dict[str, int]]


@contextmanager
def heard(name: str) -> Iterator[list[Line]]:
    """What that logger and those below it say, and the ids of the moment they say it."""
    lines: list[Line] = []

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append((record.getMessage(), dict(log_context.ids())))

    ear, logger = Ear(), logging.getLogger(name)
    level = logger.level
    logger.addHandler(ear)
    logger.setLevel(logging.DEBUG)
    try:
        yield lines
    finally:
        logger.removeHandler(ear)
        logger.setLevel(level)
