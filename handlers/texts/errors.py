"""What an error says to a person: what happened and what to do. Every leaf of services/errors.py has its words."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from handlers.texts.base import Words, plural, quote, shorten, title
from handlers.texts.bots import OWN_BOT
from handlers.texts.imports import TROUBLES
from handlers.texts.people import NO_PEOPLE
from handlers.texts.proxies import TROUBLES as PROXY_TROUBLES
from handlers.texts.requests import OUTCOMES
from services import errors


class ErrorTexts(Words):
    def __init__(self, zone: ZoneInfo, clock: Callable[[], datetime]) -> None:
        super().__init__(zone, clock)
        self._with_data: dict[type[errors.PorterError], Callable[[Any], str]] = {
            errors.FloodWait: self._flood_wait,
            errors.ProxyFailed: self._proxy_failed,
            errors.RowInUse: self._row_in_use,
            errors.SessionInUse: self._session_in_use,
            errors.SessionExists: self._session_exists,
            errors.ResendTooEarly: self._resend_too_early,
            errors.AccountTaken: self._session_exists,
            errors.AccountDiffers: self._account_differs,
            errors.SessionUnreadable: self._session_unreadable,
            errors.DecisionMade: self._decision_made,
            errors.CronInvalid: self._cron_invalid,
            errors.FilterInvalid: self._filter_invalid,
            errors.PatternInvalid: self._pattern_invalid,
            errors.TemplateInvalid: self._template_invalid,
            errors.RootUnused: self._root_unused,
            errors.NotAPerson: self._not_a_person,
            errors.PinWrong: self._pin_wrong,
            errors.PinLocked: self._pin_locked,
        }

    def of(self, error: errors.PorterError) -> str:
        """The words of the error's own class, else of the nearest one above it. A test asks for every leaf's own."""
        for kind in type(error).__mro__:
            if kind in PLAIN:
                return PLAIN[kind]
            if kind in self._with_data:
                return self._with_data[kind](error)
        raise TypeError("not a PorterError")

    def kinds(self) -> set[type[errors.PorterError]]:
        """The errors whose words depend on their data."""
        return set(self._with_data)

    def defect(self) -> str:
        return "Something went wrong inside Porter. It is written in the log; nothing was lost. /start shows the state."

    def _flood_wait(self, error: errors.FloodWait) -> str:
        return (
            f"Telegram asks for patience until {self.until(error.until)}. Try again then; earlier tries make it longer."
        )

    def _row_in_use(self, error: errors.RowInUse) -> str:
        names = ", ".join(title(name) for name in error.used_by[:3])
        more = f" and {plural(len(error.used_by) - 3, 'more', 'more')}" if len(error.used_by) > 3 else ""
        return f"In use by {names}{more}. Delete those first."

    def _proxy_failed(self, error: errors.ProxyFailed) -> str:
        return (
            f"Porter cannot reach Telegram through the proxy {quote(error.place)}: {PROXY_TROUBLES[error.why]}. It "
            "does not go around it: mend the proxy, or change it under /sessions → the account → Proxy."
        )

    def _session_in_use(self, error: errors.SessionInUse) -> str:
        lines = [f"{title(error.name)} is in use and stays."]
        for what, used in (("Saved channels", error.sources), ("At work now", error.runs)):
            if used:
                names = ", ".join(title(name) for _, name in used[:5])
                more = f" and {plural(len(used) - 5, 'more', 'more')}" if len(used) > 5 else ""
                lines.append(f"{what}: {names}{more}.")
        return "\n".join((*lines, "Delete those and stop what works, then try again."))

    def _session_exists(self, error: errors.SessionExists | errors.AccountTaken) -> str:
        return f"This account is here already: {title(error.name)}. Nothing was added."

    def _account_differs(self, error: errors.AccountDiffers) -> str:
        return (
            f"That is another account: {title(error.account_name)}. {title(error.name)} stays as it was, and the new "
            "login was signed out again. To use the other account, add it as a new one."
        )

    def _resend_too_early(self, error: errors.ResendTooEarly) -> str:
        return f"Not before {self.second(error.at)}. The code that was sent is good all the while."

    def _session_unreadable(self, error: errors.SessionUnreadable) -> str:
        return TROUBLES[error.why]

    def _decision_made(self, error: errors.DecisionMade) -> str:
        return f"{quote(shorten(error.request.name, 40))}: {OUTCOMES[error.request.status]} already."

    def _not_a_person(self, error: errors.NotAPerson) -> str:
        return NO_PEOPLE[error.why]

    def _pin_wrong(self, error: errors.PinWrong) -> str:
        return f"That PIN is not right. {plural(error.left, 'try is', 'tries are')} left."

    def _pin_locked(self, error: errors.PinLocked) -> str:
        return f"Too many wrong PINs. Nothing that asks for it can be done until {self.until(error.until)}."

    def _template_invalid(self, error: errors.TemplateInvalid) -> str:
        return TEMPLATES[error.why].format(word=quote(shorten(error.word, 40)))

    def _root_unused(self, error: errors.RootUnused) -> str:
        return f"{title(error.root)} is not the disk that was agreed to. Choose it once more to say that it is right."

    def _filter_invalid(self, error: errors.FilterInvalid) -> str:
        return FILTERS[error.why]

    def _pattern_invalid(self, error: errors.PatternInvalid) -> str:
        return f"That pattern cannot be read ({quote(shorten(error.why, 80))}). Send another, such as invoice.*2026."

    def _cron_invalid(self, error: errors.CronInvalid) -> str:
        if error.why == "syntax" and error.word:
            return f"The {error.word} of that line cannot be read: it takes {CRON_FIELDS[error.word]}."
        return CRON_LINES.get(error.why, CRON_LINES["parts"])


FILTERS = {
    errors.FilterTrouble.SIZE: "That is no size. Write it as 5 MB, 1.5 GB or 200 KB, or two of them: 5 MB - 1 GB.",
    errors.FilterTrouble.SIZE_ORDER: "The first size is larger than the second. Send them the other way round.",
    errors.FilterTrouble.DATE: "That is no date. Write it as 2026-01-31 or 31.01.2026.",
    errors.FilterTrouble.DATE_ORDER: "The first date is later than the second. Send them the other way round.",
    errors.FilterTrouble.WORDS: "There is no word in that. Send one, or several with commas between.",
    errors.FilterTrouble.MANY_WORDS: "That is too much: 20 words of 64 characters at most. Send fewer, or a pattern.",
    errors.FilterTrouble.EXTENSIONS: "Send endings of file names with commas between, such as dwg, iso. 30 at most.",
    errors.FilterTrouble.COUNT: "That is no number of posts. Send one from 1 to 10,000,000.",
    errors.FilterTrouble.SEARCH: "Send 3 to 64 characters that shall be in it.",
}
CRON_LINES = {
    "never": "That line never comes true (such as 31 February). Send another.",
    "parts": "That is no cron line. It has five parts: minute hour day month weekday, such as 0 */6 * * *.",
    "seconds": "A cron line has five parts here: minute hour day month weekday. Seconds and years are not taken.",
    "random": "Porter takes no random parts (R, H): nobody could say when it runs. Write a number.",
    "together": "A weekday with # or L, or a day with W, cannot stand together with the other. Write one of them as *.",
    "timezone": "Porter does not know this time zone. Send another, such as Europe/Berlin.",
}
CRON_FIELDS = {
    "minute": "0–59, such as 0, 30 or */15",
    "hour": "0–23, such as 7, 9-17 or */6",
    "day": "1–31, L for the last day, or 15W for the nearest weekday",
    "month": "1–12 or jan–dec",
    "weekday": "0–7 or sun–sat (0 and 7 are Sunday), mon#1 for the first Monday, L5 for the last Friday",
}
FIELDS = "channel, date, id, name, caption, sender, album"
TEMPLATES = {
    errors.TemplateTrouble.EMPTY: "Send a template, such as {{id}} {{name}}.",
    errors.TemplateTrouble.TOO_LONG: "A template has up to 200 characters, on one line. Send another.",
    errors.TemplateTrouble.TOO_DEEP: "That makes too many folders: 8 at most, the channel's own included.",
    errors.TemplateTrouble.BRACE: "There is a {{ or }} too many. A field looks like {{id}}; write a real brace twice.",
    errors.TemplateTrouble.UNKNOWN_FIELD: "Porter knows no field “{word}”. There are: " + FIELDS + ".",
    errors.TemplateTrouble.NO_FORMAT: "Only a date takes a form behind a colon, not “{word}”.",
    errors.TemplateTrouble.BAD_DATE: (
        "“{word}” is no form of a date. Use %Y %m %d %H %M %S, as in {{date:%Y-%m}}, or %y %j %V %G."
    ),
    errors.TemplateTrouble.BAD_FOLDER: (
        "“{word}” cannot be a folder or name: no empty parts, no leading dots, no reserved names or signs."
    ),
    errors.TemplateTrouble.CONSTANT: "Every file would have the same name. Put {{id}} or {{name}} behind the last /.",
}
"""With `word` in its place; doubled braces are single ones."""
PLAIN: dict[type[errors.PorterError], str] = {
    errors.RulesTooMany: "This channel has as many rules as it may: 24. Delete one that is not needed, or change one.",
    errors.GreetingTooLong: "That is too long: 1,000 characters at most. Send a shorter one.",
    errors.Unreachable: "Telegram does not answer right now. Nothing was lost; try again in a minute.",
    errors.SessionElsewhere: (
        "Another Porter is using this account just now, so this one keeps away. Stop the other one; two minutes later "
        "the account is free."
    ),
    errors.SessionDead: "This account is signed out. /sessions → the account → Sign in again. Nothing is lost.",
    errors.ChannelUnavailable: (
        "The account cannot see this channel: it is private, or it left or was removed. Join it with an official app, "
        "or choose another account."
    ),
    errors.BotOutside: (
        "This bot cannot read that channel. Make it an administrator there (in a group, a member with its privacy mode "
        "off does as well), then send the link again."
    ),
    errors.TokenInvalid: (
        "Telegram knows no bot by this token: it was copied in part, or revoked. Take it from @BotFather (/mybots → "
        "the bot → API Token) and send it again; your message is deleted at once."
    ),
    errors.OwnBot: OWN_BOT,
    errors.ChannelNotFound: "There is no such channel. Check the name or link; private channels are in the list only.",
    errors.InviteInvalid: (
        "This invite link does not work: it is expired, revoked or misspelt. Ask whoever sent it for another."
    ),
    errors.JoinAsked: "The admins there decide who comes in. The account has asked; try again once it is let in.",
    errors.ChannelsTooMany: (
        "This account is in as many channels as Telegram allows. Leave one with an official app, or take another "
        "account."
    ),
    errors.AccountRequired: "A bot may not do this. Choose an account of a person that sees the channel.",
    errors.RightMissing: (
        "You don't have permission to view join requests there: the account needs the admin right “Invite users”."
    ),
    errors.FileReferenceExpired: "Telegram wants the post to be read again before its file. Start again.",
    errors.FileGone: "The post or its file was deleted at Telegram.",
    errors.TelegramRefused: "Telegram refused that. The log says with which word.",
    errors.TelegramError: "Telegram refused that.",
    errors.LoginTimedOut: "This login timed out. Please start over.",
    errors.ApiCredentialsInvalid: "Telegram does not know this API id and hash. Copy both again from my.telegram.org.",
    errors.PhoneInvalid: "Telegram cannot read this number. Write it with the country code, such as +49 151 23456789.",
    errors.PhoneBanned: ("Telegram has banned this number. Porter cannot use it; an official app says how to appeal."),
    errors.PhoneUnregistered: "There is no Telegram account with this number. Sign up with an official app first.",
    errors.PhoneFlood: (
        "Too many codes were asked for, or wrong ones given, for this number. Try again tomorrow: earlier tries make "
        "it longer."
    ),
    errors.CodeInvalid: "That code is not right. Look at it in your Telegram app and tap it again.",
    errors.CodeExpired: "That code is void: too late, or it was typed in a chat. Take a new one.",
    errors.ResendUnavailable: "Telegram offers no other way for this code. Wait for it, or start over later.",
    errors.PasswordInvalid: "That password is not right. Send it again, or reset it in Telegram's settings.",
    errors.LoginError: "The login did not work. Please start over.",
    errors.RequestGone: "This request was handled or withdrawn elsewhere.",
    errors.AlreadyMember: "This person is a member already.",
    errors.StaysPending: "Telegram cannot let this person in now: they are in too many channels. They stay waiting.",
    errors.RequestError: "Telegram did not take this decision.",
    errors.FolderInvalid: (
        "This folder name cannot be used: it must stay inside its root, with no reserved names and parts of 143 bytes."
    ),
    errors.NamesTaken: (
        "Other files have the names that this one could have. Nothing is ever overwritten: move those away, or change "
        "the names of files."
    ),
    errors.TargetUnavailable: (
        "The folder cannot be written: Porter may not, or the disk refuses. Mend that, or choose another folder."
    ),
    errors.TargetFull: "The disk is full. Make room first.",
    errors.TargetReadOnly: "The disk cannot be written, only read. Mend that, or choose another folder.",
    errors.TargetGone: "The disk is not there. Mount it first, and look at NAS_ROOTS.",
    errors.TargetError: "The folder cannot be used. Choose another.",
    errors.ProxyInvalid: (
        "That is no proxy that Porter can use. Write it as socks5://user:password@host:port or http://host:port, with "
        "@ : / and % in user or password as %40 %3A %2F %25."
    ),
    errors.PassphraseInvalid: "A passphrase has 12 to 256 characters. Send another.",
    errors.ExportOff: "Handing accounts over is switched off. The operator allows it with ALLOW_EXPORT=true.",
    errors.ExportUnsent: "Telegram did not take the file. Nothing was handed over, and the account goes on as before.",
    errors.SinglePosts: "It saves single posts, and looks for nothing on a schedule.",
    errors.NotFound: "That is not there any more.",
    errors.SessionRequired: "This needs an account; an owner adds one with /login.",
    errors.ReaderMissing: (
        "No account of yours sees this channel. Join it with one of them in an official app, or add another account; "
        "then forward the post again."
    ),
    errors.AlreadySaved: "This channel is saved already. /sources shows it.",
    errors.UndoOver: (
        "This cannot be taken back any more: only your last approval can, for ten minutes. Who was denied may ask "
        "again."
    ),
    errors.ConfirmationExpired: "This question is too old or was answered. Ask again.",
    errors.RestoreUnconfirmed: "Porter was restored from a backup. First an owner says that the old one is off.",
    errors.CiphertextInvalid: (
        "What Porter keeps encrypted here was damaged and cannot be opened. Nothing else is touched. Restore a backup, "
        "or delete the account and add it again."
    ),
    errors.NotAllowed: "That is not for you here. Who may do what is decided by an owner.",
    errors.OwnerForGood: "This owner is named in ADMIN_IDS and stays one. Only who runs Porter can change that.",
    errors.LastOwner: "Somebody has to own Porter. Make another one owner first.",
    errors.AnotherPorter: "Another Porter uses this database.",
    errors.AlreadyActive: "That is under way already. /runs shows it.",
    errors.SetGrown: "There are more of them now than you were shown. Nobody was decided: look again, then confirm.",
    errors.AnswerNeeded: "This waits for an answer. Its card under /runs says which.",
    errors.RowMissing: "That is not there any more.",
    errors.NameTaken: "This name is taken. Choose another.",
    errors.StorageError: "The database refused that. The log has the details.",
    errors.PorterError: "That did not work. The log has the details.",
}
