"""python -m bot [run | health | rekey | backup FILE | restore FILE | clear-pin USER_ID]: settings -> work -> exit code.

Exit codes: 0 done, or stopped as asked; 2 refused, with one line that says why; 3 another process uses this token.
`health` ends with 1 when Porter is not well.
"""

import argparse
import asyncio
import logging
import signal
import sys
from pathlib import Path

from bot import __version__
from bot.logs import configure_logging
from bot.settings import Settings, SettingsInvalid, load_health_port, load_settings

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
    from aiogram.exceptions import TelegramUnauthorizedError

    from bot.app import open_app
    from bot.polling import AnotherPoller
    from storage.errors import PorterError
    from storage.migrate import HEAD

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    is_open = False
    try:
        async with open_app(settings) as app:
            is_open = True
            log.info("Porter polls as bot %d: version %s, schema %s", app.bot.id, __version__, HEAD)
            await app.run(stop)
    except TelegramUnauthorizedError:
        return refuse("BOT_TOKEN is refused by Telegram: take a new one from BotFather")
    except AnotherPoller as error:
        print(f"Porter stops: {error}", file=sys.stderr)
        return CONFLICT
    except (PorterError, SettingsInvalid) as error:
        return refuse(str(error))
    except OSError as error:
        if is_open:
            raise
        return refuse(_said(error))  # a folder of another user, a full disk
    log.info("Porter stopped")
    return 0


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
    if arguments.command == "health":
        return check_health()
    try:
        settings = load_settings()
    except SettingsInvalid as error:
        return refuse(str(error), arguments.command)
    configure_logging(settings.log_level, settings.log_format, settings.secrets)
    if arguments.command == "run":
        return asyncio.run(serve(settings))
    try:
        return asyncio.run(operate(settings, arguments))
    except KeyboardInterrupt:
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
