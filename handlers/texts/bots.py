"""Bots as accounts, in plain words: what they can, what they cannot, and how one is added."""

from handlers.texts.base import Words, quote, title
from storage.models import Session, SessionKind


def identity(session: Session) -> str:
    """Who an account is at Telegram, behind its name: the masked number of a person, or a bot's username."""
    if session.kind is SessionKind.USER:
        return quote(session.masked_phone)
    return f"bot @{quote(session.username)}" if session.username else "a bot"


OWN_BOT = (
    "That is the bot you are talking to. It stays free for you: what it reads would count against its limits. Make "
    "another bot with @BotFather and send its token."
)
CAN = "Reads channels where it is an administrator (in groups: also as a member with its privacy mode off)."
CANNOT = "It cannot list its channels, count before saving, join by links, read small groups or load waiting people."
NAME_ONE = "Send a link, @name or -100… id of a channel, or forward a post from it."


class BotTexts(Words):
    def ask_token(self) -> str:
        return (
            "<b>Add a bot</b>\n"
            "Send its <b>token</b>: @BotFather → /mybots → the bot → API Token. Your message is deleted at once, and "
            f"the token is kept encrypted.\n\n{CAN}\n{CANNOT}"
        )

    def ask_token_again(self, session: Session) -> str:
        return (
            f"{title(session.name)} is signed out, and the token that Porter has is no good. Send the one of today "
            "(@BotFather → /mybots → the bot → API Token); your message is deleted at once."
        )

    def ask_use(self, bot_id: int) -> str:
        return (
            f"That was the token of bot {bot_id}; your message was deleted. Shall Porter read channels with this bot? "
            f"{CAN}"
        )

    def trying(self) -> str:
        return "Asking Telegram…"

    def can(self) -> str:
        """On the card."""
        return f"{CAN}\n{CANNOT}"

    def ask_channel(self, session: Session, count: int) -> str:
        known = "Tap one that it knows, or name another. " if count else ""
        return f"<b>Save a channel</b> with the bot {title(session.name)}\n{known}{NAME_ONE} {CAN}"

    def nothing_met(self, session: Session) -> str:
        return f"Telegram lists no channels to bots, so {title(session.name)} has to be told. {NAME_ONE}"
