"""Asks the child process that reads .session files (services/session_file_reader.py), and believes it nothing."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from services import session_file_reader
from services.errors import SessionTrouble, SessionUnreadable

MAX_FILE_BYTES = session_file_reader.MAX_FILE_BYTES
WALL_SECONDS = 10.0
MAX_ANSWER_BYTES = 64 * 1024

READER = Path(session_file_reader.__file__)


async def read_file(content: bytes) -> dict[str, Any]:
    """What session_formats.read_tables takes. The file's bytes go through a pipe and never to the disk.

    Raises SessionUnreadable; HOSTILE also when the child ended without an answer: out of memory, of time, or worse.
    """
    if len(content) > MAX_FILE_BYTES:
        raise SessionUnreadable(SessionTrouble.TOO_LARGE)
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",  # neither the environment's nor the working directory's modules
        "-S",
        str(READER),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={},
        limit=MAX_ANSWER_BYTES,
    )
    try:
        async with asyncio.timeout(WALL_SECONDS):
            return _answer(await _ask(child, content))
    except TimeoutError as error:
        raise SessionUnreadable(SessionTrouble.HOSTILE) from error
    finally:
        if child.returncode is None:
            child.kill()
        await child.wait()


async def _ask(child: asyncio.subprocess.Process, content: bytes) -> bytes:
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        child.stdin.write(content)
        await child.stdin.drain()
        child.stdin.close()
        line = await child.stdout.readline()
    except (ConnectionError, ValueError) as error:  # it died while reading; its line is longer than any answer
        raise SessionUnreadable(SessionTrouble.HOSTILE) from error
    await child.wait()
    return line


def _answer(line: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(line)
    except ValueError:
        # Not chained: it carries the line, which may hold half a key.
        raise SessionUnreadable(SessionTrouble.HOSTILE) from None
    if not isinstance(answer, dict):
        raise SessionUnreadable(SessionTrouble.HOSTILE)
    refused = answer.get("refused")
    if refused is not None:
        known = refused in session_file_reader.REFUSALS
        raise SessionUnreadable(SessionTrouble(refused) if known else SessionTrouble.HOSTILE)
    return answer
