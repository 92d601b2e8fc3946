"""The methods of Telegram's API that the sandbox knows, one file a namespace (large ones have several).

Importing this package registers them all with sandbox.mtproto.rpc.
"""

from sandbox.mtproto.methods import (
    account,
    auth,
    bots,
    channels,
    contacts,
    dialogs,
    groups,
    invites,
    join_requests,
    login_tokens,
    messages,
    participants,
    updates,
    upload,
    users,
)
from sandbox.mtproto.methods import (
    help as help_methods,
)

__all__ = [
    "account",
    "auth",
    "bots",
    "channels",
    "contacts",
    "dialogs",
    "groups",
    "help_methods",
    "invites",
    "join_requests",
    "login_tokens",
    "messages",
    "participants",
    "updates",
    "upload",
    "users",
]
