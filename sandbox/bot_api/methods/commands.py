"""The bot's command list, by scope and language."""

import json
import re
from typing import Any

from sandbox.bot_api.call import Call, method
from sandbox.bot_api.errors import bad_request
from sandbox.world import Account, BotState, CommandsChanged

MAX_COMMANDS = 100
SCOPES: dict[str, tuple[str, ...]] = {
    "default": (),
    "all_private_chats": (),
    "all_group_chats": (),
    "all_chat_administrators": (),
    "chat": ("chat_id",),
    "chat_administrators": ("chat_id",),
    "chat_member": ("chat_id", "user_id"),
}
"""By type: the fields that go with it."""

_COMMAND = re.compile(r"[a-z0-9_]{1,32}")


@method("setMyCommands")
def set_my_commands(call: Call) -> bool:
    commands = call.params.structure("commands", "commands")
    if not isinstance(commands, list):
        raise bad_request("expected an Array of BotCommand")
    if len(commands) > MAX_COMMANDS:
        raise bad_request("BOT_COMMANDS_TOO_MUCH")
    call.services.updates.state(call.bot.id).commands[_key(call)] = [_command(value) for value in commands]
    call.world.tell(CommandsChanged(call.bot.id))
    return True


@method("getMyCommands")
def get_my_commands(call: Call) -> list[dict[str, Any]]:
    return call.services.updates.state(call.bot.id).commands.get(_key(call), [])


@method("deleteMyCommands")
def delete_my_commands(call: Call) -> bool:
    call.services.updates.state(call.bot.id).commands.pop(_key(call), None)
    call.world.tell(CommandsChanged(call.bot.id))
    return True


def shown_to(state: BotState, person: Account) -> list[dict[str, Any]]:
    """What the menu in a private chat shows: of the narrowest scope that has a list, in the person's language first."""
    for scope in (["chat", str(person.id)], ["all_private_chats"], ["default"]):
        for language in (person.language, ""):
            found = state.commands.get(json.dumps([*scope, language]))
            if found is not None:
                return found
    return []


def _command(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict) or not isinstance(value.get("command"), str):
        raise bad_request("can't parse BotCommand: expected an Object")
    command = value["command"].removeprefix("/")
    if not _COMMAND.fullmatch(command):
        raise bad_request("BOT_COMMAND_INVALID")
    description = value.get("description")
    if not isinstance(description, str) or not 1 <= len(description) <= 256:
        raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
    return {"command": command, "description": description}


def _key(call: Call) -> str:
    scope = call.params.structure("scope", "BotCommandScope") or {"type": "default"}
    if not isinstance(scope, dict):
        raise bad_request("can't parse BotCommandScope: BotCommandScope must be an Object")
    fields = SCOPES.get(str(scope.get("type")))
    if fields is None:
        raise bad_request("can't parse BotCommandScope: Unsupported type specified")
    for name in fields:
        if not scope.get(name):
            raise bad_request(f"can't parse BotCommandScope: Empty {name} specified")
    parts = [scope["type"], *(str(scope[name]) for name in fields), call.params.text("language_code")]
    return json.dumps(parts)
