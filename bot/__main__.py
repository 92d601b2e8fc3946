"""python -m bot: settings -> run -> exit code.

Exit codes: 0 stopped as asked; 2 refused to start, with one line that says why; 3 another process uses this token.
"""

import asyncio
import logging
import signal
import sys

from bot.logs import configure_logging
from bot.settings import Settings, SettingsInvalid, load_settings

REFUSED, CONFLICT = 2, 3

log = logging.getLogger("bot")


async def serve(settings: Settings) -> int:
    from aiogram.exceptions import TelegramUnauthorizedError

    from bot.app import open_app
    from bot.polling import AnotherPoller
    from storage.errors import PorterError

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        async with open_app(settings) as app:
            log.info("Porter polls as bot %d", app.bot.id)
            await app.run(stop)
    except TelegramUnauthorizedError:
        return refuse("BOT_TOKEN is refused by Telegram: take a new one from BotFather")
    except AnotherPoller as error:
        print(f"Porter stops: {error}", file=sys.stderr)
        return CONFLICT
    except (PorterError, SettingsInvalid) as error:
        return refuse(str(error))
    log.info("Porter stopped")
    return 0


def refuse(why: str) -> int:
    print(f"Porter does not start: {why}", file=sys.stderr)
    return REFUSED


def main() -> int:
    try:
        settings = load_settings()
    except SettingsInvalid as error:
        return refuse(str(error))
    secrets = [settings.bot_token, settings.api_hash, settings.master_key, settings.master_passphrase]
    configure_logging(settings.log_level, settings.log_format, [s.get_secret_value() for s in secrets if s])
    return asyncio.run(serve(settings))


if __name__ == "__main__":
    sys.exit(main())
