"""Links that open Telegram's own dialogues. https://core.telegram.org/api/links#channel-links"""

RIGHT = "admin=invite_users"
"""What the bot asks for, and no more."""


def bot_to_channel(username: str) -> str:
    return f"https://t.me/{username}?startchannel&{RIGHT}"


def bot_to_group(username: str) -> str:
    return f"https://t.me/{username}?startgroup&{RIGHT}"
