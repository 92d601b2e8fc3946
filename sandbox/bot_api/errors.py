"""Refusals in the Bot API's words (source: tdlib/telegram-bot-api, Client.cpp, fail_query_with_error)."""

import re

from sandbox.world import WorldError

NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same as a current content"
    " and reply markup of the message"
)
QUERY_TOO_OLD = "query is too old and response timeout expired or query ID is invalid"
WEBHOOK_ACTIVE = "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
SET_WEBHOOK = "Conflict: terminated by setWebhook request"
OTHER_POLLER = "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"

_PREFIXES = {400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 409: "Conflict", 500: "Internal Server Error"}
_IN_WORDS: dict[str, tuple[int, str]] = {
    "CHANNEL_FORUM_MISSING": (400, "the chat is not a forum"),
    "CHANNEL_INVALID": (400, "chat not found"),
    "CHANNEL_PRIVATE": (403, "bot is not a member of the channel chat"),
    "CHAT_ADMIN_REQUIRED": (400, "not enough rights to manage chat join requests"),
    "INPUT_USER_DEACTIVATED": (403, "user is deactivated"),
    "MESSAGE_NOT_MODIFIED": (400, NOT_MODIFIED),
    "QUERY_ID_INVALID": (400, QUERY_TOO_OLD),
    "REPLY_MARKUP_TOO_LONG": (400, "reply markup is too long"),
    "USER_ADMIN_INVALID": (400, "user is an administrator of the chat"),
    "USER_IS_BLOCKED": (403, "bot was blocked by the user"),
    # No name of MTProto.
    "WEBHOOK_ACTIVE": (409, WEBHOOK_ACTIVE),
}
"""What the server says otherwise than MTProto does. Every other name is passed on as it is."""

_WAIT = re.compile(r"^(?:FLOOD|SLOWMODE|FLOOD_PREMIUM)_WAIT_(\d+)$")


class BotApiError(Exception):
    """An answer with ok = false. `code` is the HTTP status too; `retry_after` in seconds, with 429 only; `migrate_to`:
    the peer of the supergroup that the group has become."""

    def __init__(
        self, code: int, description: str, retry_after: int | None = None, migrate_to: int | None = None
    ) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.retry_after = retry_after
        self.migrate_to = migrate_to

    def body(self) -> dict[str, object]:
        body: dict[str, object] = {"ok": False, "error_code": self.code, "description": self.description}
        if self.retry_after is not None:
            body["parameters"] = {"retry_after": self.retry_after}
        if self.migrate_to is not None:
            body["parameters"] = {"migrate_to_chat_id": self.migrate_to}
        return body


def refusal(code: int, reason: str) -> BotApiError:
    """`reason` behind the status's own words; an MTProto name such as CHAT_INVALID keeps its capitals."""
    is_name = len(reason) > 1 and (reason[1] == "_" or reason[1].isupper())
    return BotApiError(code, f"{_PREFIXES[code]}: {reason if is_name else reason[0].lower() + reason[1:]}")


def bad_request(reason: str) -> BotApiError:
    return refusal(400, reason)


def upgraded(migrate_to: int) -> BotApiError:
    return BotApiError(400, "Bad Request: group chat was upgraded to a supergroup chat", migrate_to=migrate_to)


def forbidden(reason: str) -> BotApiError:
    return refusal(403, reason)


def too_many_requests(seconds: int) -> BotApiError:
    return BotApiError(429, f"Too Many Requests: retry after {seconds}", retry_after=seconds)


def in_words(name: str, code: int = 400) -> BotApiError:
    """The Bot API's answer to an MTProto error name, such as HIDE_REQUESTER_MISSING or FLOOD_WAIT_3."""
    if wait := _WAIT.match(name):
        return too_many_requests(int(wait[1]))
    if name in _IN_WORDS:
        return refusal(*_IN_WORDS[name])
    if code == 401:
        return BotApiError(401, "Unauthorized")
    return refusal(code if code in _PREFIXES else 400, name)


def of_world(error: WorldError) -> BotApiError:
    return in_words(error.name, error.code)
