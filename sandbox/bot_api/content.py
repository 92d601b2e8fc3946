"""Text, captions and files of a call, ready to be kept in a message."""

from typing import Any

from sandbox.bot_api import render
from sandbox.bot_api.call import Call
from sandbox.bot_api.errors import bad_request
from sandbox.bot_api.files import keep
from sandbox.bot_api.formatting import Entity, parse_html, plain, utf16_length, with_detected
from sandbox.bot_api.params import Params
from sandbox.world import Document, MediaKind, World

MAX_TEXT = 4096
MAX_CAPTION = 1024

Content = dict[str, Any]
"""Fields of a world Message."""


def text(call: Call) -> Content:
    """Raises BotApiError 400 when it is empty, too long or cannot be parsed."""
    if not call.params.text("text"):
        raise bad_request("message text is empty")
    content = _formatted(call.world, call.params, "text", "entities")
    if not content["text"]:
        raise bad_request("text must be non-empty")
    if utf16_length(content["text"]) > MAX_TEXT:
        raise bad_request("message is too long")
    return content


def caption(world: World, params: Params) -> Content:
    content = _formatted(world, params, "caption", "caption_entities")
    if utf16_length(content["text"]) > MAX_CAPTION:
        raise bad_request("message caption is too long")
    return content


def document(call: Call, params: Params, name: str, kind: MediaKind) -> Document:
    """The file that parameter `name` brings: an upload, attach://PART, or a file_id. Addresses are not fetched."""
    value = params.text(name)
    upload = call.params.files.get(value.removeprefix("attach://") if value.startswith("attach://") else name)
    if upload is not None:
        return keep(call.world, upload, kind)
    if not value:
        raise bad_request(f"there is no {kind} in the request")
    if value.startswith(("http://", "https://")):
        raise bad_request("failed to get HTTP URL content")
    found = call.services.files.by_file_id(value)
    if (found.kind == "photo") != (kind == "photo"):
        raise bad_request(f"can't use file of type {found.kind.capitalize()} as {kind.capitalize()}")
    return found


def _formatted(world: World, params: Params, name: str, entities_name: str) -> Content:
    given = params.structure(entities_name, "entities")
    mode = params.text("parse_mode").lower()
    value = params.text(name)
    if given:
        if not isinstance(given, list) or not all(isinstance(entity, dict) for entity in given):
            raise bad_request("can't parse entities: expected an Array of MessageEntity")
        body, entities = value, given
    elif mode == "html":
        body, entities = parse_html(value)
    elif mode:
        raise bad_request("unsupported parse_mode")
    else:
        body, entities = plain(value)
    mentioned = [entity for entity in (_mention(world, entity) for entity in entities) if entity is not None]
    return {"text": body, "entities": with_detected(body, mentioned)}


def _mention(world: World, entity: Entity) -> Entity | None:
    """A link to tg://user?id=N names a person, or nobody when there is no such person."""
    url = str(entity.get("url", ""))
    if not url.startswith("tg://user?id="):
        return entity
    digits = url.removeprefix("tg://user?id=")
    account = world.accounts.get(int(digits)) if digits.isdigit() else None
    if account is None:
        return None
    kept = {name: value for name, value in entity.items() if name != "url"}
    return {**kept, "type": "text_mention", "user": render.user(account)}
