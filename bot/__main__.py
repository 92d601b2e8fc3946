"""python -m bot [COMMAND]: settings -> work -> exit code. `--help` names the commands; without one, it is run.

Exit codes: 0 done, or stopped as asked; 2 refused, with one line that says why; 3 another process uses this token.
`health` ends with 1 when Porter is not well, `doctor` when it has found an error.
"""

import argparse
import asyncio
import gc
import logging
import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from bot import __version__
from bot.logs import configure_logging
from bot.settings import Settings, SettingsInvalid, load_health_port, load_settings

if TYPE_CHECKING:
    from bot.ground import Ground

SICK, REFUSED, CONFLICT, INTERRUPTED = 1, 2, 3, 130
WHAT = {
    "run": "start",
    "health": "ask",
    "rekey": "change keys",
    "backup": "back up",
    "restore": "restore",
    "clear-pin": "clear the PIN",
}

log = logging.getLogger("bot")


async def serve(settings: Settings) -> int:
    """Whoever may not start is refused before aiogram is imported; the first poll is on its way while the rest is
    (docs/decisions/0033-a-quick-start.md). Raises StoppedEarly."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return await prove(settings, stop)


async def prove(settings: Settings, stop: asyncio.Event) -> int:
    await load("bot.ground", stop)
    from bot.ground import open_ground
    from storage.errors import PorterError

    try:
        async with AsyncExitStack() as stack:
            try:
                ground = await stack.enter_async_context(open_ground(settings))
            except OSError as error:
                return refuse(_said(error))  # a folder of another user, a full disk
            return await work(ground, stop)
    except (PorterError, SettingsInvalid) as error:
        return refuse(str(error))


async def work(ground: "Ground", stop: asyncio.Event) -> int:
    await load("bot.telegram", stop)
    from aiogram.exceptions import TelegramUnauthorizedError

    from bot.pace import ChatPace
    from bot.polling import AnotherPoller, first_poll
    from bot.telegram import open_bot
    from storage.migrate import HEAD

    pace = ChatPace()
    try:
        async with open_bot(ground.settings, pace) as bot, first_poll(bot) as first:
            await load("bot.app", stop)
            from bot.app import build_app

            async with build_app(ground, bot, pace, first) as app:
                collect_garbage_again()
                log.info("Porter polls as bot %d: version %s, schema %s", bot.id, __version__, HEAD)
                await app.run(stop)
    except TelegramUnauthorizedError:
        return refuse("BOT_TOKEN is refused by Telegram: take a new one from BotFather")
    except AnotherPoller as error:
        print(f"Porter stops: {error}", file=sys.stderr)
        return CONFLICT
    log.info("Porter stopped")
    return 0


class StoppedEarly(Exception):
    """Told to stop before anything worked."""


async def load(module: str, stop: asyncio.Event) -> None:
    """Import it beside the loop: signals are heard and answers come meanwhile.

    Raises StoppedEarly as soon as `stop` is set. The import goes on then, in a thread that the loop does not wait for.
    """
    executor = ThreadPoolExecutor(max_workers=1)
    importing = asyncio.wrap_future(executor.submit(import_module, module))
    executor.shutdown(wait=False)
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait((importing, stopping), return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if stop.is_set():
        importing.cancel()
        raise StoppedEarly
    await importing


def leave() -> NoReturn:
    """With code 0. What was opened is closed; the interpreter would wait for the import that is under way."""
    log.info("Porter stopped")
    logging.shutdown()
    os._exit(0)


def collect_garbage_again() -> None:
    """What was imported stays for life: from now on no collection looks at it."""
    gc.freeze()
    gc.enable()


async def operate(settings: Settings, arguments: argparse.Namespace) -> int:
    """Everything but run: without aiogram and the client libraries, so they start at once."""
    from bot import commands
    from storage.errors import PorterError

    try:
        match arguments.command:
            case "clear-pin":
                await commands.run_clear_pin(settings, arguments.user_id)
            case "rekey":
                await commands.run_rekey(settings)
            case "backup":
                await commands.run_backup(settings, arguments.file, force=arguments.force)
            case "restore":
                await commands.run_restore(settings, arguments.file, force=arguments.force)
    except (PorterError, SettingsInvalid) as error:
        return refuse(str(error), arguments.command)
    except OSError as error:
        return refuse(_said(error), arguments.command)
    return 0


def examine(arguments: argparse.Namespace) -> int:
    """The doctor is asked most when settings do not load. Libraries are silent meanwhile."""
    from bot import doctor

    given: Settings | SettingsInvalid
    try:
        given = load_settings()
    except SettingsInvalid as error:
        given = error
    logging.disable(logging.CRITICAL)
    flags = {"as_json": arguments.json, "fix": arguments.fix, "live": arguments.live, "yes": arguments.yes}
    try:
        return asyncio.run(doctor.run(given, **flags))
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - asked where much is broken: one line here too, and no text that may quote
        print(f"The doctor could not work: {type(error).__name__}", file=sys.stderr)
        return REFUSED


def _said(error: OSError) -> str:
    where = f"{error.filename}: " if error.filename else ""  # a full disk names no file
    return f"{where}{error.strerror}"


def check_health() -> int:
    """For supervisors, every half minute: it reads HEALTH_PORT alone."""
    from bot.checkup import ask

    try:
        trouble = ask(load_health_port())
    except SettingsInvalid as error:
        return refuse(str(error), "health")
    print("Porter is well" if trouble is None else f"Porter is not well: {trouble}")
    return 0 if trouble is None else SICK


def refuse(why: str, command: str = "run") -> int:
    print(f"Porter does not {WHAT[command]}: {why}", file=sys.stderr)
    return REFUSED


def parse(words: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bot", description="Porter. docs/operations.md tells more.")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    parser.set_defaults(command="run")
    commands.add_parser("run", help="operate the bot (this is what no command does)")
    doctor = commands.add_parser("doctor", help="look for what is wrong, and say what to do; Porter may run")
    doctor.add_argument("--json", action="store_true", help="one JSON object instead of text")
    doctor.add_argument("--fix", action="store_true", help="mend what can be mended without losing anything")
    doctor.add_argument("--live", action="store_true", help="a round against Telegram as well, with the accounts")
    doctor.add_argument("--yes", action="store_true", help="--live begins without asking")
    commands.add_parser("health", help="ask the Porter of this host at HEALTH_PORT: exit code 0 when it is well")
    commands.add_parser("rekey", help="move everything sealed to the newest key of MASTER_KEY or MASTER_KEY_FILE")
    clear_pin = commands.add_parser("clear-pin", help="take away the PIN of an admin who lost it; Porter may run")
    clear_pin.add_argument("user_id", metavar="USER_ID", type=int)
    backup = commands.add_parser("backup", help="write database and keys to FILE, under a passphrase; Porter may run")
    backup.add_argument("file", metavar="FILE", type=Path)
    backup.add_argument("--force", action="store_true", help="overwrite FILE")
    restore = commands.add_parser("restore", help="make a DATA_DIR of FILE")
    restore.add_argument("file", metavar="FILE", type=Path)
    restore.add_argument("--force", action="store_true", help="also where a Porter is; its files are kept beside")
    return parser.parse_args(words)


def main() -> int:
    arguments = parse()
    if arguments.command == "doctor":
        return examine(arguments)
    if arguments.command == "health":
        return check_health()
    try:
        settings = load_settings()
    except SettingsInvalid as error:
        return refuse(str(error), arguments.command)
    configure_logging(settings.log_level, settings.log_format, settings.secrets)
    if arguments.command == "run":
        gc.disable()  # imports make hundreds of thousands of objects, and next to no garbage
        try:
            code = asyncio.run(serve(settings))
        except StoppedEarly:
            leave()
        except KeyboardInterrupt:  # before the loop listens to signals
            return INTERRUPTED
        gc.freeze()  # the memory goes with the process: the interpreter's last collection would take a second
        return code
    try:
        return asyncio.run(operate(settings, arguments))
    except KeyboardInterrupt:
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
