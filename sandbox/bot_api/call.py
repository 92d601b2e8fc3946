"""The seam between the HTTP server and the methods: what a call is, and how a method registers.

A method is a function that answers a JSON value or raises BotApiError (or the World's own WorldError):

    @method("getMe")
    def get_me(call: Call) -> Json: ...
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from sandbox.bot_api.callbacks import Callbacks
from sandbox.bot_api.files import Files
from sandbox.bot_api.limits import ChatLimits
from sandbox.bot_api.params import Params
from sandbox.bot_api.updates import Updates
from sandbox.world import Account, World


@dataclass(frozen=True)
class Services:
    world: World
    updates: Updates
    callbacks: Callbacks
    files: Files
    limits: ChatLimits


@dataclass(frozen=True)
class Call:
    """One call of a bot."""

    services: Services
    bot: Account
    params: Params

    @property
    def world(self) -> World:
        return self.services.world

    def spend(self, peer: int) -> None:
        """One message or edit towards the chat's limit. Raises BotApiError 429."""
        self.services.limits.spend(self.bot.id, peer)


Handler = Callable[[Call], Any | Awaitable[Any]]

METHODS: dict[str, tuple[str, Handler]] = {}
"""By lower-case name, as Telegram looks them up: the name as Telegram writes it, and the function."""


def method(name: str) -> Callable[[Handler], Handler]:
    def register(handler: Handler) -> Handler:
        METHODS[name.lower()] = (name, handler)
        return handler

    return register
