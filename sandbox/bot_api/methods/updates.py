"""Long polling, webhooks (there are none), and answers to presses."""

from typing import Any

from sandbox.bot_api import render
from sandbox.bot_api.call import Call, method
from sandbox.bot_api.callbacks import Answer
from sandbox.bot_api.errors import bad_request

MAX_POLL_S = 50


@method("getMe")
def get_me(call: Call) -> dict[str, Any]:
    return render.me(call.bot)


@method("getUpdates")
async def get_updates(call: Call) -> list[dict[str, Any]]:
    allowed = call.params.structure("allowed_updates", "allowed_updates")
    if allowed is not None:
        if not isinstance(allowed, list):
            raise bad_request("can't parse allowed_updates: Array expected")
        call.services.updates.allow(call.bot.id, [str(kind) for kind in allowed])
    return await call.services.updates.get(
        call.bot.id,
        call.params.integer("offset"),
        call.params.integer("limit", 100, 1, 100),
        call.params.integer("timeout", 0, 0, MAX_POLL_S),
    )


@method("deleteWebhook")
def delete_webhook(call: Call) -> bool:
    if call.params.flag("drop_pending_updates"):
        call.services.updates.drop(call.bot.id)
    return True


@method("getWebhookInfo")
def get_webhook_info(call: Call) -> dict[str, Any]:
    info: dict[str, Any] = {
        "url": "",
        "has_custom_certificate": False,
        "pending_update_count": call.services.updates.waiting(call.bot.id),
    }
    if allowed := call.services.updates.state(call.bot.id).allowed_updates:
        info["allowed_updates"] = allowed
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
