"""Connecting channels, and who may let people in where."""

from collections.abc import Sequence

from handlers.links import bot_to_channel, bot_to_group
from handlers.texts.base import Words, number, plural, quote, shorten, title
from services.requests.rights_audit import Checking, Entrance
from storage.models import Channel

GIVE_BACK = "Give the bot “Invite users” in its administrators"
NAMES_SHOWN = 3


class RightsTexts(Words):
    def ask_connect(self, username: str) -> str:
        """`username`: the bot's."""
        return (
            "<b>Connect a channel</b>\nChoose a channel or group with the buttons below. Telegram makes the bot an "
            "administrator there with the right to let people in. Somebody else's channel: send its owner the link "
            f'for <a href="{bot_to_channel(username)}">a channel</a> or <a href="{bot_to_group(username)}">a '
            "group</a>."
        )

    def connected(self, channel: Channel, older: int | None) -> str:
        """`older`: how many wait already; None: no account of ours is told."""
        if not channel.bot_may_invite:
            return f"The bot is at {title(channel.title)} but may not let people in. {GIVE_BACK}, then connect again."
        head = f"New requests at {title(channel.title)} will come here."
        if older is None:
            return f"{head} Older ones need an account that may let people in there."
        if older == 0:
            return f"{head} Nobody waited before."
        return f"{head} {plural(older, 'older one waits', 'older ones wait')} already."

    def lost(self, channel: Channel, accounts: Sequence[str]) -> str:
        head = f"⚠️ The bot may not let people in at {title(channel.title)} any more: new requests do not come in."
        if accounts:
            return f"{head} Deciding goes on by {self._names(accounts)}. {GIVE_BACK} to have both again."
        return f"{head} Nobody here can decide on those who wait. {GIVE_BACK}, or add an account that may."

    def card(self, shown: Sequence[Entrance], count: int, checking: Checking) -> str:
        if not count:
            return "<b>Who may let people in</b>\nNowhere yet. Connect a channel, or add an account."
        lines = [f"<b>Who may let people in</b> · {plural(count, 'channel')}", *map(self._line, shown)]
        return "\n".join([*lines, "", self._checked(checking)])

    def _line(self, entrance: Entrance) -> str:
        name = title(shorten(entrance.channel.title, 40))
        waits = f" · {number(entrance.waiting)} wait" if entrance.waiting else ""
        by = self._names(entrance.accounts)
        if not entrance.bot_may_invite and not entrance.accounts:
            return f"⚠️ {name}{waits}: nobody may. {GIVE_BACK}, or add an account that may."
        if not entrance.bot_may_invite:
            return f"🔸 {name}{waits}: {by}, not the bot. New requests come in only when they are loaded."
        bans = {True: " (may ban too)", False: " (may not ban)", None: ""}[entrance.bot_may_ban]
        if not entrance.accounts:
            return f"🔹 {name}{waits}: the bot{bans}. Who asked before it came is seen by an account alone."
        return f"✅ {name}{waits}: the bot{bans} and {by}."

    def _checked(self, checking: Checking) -> str:
        if checking.is_running:
            return f"Telegram is being asked: {number(checking.done)} of {number(checking.total)}…"
        if checking.checked_at is None:
            return "As far as Porter knows. “Check again” asks Telegram."
        return f"Asked {self.ago(checking.checked_at)}."

    @staticmethod
    def _names(accounts: Sequence[str]) -> str:
        more = f" and {len(accounts) - NAMES_SHOWN} more" if len(accounts) > NAMES_SHOWN else ""
        return ", ".join(quote(shorten(name, 24)) for name in accounts[:NAMES_SHOWN]) + more
