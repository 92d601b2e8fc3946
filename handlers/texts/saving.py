"""Saving a channel by a forwarded post or a link: the card, the questions, what cannot be done."""

import re
from collections.abc import Sequence
from datetime import datetime

from handlers.texts.account_channels import KINDS
from handlers.texts.base import Words, number, plural, quote, shorten, title
from handlers.texts.sources import SourceTexts
from services.clients.base import Invitation
from services.links import ChannelLink
from services.saving import Made, Offer
from services.schedule import describe
from storage.models import Channel, Filters, Profile, Session

EVERY_HOURS = re.compile(r"0 \*/(\d+) \* \* \*")
DAILY = re.compile(r"(\d+) (\d+) \* \* \*")
SHOWN = 12


def rhythm(cron: str | None, *, live: bool) -> str:
    """every 6 h and live."""
    words = [] if cron is None else [_often(cron)]
    return " and ".join([*words, *(["live"] if live else [])]) or "only when you ask"


def _often(cron: str) -> str:
    if cron == "0 * * * *":
        return "every hour"
    if every := EVERY_HOURS.fullmatch(cron):
        return f"every {every[1]} h"
    if daily := DAILY.fullmatch(cron):
        return f"daily at {int(daily[2]):02}:{int(daily[1]):02}"
    words = describe(cron)
    return quote(words[0].lower() + words[1:])


class SavingTexts(Words):
    def keep_rhythm(self, cron: str | None, *, live: bool) -> str:
        """A button: what is chosen already."""
        words = rhythm(cron, live=live)
        return f"● {words[0].upper()}{words[1:]}"

    def facts(self, channel: Channel) -> str:
        members = f", {plural(channel.members, 'member')}" if channel.members is not None else ""
        access = "private" if channel.is_private else f"public, @{quote(channel.username)}"
        return f"{title(channel.title)} · {KINDS[channel.kind]}, {access}{members}"

    def way(self, offer: Offer) -> str:
        """PDF · to Local/tech-news · every 6 h and live. Single posts keep their place."""
        profile, single = offer.profile, offer.single
        what = f"{self.what(profile)} · " if profile.filters != Filters() else ""
        place = (single.root, single.folder) if single else (profile.root, offer.folder)
        return f"{what}to {SourceTexts.place(*place)} · {rhythm(profile.cron, live=profile.live)}"

    def card(self, offer: Offer, counts: str | None, trouble: str | None, posts: int) -> str:
        """`counts`: what it would bring, None while that is being found out. `trouble`: why it cannot be read."""
        lines = [self.facts(offer.channel)]
        if trouble is not None:
            return "\n".join([*lines, f"⚠️ {trouble}"])
        if offer.whole is not None:
            lines.append(
                f"Saved already as {title(offer.whole.name)}; last saved {self.ago(offer.whole.last_scraped_at)}."
            )
        else:
            lines.append(counts or "Counting what is there…")
            lines.append(self.way(offer))
            if offer.single is not None:
                lines.append(
                    f"Single posts of it are saved as {title(offer.single.name)}, which becomes the whole channel."
                )
        if posts > 1:
            lines.append(f"{plural(posts, 'post')} of it came with this.")
        if offer.reader is not None and len(offer.readers) > 1:
            other = "; another account is under Change" if offer.has_choice else ""
            lines.append(f"Read with {title(offer.reader.name)}{other}.")
        return "\n".join(lines)

    def only_these(self, posts: int) -> str:
        """A button."""
        return f"Only these {number(posts)} posts"

    def ask_account(self, channel: Channel) -> str:
        return f"{title(channel.title)} can be read with several of your accounts. With which one?"

    def account(self, session: Session) -> str:
        """A button."""
        return f"With {session.name}"

    def change(self, offer: Offer) -> str:
        return (
            f"{title(offer.channel.title)} would be saved by your defaults:\n{self.way(offer)}\n"
            "Change them for this channel alone, step by step? Or for all that come?"
        )

    def readable(self) -> str:
        return "It can be read; how much there is cannot be counted with this account."

    def counted_later(self, until: datetime) -> str:
        return (
            f"Telegram pauses this account until {self.until(until)}: how much there is cannot be counted before. What "
            "you save begins then by itself."
        )

    def uncounted(self) -> str:
        return "Porter could not find out how much that is. Save it all?"

    # -- what was sent

    def hidden_origin(self) -> str:
        return (
            "This post does not say which channel it is from: its author hides, or a person wrote it. Send a link to "
            "the channel or to one of its posts instead (⋯ → Copy link), or choose it from an account's list."
        )

    def posts_forgotten(self) -> str:
        return "Porter does not know any more which posts these were. Forward them once more."

    def which_link(self, count: int) -> str:
        return f"That message has {plural(count, 'link')}. Which one?"

    def link(self, link: ChannelLink) -> str:
        """A button."""
        name = f"@{link.channel}" if isinstance(link.channel, str) else "private channel"
        return f"{name}, post {link.post}" if link.post else name

    def link_forgotten(self) -> str:
        return "Porter does not keep that link any more. Send it once more."

    # -- invite links

    def invitation(self, invitation: Invitation, accounts: Sequence[Session]) -> str:
        members = f", {plural(invitation.members, 'member')}" if invitation.members is not None else ""
        lines = [f"{title(invitation.title)} · {KINDS[invitation.kind]}, private{members}"]
        if invitation.asks_approval:
            lines.append("The admins there let people in: the account would ask first.")
        who = f"{title(accounts[0].name)} is" if len(accounts) == 1 else "None of your accounts is"
        lines.append(f"{who}{' not' if len(accounts) == 1 else ''} in there. Join, and save it by your defaults?")
        lines.append("Your message with the link was deleted, for whoever has it can join.")
        return "\n".join(lines)

    def ask_who_joins(self, name: str) -> str:
        return f"Which account shall join {title(name)}? Its members can see that account."

    def asked_to_join(self, name: str, account: str) -> str:
        return (
            f"{title(account)} has asked to join {title(name)}; the admins there decide. Once it is let in, tap Try "
            "again, and Porter saves it."
        )

    def not_let_in(self) -> str:
        return "It is not let in yet, or was refused. Porter does not ask a second time."

    # -- several

    def several(self, session: Session, rows: int, ticked: int, found: str | None) -> str:
        lines = [f"<b>Save several channels</b> with {title(session.name)} · {number(rows)}, {number(ticked)} chosen"]
        return "\n".join(
            [*lines, *([found] if found else []), "Tap those to save; type to search. 📥 is saved already."]
        )

    def review(self, titles: Sequence[str], profile: Profile) -> str:
        shown = [f"· {title(shorten(each, 40))}" for each in titles[:SHOWN]]
        more = [f"· and {number(len(titles) - SHOWN)} more"] if len(titles) > SHOWN else []
        base = SourceTexts.place(profile.root, f"{profile.folder}/…" if profile.folder else "…")
        return "\n".join(
            [
                f"Save {plural(len(titles), 'channel')}, each in a folder of its own?",
                *shown,
                *more,
                f"to {base} · {rhythm(profile.cron, live=profile.live)}",
                f"Saved: {self.what(profile)}, from the beginning. How much that is shows while it runs.",
            ]
        )

    def what(self, profile: Profile) -> str:
        return SourceTexts(self._zone, self._now).filters(profile.filters)

    def made(self, made: Sequence[Made], why: Sequence[str]) -> str:
        """`why`: the words of each error, in their order."""
        good = [each for each in made if each.error is None]
        lines = [
            f"{plural(len(good), 'channel')} added; Porter saves them one after the other."
            if good
            else "Nothing was added."
        ]
        failed = [each for each in made if each.error is not None]
        lines += [f"⚠️ {title(shorten(each.title, 40))}: {words}" for each, words in zip(failed, why, strict=True)]
        return "\n".join(lines)

    def saved_already(self) -> str:
        return "That one is saved already."

    def too_many(self, most: int) -> str:
        return f"{number(most)} at a time. Save these first."

    def none_chosen(self) -> str:
        return "Nothing is chosen yet."

    def save_many(self, count: int) -> str:
        """A button."""
        return f"Save {number(count)}"
