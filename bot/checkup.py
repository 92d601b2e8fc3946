"""`python -m bot health`: asks the Porter of this host how it is. Without aiogram: it comes by every half minute."""

import json
from http.client import HTTPConnection, HTTPException

ANSWER_SECONDS = 10.0


def ask(port: int, seconds: float = ANSWER_SECONDS) -> str | None:
    """None: all is well. Else what is not; no answer within `seconds` (for each step) is as bad as a bad one."""
    connection = HTTPConnection("127.0.0.1", port, timeout=seconds)
    try:
        connection.request("GET", "/health")
        answer = connection.getresponse()
        body = answer.read()
    except (OSError, HTTPException) as error:
        return f"no answer at 127.0.0.1:{port} ({type(error).__name__})"
    finally:
        connection.close()
    return None if answer.status == 200 else _trouble(answer.status, body)


def _trouble(status: int, body: bytes) -> str:
    try:
        report = json.loads(body)
        sick = [name for name, part in report.items() if isinstance(part, dict) and part.get("ok") is False]
        return ", ".join(sick) or str(report["state"])
    except (ValueError, KeyError, AttributeError):
        return f"HTTP {status}: is that Porter?"
