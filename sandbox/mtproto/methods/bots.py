"""auth.importBotAuthorization, and what Telegram keeps from bots. https://core.telegram.org/api/bots"""

import re
from typing import Any

from telethon.tl import functions

from sandbox.mtproto.methods.auth import authorized, is_application
from sandbox.mtproto.methods.peers import fail
from sandbox.mtproto.rpc import FOR_USERS, Call, method

TOKEN = re.compile(r"\d{6,16}:[A-Za-z0-9_-]{35}")

FOR_USERS |= {
    "account.getAuthorizations",
    "account.getPassword",
    "account.resetAuthorization",
    "account.updateStatus",
    "auth.acceptLoginToken",
    "channels.getAdminLog",
    "channels.joinChannel",
    "contacts.getContacts",
    "messages.checkChatInvite",
    "messages.getChatInviteImporters",
    "messages.getAdminsWithInvites",
    "messages.getDialogs",
    "messages.getExportedChatInvites",
    "messages.getHistory",
    "messages.getPeerDialogs",
    "messages.getPinnedDialogs",
    "messages.getSearchCounters",
    "messages.hideAllChatJoinRequests",
    "messages.importChatInvite",
    "messages.search",
}


@method(functions.auth.ImportBotAuthorizationRequest)
async def import_bot_authorization(call: Call, request: Any) -> Any:
    """A bot signs in with its token: no code, no password, at its home DC."""
    if not is_application(call, request.api_id, request.api_hash):
        raise fail("API_ID_INVALID")
    token = request.bot_auth_token
    if not TOKEN.fullmatch(token):
        raise fail("ACCESS_TOKEN_INVALID")
    bot = call.world.bot_by_token(token)
    if bot is None:
        was_one = any(token in account.former_tokens for account in call.world.accounts.values())
        raise fail("ACCESS_TOKEN_EXPIRED" if was_one else "ACCESS_TOKEN_INVALID")
    if call.dc_id != bot.home_dc:
        raise fail(f"USER_MIGRATE_{bot.home_dc}")
    call.key.api_id, call.key.revoked = request.api_id, False
    return authorized(call, bot)
