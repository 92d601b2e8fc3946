"""The log: secrets are struck out wherever they come from, fields stand in JSON."""

import io
import json
import logging
import re

import pytest

from bot.logs import JsonFormatter, Redactor, TextFormatter
from services.log_context import bound

SECRET = "made-up-secret-value"


def written(formatter: logging.Formatter, message: str, *args: object, **fields: object) -> str:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    logger = logging.getLogger("tests.bot.logs")
    logger.propagate = False
    logger.handlers = [handler]
    logger.error(message, *args, **fields)  # type: ignore[arg-type]
    return stream.getvalue()


@pytest.mark.parametrize("kind", [TextFormatter, JsonFormatter])
@pytest.mark.parametrize(
    "secret",
    [
        SECRET,
        "7000000001:AAmade-up-token-of-thirty-five-chars",
        "https://host/bot7000000001:AAmade-up-token-of-thirty-five-chars/getMe",
        "1" + "A" * 352,
    ],
)
def test_secrets_are_struck_out(kind: type[TextFormatter | JsonFormatter], secret: str) -> None:
    """Known values and whatever has the shape of a token, a claim or a session string."""
    line = written(kind(Redactor([SECRET])), "said %s", secret)
    assert "[secret]" in line
    assert secret not in line
    assert "AAmade-up" not in line


def test_secrets_in_tracebacks_are_struck_out() -> None:
    """An exception's text goes the same way."""
    try:
        raise ValueError(SECRET)
    except ValueError:
        line = written(TextFormatter(Redactor([SECRET])), "failed", exc_info=True)
    assert SECRET not in line
    assert "ValueError" in line


def test_json_carries_the_fields() -> None:
    """Ids stand as fields of their own, for machines."""
    line = json.loads(written(JsonFormatter(Redactor([])), "a run", extra={"run_id": 7}))
    assert (line["message"], line["run_id"], line["level"]) == ("a run", 7, "ERROR")


@pytest.mark.parametrize("kind", [TextFormatter, JsonFormatter])
def test_lines_carry_the_work_that_they_are_written_in(kind: type[TextFormatter | JsonFormatter]) -> None:
    """What is bound around stands in each line; what the line itself names has the last word."""
    with bound(run_id=7, session_id=2):
        line = written(kind(Redactor([])), "a part", extra={"session_id": 3})
    shown = json.loads(line) if kind is JsonFormatter else dict(re.findall(r"(\w+_id)=(\d+)", line))
    assert (int(shown["run_id"]), int(shown["session_id"])) == (7, 3)
    assert "run_id" not in written(kind(Redactor([])), "after it")
