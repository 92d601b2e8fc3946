"""Who operates Porter, and the owners' PIN."""

from collections.abc import Sequence

from handlers.texts.base import Words, fitted, plural, quote, shorten, title
from services.admins import Appointment
from services.errors import PersonTrouble
from services.pins import LONGEST, SHORTEST
from storage.models import Admin, Role

ROLE_NAMES = {Role.OWNER: "owner", Role.APPROVER: "approver", Role.VIEWER: "viewer"}
ARTICLES = {Role.OWNER: "an", Role.APPROVER: "an", Role.VIEWER: "a"}
ROLE_MEANS = {
    Role.OWNER: "may do everything",
    Role.APPROVER: "sees and decides who waits at the channels you choose, nothing else",
    Role.VIEWER: "sees saved channels, long work and waiting people, and changes nothing",
}
NO_PEOPLE = {
    PersonTrouble.NOT_AN_ID: (
        "That is no person's id. Use the button, forward a message of theirs, or send the id: digits alone."
    ),
    PersonTrouble.CHANNEL: "That is a channel. Only people can operate Porter: choose one.",
    PersonTrouble.GROUP: "That is a group. Only people can operate Porter: choose one.",
    PersonTrouble.BOT: "That is a bot. Only people can operate Porter: choose one.",
    PersonTrouble.ANONYMOUS: (
        "Telegram shows this id for every administrator who writes anonymously. Use the button to choose the person."
    ),
    PersonTrouble.CHANNEL_BOT: (
        "Telegram shows this id for everybody who writes in the name of a channel. Use the button to choose the person."
    ),
    PersonTrouble.TELEGRAM: "That is Telegram's own account. Only people can operate Porter: choose one.",
    PersonTrouble.HIDDEN: (
        "This person hides their account in forwarded messages. Use the button, or ask them for their id."
    ),
}
NAMED = 3
"""Channels that are called by name; more are counted."""


class PeopleTexts(Words):
    def all(self, people: Sequence[Admin]) -> str:
        lines = [f"<b>Admins</b> · {len(people)}", *map(self._line, people)]
        return "\n".join(lines)

    def _line(self, admin: Admin) -> str:
        channels = f" of {plural(len(admin.channels), 'channel')}" if admin.role is Role.APPROVER else ""
        silent = " · ⚠️ never pressed Start, or blocked the bot" if admin.unreachable_at is not None else ""
        return f"· {self._who(admin.name, admin.user_id)}: {ROLE_NAMES[admin.role]}{channels}{silent}"

    def label(self, admin: Admin) -> str:
        return fitted("", admin.name or str(admin.user_id), f" · {ROLE_NAMES[admin.role]}")

    @staticmethod
    def _who(name: str, user_id: int) -> str:
        return f"{quote(shorten(name, 40))}, {user_id}" if name else f"{user_id}"

    def card(
        self, admin: Admin, titles: Sequence[str], *, for_good: bool, has_pin: bool, link: str | None = None
    ) -> str:
        """`link`: what lets the bot write to them, where it cannot."""
        lines = [f"<b>{self._who(admin.name, admin.user_id)}</b>", self._role(admin.role, titles)]
        lines.append(f"{ROLE_NAMES[admin.role].capitalize()}: {ROLE_MEANS[admin.role]}.")
        if for_good:
            lines.append("Named in ADMIN_IDS: an owner for good.")
        if has_pin:
            lines.append("🔒 Has a PIN.")
        if link is not None:
            lines.append(
                "⚠️ Porter cannot tell them who waits: they never pressed Start, or blocked the bot. Send them this "
                f"link; opening it is enough: {quote(link)}"
            )
        seen = self.ago(admin.last_home_at) if admin.last_home_at else "not yet"
        lines.append(f"Since {self.at(admin.created_at)} · last here: {seen}")
        return "\n".join(lines)

    def _role(self, role: Role, titles: Sequence[str]) -> str:
        if role is not Role.APPROVER:
            return ROLE_NAMES[role]
        more = f" and {plural(len(titles) - NAMED, 'more', 'more')}" if len(titles) > NAMED else ""
        names = ", ".join(title(shorten(name)) for name in titles[:NAMED])
        return f"{ROLE_NAMES[role]} of {names}{more}" if titles else f"{ROLE_NAMES[role]} of no channel"

    def ask_role(self) -> str:
        means = "\n".join(f"· {ROLE_NAMES[role]}: {ROLE_MEANS[role]}" for role in Role)
        return f"<b>Add somebody</b>\nAs what?\n{means}"

    def ask_channels(self, known: int, chosen: int) -> str:
        if not known:
            return "No channel is known yet where people can wait. Connect one first, then come back."
        return f"<b>Approver</b>\nAt which channels? {chosen} chosen. Tap to choose, then Done."

    def no_channel_chosen(self) -> str:
        return "Choose at least one channel."

    def ask_person(self, role: Role) -> str:
        return (
            f"Who shall be {ARTICLES[role]} {ROLE_NAMES[role]}? Use the button below, forward a message of theirs, or "
            "send their id. You are asked once more before it counts."
        )

    def person_taken(self) -> str:
        return "Got it."

    def ask_settle(self, appointment: Appointment, titles: Sequence[str]) -> str:
        assert appointment.role is not None
        head = f"<b>{self._who(appointment.name, appointment.user_id)}</b>: {self._role(appointment.role, titles)}?"
        lines = [head, f"{ROLE_NAMES[appointment.role].capitalize()}: {ROLE_MEANS[appointment.role]}."]
        if not appointment.name:
            lines.append("⚠️ Porter has never met this id: make sure that it is the right one.")
        if appointment.was is not None:
            lines.append(f"Now: {ROLE_NAMES[appointment.was]}. What they have open ends.")
        return "\n".join(lines)

    def ask_remove(self, admin: Admin) -> str:
        return (
            f"<b>Remove {self._who(admin.name, admin.user_id)}</b>, {ROLE_NAMES[admin.role]}?\n"
            "Porter answers them no more. What they have started goes on; what they have open ends."
        )

    def settled(self, appointment: Appointment, titles: Sequence[str], link: str) -> str:
        who = self._who(appointment.name, appointment.user_id)
        if appointment.role is None:
            return f"{who} is no admin any more."
        lines = [f"✅ {who}: {self._role(appointment.role, titles)}."]
        if link:
            lines.append(f"They have not started the bot yet, so it cannot write to them. Send them this link: {link}")
        return "\n".join(lines)

    def you_are(self, admin: Admin, titles: Sequence[str]) -> str:
        role = f"{ARTICLES[admin.role]} {self._role(admin.role, titles)}"
        return f"You are {role} at this Porter now. You {self._may(admin.role)}."

    @staticmethod
    def _may(role: Role) -> str:
        return {
            Role.OWNER: "may do everything",
            Role.APPROVER: "decide who waits there",
            Role.VIEWER: "see what it does",
        }[role]

    def nothing_to_type(self) -> str:
        return "There is nothing to type here for you. /start shows what there is."

    # -- PIN

    def safety(self, *, has: bool) -> str:
        state = "You have a PIN." if has else "You have no PIN."
        return (
            f"<b>🔒 My PIN</b>\n{state} With one, Porter asks for it before an account or a saved channel is deleted, "
            "an account is handed over, a role or a rule changes, many people are decided at once, or somebody is "
            "forgotten. A right PIN is good for five minutes; five wrong ones lock it for 15. Lost: another owner can "
            "take it away under Admins."
        )

    def ask_pin(self, typed: int, trouble: str | None) -> str:
        return self._pad("<b>Your PIN, please</b>", typed, trouble)

    def ask_new_pin(self, typed: int, trouble: str | None, *, again: bool) -> str:
        head = "<b>Once more</b>, to be sure" if again else f"<b>A new PIN</b>: {SHORTEST} to {LONGEST} digits"
        return self._pad(head, typed, trouble)

    @staticmethod
    def _pad(head: str, typed: int, trouble: str | None) -> str:
        lines = [f"⚠️ {trouble}"] if trouble else []
        return "\n".join([*lines, head, "●" * typed or "○", "Tap it here; never type it."])

    def pin_too_short(self) -> str:
        return f"A PIN has at least {SHORTEST} digits."

    def pins_differ(self) -> str:
        return "The two were not the same. Start again."

    def tap_the_pin(self) -> str:
        return "A PIN does not belong in a chat. Your message is deleted."

    def pin_is_set(self) -> str:
        return "🔒 Your PIN is set."

    def ask_clear_pin(self, admin: Admin) -> str:
        return f"<b>Take away the PIN</b> of {self._who(admin.name, admin.user_id)}? They can set another."

    def pin_cleared(self, admin: Admin) -> str:
        return f"{self._who(admin.name, admin.user_id)} has no PIN any more."
