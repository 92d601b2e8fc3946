"""python -m sandbox: prints one line of JSON when it is ready, then runs until SIGTERM or SIGINT."""

import argparse
import asyncio
import json
import logging
import signal
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

from sandbox.app import Sandbox, open_sandbox
from sandbox.child import porter
from sandbox.scenarios import SIZES

FAILED = 1


def read_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description="A Telegram in a box, on 127.0.0.1.")
    parser.add_argument("--http-port", type=_port, default=0, metavar="P", help="Bot API and control API; 0 picks one")
    parser.add_argument("--mtproto-port", type=_port, default=0, metavar="Q", help="MTProto; 0 picks one")
    parser.add_argument("--scenario", choices=sorted(SIZES), default="harbour", help="what is in it (%(default)s)")
    parser.add_argument("--data-dir", type=Path, default=Path(".sandbox"), metavar="DIR", help="where it is kept")
    parser.add_argument("--with-bot", action="store_true", help="start Porter too, as a child process")
    return parser.parse_args(arguments)


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError("a port lies between 0 and 65535")
    return port


async def run(options: argparse.Namespace) -> int:
    """The exit code."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        try:
            sandbox = await stack.enter_async_context(
                open_sandbox(
                    scenario=options.scenario,
                    data_dir=options.data_dir,
                    http_port=options.http_port,
                    mtproto_port=options.mtproto_port,
                )
            )
        except OSError as error:
            print(f"The sandbox does not start: {error.strerror or error}", file=sys.stderr)
            return FAILED
        ready = stack.enter_context(ready_file(options.data_dir))
        if not options.with_bot:
            announce(sandbox, None, ready)
            await stop.wait()
            return 0
        child = await stack.enter_async_context(porter(sandbox, options.data_dir.resolve() / "porter"))
        return await accompany(sandbox, child, stop, ready)


async def accompany(sandbox: Sandbox, child: asyncio.subprocess.Process, stop: asyncio.Event, ready: Path) -> int:
    """Announce the sandbox once Porter polls; end when asked to, or with Porter."""
    stopping = asyncio.create_task(stop.wait())
    ended = asyncio.create_task(child.wait())
    polled = asyncio.create_task(sandbox.api.updates.polled(sandbox.bot.id))
    tasks = {stopping, ended, polled}
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if polled.done() and not ended.done():
            announce(sandbox, child.pid, ready)
            await asyncio.wait({stopping, ended}, return_when=asyncio.FIRST_COMPLETED)
        if stopping.done():
            return 0
        print(f"Porter has ended by itself, with exit code {child.returncode}", file=sys.stderr)
        return FAILED
    finally:
        for task in tasks:
            task.cancel()


@contextmanager
def ready_file(data_dir: Path) -> Iterator[Path]:
    """Where `python -m sandbox.chat` finds the line; gone when the sandbox is."""
    path = data_dir / "ready.json"
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def announce(sandbox: Sandbox, bot_pid: int | None, ready: Path) -> None:
    line = json.dumps(sandbox.line(bot_pid))
    ready.touch(mode=0o600)
    ready.write_text(line)
    print(line, flush=True)
    print(welcome(sandbox, with_porter=bot_pid is not None), file=sys.stderr, flush=True)


def welcome(sandbox: Sandbox, *, with_porter: bool) -> str:
    """Where to go, for people. Whatever is logged stands before or after it, never in between."""
    who = sandbox.world.account(sandbox.admin_id).name
    rule = "─" * (len(sandbox.page) + 4)
    return f"""
{rule}
  {"Porter runs on the sandbox" if with_porter else "The sandbox runs"}. Open this in a browser:

  {sandbox.page}

  You are {who}; phone, password and API id are on the page, under "Sandbox".
  In a terminal instead: make chat. End it with Ctrl-C.
{rule}
"""


def main() -> int:
    logging.basicConfig(
        level=logging.WARNING, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    return asyncio.run(run(read_arguments()))


if __name__ == "__main__":
    sys.exit(main())
