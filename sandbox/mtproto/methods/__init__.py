"""The methods of Telegram's API that the sandbox knows, one file a namespace (messages, being large, has four).

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
    "updates",
    "upload",
    "users",
]
