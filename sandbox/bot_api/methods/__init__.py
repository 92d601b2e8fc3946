"""The methods of the Bot API. Importing this package fills the registry in sandbox/bot_api/call.py."""

from sandbox.bot_api.methods import chats, commands, edits, files, forums, members, messages, updates

__all__ = ["chats", "commands", "edits", "files", "forums", "members", "messages", "updates"]
