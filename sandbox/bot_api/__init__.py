"""The Bot API over HTTP, for unmodified aiogram: updates by long polling, messages, buttons, join requests, files.

server.py       HTTP, tokens, faults            call.py         what a call is; the registry of methods
methods/        one file a family               params.py       arguments, however they came
updates.py      events -> updates, long polling callbacks.py    presses and their answers
content.py      texts, captions, files          formatting.py   HTML -> entities
markup.py       keyboards, checked              render.py       World -> JSON
chats.py        which chat, and may the bot?    files.py        file_id and file_path
limits.py       per-chat limits                 errors.py       refusals in Telegram's words
"""

from sandbox.bot_api.server import BotApi

__all__ = ["BotApi"]
