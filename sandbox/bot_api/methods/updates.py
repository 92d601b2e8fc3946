"""Long polling, webhooks (kept, never called), and answers to presses."""

from typing import Any

from sandbox.bot_api import render
from sandbox.bot_api.call import Call, method
from sandbox.bot_api.callbacks import Answer
from sandbox.bot_api.errors import bad_request

MAX_POLL_S = 50
DEFAULT_CONNECTIONS = 40


@method("getMe")
def get_me(call: Call) -> dict[str, Any]:
    return render.me(call.bot)


@method("getUpdates")
async def get_updates(call: Call) -> list[dict[str, Any]]:
    _allow(call)
    return await call.services.updates.get(
        call.bot.id,
        call.params.integer("offset"),
        call.params.integer("limit", 100, 1, 100),
        call.params.integer("timeout", 0, 0, MAX_POLL_S),
    )


@method("setWebhook")
def set_webhook(call: Call) -> bool:
    """An empty url takes the webhook away."""
    url = call.params.text("url")
    if url and not url.startswith("https://"):
        raise bad_request("bad webhook: An HTTPS URL must be provided for webhook")
    _allow(call)
    return _change_webhook(call, url)


@method("deleteWebhook")
def delete_webhook(call: Call) -> bool:
    return _change_webhook(call, "")


def _change_webhook(call: Call, url: str) -> bool:
    if call.params.flag("drop_pending_updates"):
        call.services.updates.drop(call.bot.id)
    call.services.updates.set_webhook(call.bot.id, url)
    return True


def _allow(call: Call) -> None:
    allowed = call.params.structure("allowed_updates", "allowed_updates")
    if allowed is not None:
        if not isinstance(allowed, list):
            raise bad_request("can't parse allowed_updates: Array expected")
        call.services.updates.allow(call.bot.id, [str(kind) for kind in allowed])


@method("getWebhookInfo")
def get_webhook_info(call: Call) -> dict[str, Any]:
    state = call.services.updates.state(call.bot.id)
    info: dict[str, Any] = {
        "url": state.webhook,
        "has_custom_certificate": False,
        "pending_update_count": call.services.updates.waiting(call.bot.id),
    }
    if state.webhook:
        info["max_connections"] = DEFAULT_CONNECTIONS
    if state.allowed_updates:
        info["allowed_updates"] = state.allowed_updates
    return info


@method("answerCallbackQuery")
def answer_callback_query(call: Call) -> bool:
    answer = Answer(
        call.params.text("text") or None,
        call.params.flag("show_alert"),
        call.params.text("url") or None,
    )
    call.services.callbacks.answer(call.bot.id, call.params.text("callback_query_id"), answer)
    return True
