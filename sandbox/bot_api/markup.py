"""reply_markup: checked as Telegram checks it, kept as the Bot API writes it."""

from collections.abc import Callable
from typing import Any

from sandbox.bot_api.errors import bad_request
from sandbox.bot_api.formatting import link
from sandbox.bot_api.params import Params

MAX_BUTTONS = 100
MAX_CALLBACK_BYTES = 64

Markup = dict[str, Any]
Button = dict[str, Any]

_STYLES = ("primary", "danger", "success")
_INLINE_ACTIONS = (
    "url",
    "callback_data",
    "switch_inline_query",
    "switch_inline_query_current_chat",
    "switch_inline_query_chosen_chat",
    "web_app",
    "login_url",
    "copy_text",
    "pay",
)
_REQUESTS = ("request_contact", "request_location", "request_poll", "web_app", "request_users", "request_chat")
_RIGHTS = ("user_administrator_rights", "bot_administrator_rights")


def read_markup(params: Params, *, inline_only: bool = False) -> Markup | None:
    """The call's reply_markup, or None. An edit takes inline keyboards only. Raises BotApiError 400."""
    return check_markup(params.structure("reply_markup", "reply keyboard markup"), inline_only=inline_only)


def check_markup(value: Any, *, inline_only: bool = False) -> Markup | None:
    if value is None:
        return None
    if not isinstance(value, dict):
        raise bad_request("object expected as reply markup")
    if rows := _rows(value, "keyboard", _keyboard_button):
        markup = {"keyboard": rows} | {
            name: value[name]
            for name in ("is_persistent", "resize_keyboard", "one_time_keyboard", "input_field_placeholder")
            if value.get(name)
        }
    elif rows := _rows(value, "inline_keyboard", _inline_button):
        return {"inline_keyboard": rows}
    elif value.get("remove_keyboard"):
        markup = {"remove_keyboard": True}
    elif value.get("force_reply"):
        markup = {"force_reply": True}
    else:
        return None
    if inline_only:
        raise bad_request("inline keyboard expected")
    return markup


def _rows(value: Markup, name: str, read: Callable[[Any], Button]) -> list[list[Button]]:
    rows = value.get(name) or []
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        whose = " of the InlineKeyboardMarkup" if name == "inline_keyboard" else ""
        raise bad_request(f'Field "{name}"{whose} must be an Array of Arrays')
    # A button without a text is left out, and so is a row without buttons: Telegram does not complain.
    checked = [[button for button in map(read, row) if button["text"]] for row in rows]
    if sum(map(len, checked)) > MAX_BUTTONS:
        raise bad_request("reply markup is too long")
    return [row for row in checked if row]


def _inline_button(value: Any) -> Button:
    if not isinstance(value, dict):
        raise _inline_complaint("InlineKeyboardButton must be an Object")
    button = _labelled(value, _inline_complaint)
    action = next((name for name in _INLINE_ACTIONS if value.get(name) not in (None, "")), None)
    if action is None:
        raise _inline_complaint("Text buttons are unallowed in the inline keyboard")
    if action == "callback_data" and len(str(value[action]).encode()) > MAX_CALLBACK_BYTES:
        raise bad_request("BUTTON_DATA_INVALID")
    if action == "url" and link(str(value[action])) is None:
        raise bad_request(f"inline keyboard button URL '{value[action]}' is invalid: Wrong HTTP URL")
    if action == "copy_text":
        text = value[action].get("text") if isinstance(value[action], dict) else None
        if not isinstance(text, str) or not 1 <= len(text) <= 256:
            raise bad_request("BUTTON_COPY_TEXT_INVALID")
    return {**button, action: value[action]}


def _keyboard_button(value: Any) -> Button:
    if isinstance(value, str):
        return {"text": value}
    if not isinstance(value, dict):
        raise _complaint("KeyboardButton must be a String or an Object")
    button = _labelled(value, _complaint)
    action = next((name for name in _REQUESTS if value.get(name)), None)
    if action is None:
        return button
    request = value[action]
    if action in ("request_chat", "request_users"):
        if not isinstance(request, dict):
            raise _complaint(f'Field "{action}" must be of type Object')
        if not isinstance(request.get("request_id"), int):
            raise _complaint('Can\'t find field "request_id"')
        if action == "request_chat":
            _check_rights(request)
    return {**button, action: request}


def _check_rights(request: dict[str, Any]) -> None:
    """The bot's wanted rights must be among those that the user must have."""
    user, bot = (request.get(name) or {} for name in _RIGHTS)
    wanted = {name for name, given in bot.items() if given is True}
    if wanted - {name for name, given in user.items() if given is True}:
        raise bad_request("BUTTON_PEER_RIGHTS_INVALID: bot_administrator_rights exceed user_administrator_rights")


def _labelled(value: dict[str, Any], complaint: Callable[[str], Exception]) -> Button:
    if "text" not in value:
        raise complaint('Can\'t find field "text"')
    if not isinstance(value["text"], str):
        raise complaint('Field "text" must be of type String')
    button: Button = {"text": value["text"].strip()}
    style = str(value.get("style") or "default").lower()
    if style in _STYLES:
        button["style"] = style
    elif style != "default":
        raise complaint("invalid button style specified")
    return button


def _complaint(what: str) -> Exception:
    return bad_request(f"can't parse keyboard button: {what}")


def _inline_complaint(what: str) -> Exception:
    return bad_request(f"can't parse inline keyboard button: {what}")
