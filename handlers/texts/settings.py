"""What admins set for themselves, at a glance."""

from handlers.texts.base import LABEL_CHARACTERS, Words, quote, shorten
from handlers.texts.notices import NoticeTexts
from handlers.texts.saving import rhythm
from storage.models import Channel, Profile, Role
from storage.request_models import NotifyMode, RequestSettings

TOLD = {NotifyMode.CARDS: "cards", NotifyMode.SILENT: "silence"}


class SettingsTexts(Words):
    def page(self, role: Role, profile: Profile, *, has_pin: bool) -> str:
        """What `role` may set."""
        now = self._now().astimezone(self._zone)
        lines = [
            "<b>Settings</b>",
            f"🕓 Your time zone: {quote(self._zone.key)}, where it is {now:%H:%M}",
            "" if role is Role.VIEWER else "🔔 How you are told of new people: for each channel",
        ]
        if role is Role.OWNER:
            lines += [
                f"⚙️ Channels that you save from now on: {rhythm(profile.cron, live=profile.live)}",
                "🔒 Your PIN: " + ("it is asked for before what cannot be undone" if has_pin else "none"),
            ]
        return "\n".join(filter(None, lines))

    @staticmethod
    def telling(count: int) -> str:
        if not count:
            return (
                "<b>Who is told, how</b>\nNo channel is known yet where people ask to join. Connect one, or load who "
                "waits."
            )
        return "<b>Who is told, how</b>\nTap a channel to change it."

    def telling_label(self, channel: Channel, chosen: RequestSettings) -> str:
        """The title gives way."""
        every = NoticeTexts(self._zone, self._now).choice_label(chosen.digest_minutes)
        tail = f" · {TOLD.get(chosen.notify, every)}"
        return f"{shorten(channel.title, LABEL_CHARACTERS - len(tail))}{tail}"
