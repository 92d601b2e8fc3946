"""python -m bot [run | rekey | backup FILE | restore FILE | clear-pin USER_ID]: settings -> work -> exit code.

Exit codes: 0 done, or stopped as asked; 2 refused, with one line that says why; 3 another process uses this token.
"""

import argparse
import asyncio
import gc
import logging
import signal
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from bot.logs import configure_logging
from bot.settings import Settings, SettingsInvalid, load_settings

if TYPE_CHECKING:
    from bot.ground import Ground

REFUSED, CONFLICT, INTERRUPTED = 2, 3, 130
WHAT = {"run": "start", "rekey": "change keys", "backup": "back up", "restore": "restore", "clear-pin": "clear the PIN"}

log = logging.getLogger("bot")


async def serve(settings: Settings) -> int:
    """Whoever may not start is refused before aiogram is imported; the first poll is on its way while the rest is
    (docs/decisions/0033-a-quick-start.md)."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        return await prove(settings, stop)
    except StoppedEarly:
        log.info("Porter stopped")
        return 0


async def prove(settings: Settings, stop: asyncio.Event) -> int:
    await load("bot.ground", stop)
    from bot.ground import open_ground
    from storage.errors import PorterError

    try:
        async with open_ground(settings) as ground:
            return await work(ground, stop)
    except (PorterError, SettingsInvalid) as error:
        return refuse(str(error))


async def work(ground: "Ground", stop: asyncio.Event) -> int:
    await load("bot.telegram", stop)
    from aiogram.exceptions import TelegramUnauthorizedError

    from bot.pace import ChatPace
    from bot.polling import AnotherPoller, first_poll
    from bot.telegram import open_bot

    pace = ChatPace()
    try:
        async with open_bot(ground.settings, pace) as bot, first_poll(bot) as first:
            await load("bot.app", stop)
            from bot.app import build_app

            async with build_app(ground, bot, pace, first) as app:
                collect_garbage_again()
                log.info("Porter polls as bot %d", bot.id)
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
    """Import it beside the loop: signals are heard and answers come meanwhile. Raises StoppedEarly."""
    await asyncio.to_thread(import_module, module)
    if stop.is_set():
        raise StoppedEarly


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
        where = f"{error.filename}: " if error.filename else ""  # a full disk names no file
        return refuse(f"{where}{error.strerror}", arguments.command)
    return 0


def refuse(why: str, command: str = "run") -> int:
    print(f"Porter does not {WHAT[command]}: {why}", file=sys.stderr)
    return REFUSED


def parse(words: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bot", description="Porter. docs/operations.md tells more.")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    parser.set_defaults(command="run")
    commands.add_parser("run", help="operate the bot (this is what no command does)")
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
    try:
        settings = load_settings()
    except SettingsInvalid as error:
        return refuse(str(error), arguments.command)
    secrets = [settings.bot_token, settings.api_hash, settings.master_key, settings.master_passphrase]
    configure_logging(settings.log_level, settings.log_format, [s.get_secret_value() for s in secrets if s])
    if arguments.command == "run":
        gc.disable()  # imports make hundreds of thousands of objects, and next to no garbage
        code = asyncio.run(serve(settings))
        gc.freeze()  # the memory goes with the process: the interpreter's last collection would take a second
        return code
    try:
        return asyncio.run(operate(settings, arguments))
    except KeyboardInterrupt:
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
