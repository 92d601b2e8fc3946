"""All that the round may ask of Telegram. Each of these only tells; none marks as read, joins, writes or decides.

Two say a little more than that: auth.exportAuthorization and auth.importAuthorization carry the account's login to
another data centre for as long as the connection lives, as every download of Porter does.
"""

OF_ACCOUNTS = frozenset(
    {
        "auth.exportAuthorization",
        "auth.importAuthorization",
        "channels.exportMessageLink",
        "channels.getAdminLog",
        "channels.getFullChannel",
        "channels.getMessages",
        "channels.getParticipant",
        "channels.getParticipants",
        "contacts.resolveUsername",
        "help.getConfig",
        "messages.checkChatInvite",
        "messages.getAdminsWithInvites",
        "messages.getChatInviteImporters",
        "messages.getDialogs",
        "messages.getExportedChatInvites",
        "messages.getFullChat",
        "messages.getHistory",
        "messages.getPeerDialogs",
        "messages.getSearchCounters",
        "messages.search",
        "updates.getChannelDifference",
        "upload.getFile",
        "upload.getFileHashes",
        "users.getUsers",
    }
)

OF_THE_BOT = frozenset({"getChat", "getChatMember", "getChatMemberCount", "getMe", "getWebhookInfo"})

CALLS_OF_AN_ACCOUNT = 60
CALLS_OF_THE_BOT = 25
PACE_SECONDS = 1.0
"""Between two calls of one account, and of the bot."""
