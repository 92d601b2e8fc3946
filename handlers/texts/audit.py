"""The audit in plain words: when, who, what, and how it ended."""

from handlers.texts.base import Words, number, plural, quote, shorten, title
from services.audit import AuditPage
from storage.models import AuditLine, AuditOutcome, AuditVerb, Role

DID: dict[AuditVerb, str] = {
    AuditVerb.PRESS: "use",
    AuditVerb.CLAIM: "own this Porter by the link",
    AuditVerb.SESSION_ADD: "add the account",
    AuditVerb.SESSION_RENEW: "sign in again",
    AuditVerb.SESSION_RENAME: "rename the account",
    AuditVerb.SESSION_MOVE: "move the saved channels of",
    AuditVerb.SESSION_PROXY: "change the proxy of",
    AuditVerb.SESSION_API: "change the API credentials of",
    AuditVerb.SESSION_EXPORT: "export the account",
    AuditVerb.SESSION_DELETE: "delete the account",
    AuditVerb.SOURCE_ADD: "add the saved channel",
    AuditVerb.SOURCE_EDIT: "change the saved channel",
    AuditVerb.SOURCE_PAUSE: "pause the schedule of",
    AuditVerb.SOURCE_RESUME: "resume the schedule of",
    AuditVerb.SOURCE_START_OVER: "start over with",
    AuditVerb.SOURCE_DELETE: "delete the saved channel",
    AuditVerb.SOURCE_VERIFY: "check the files of",
    AuditVerb.ROOT_USE: "use the disk",
    AuditVerb.PROFILE: "change their defaults",
    AuditVerb.JOIN: "join",
    AuditVerb.SCRAPE: "save now",
    AuditVerb.RUN_PAUSE: "pause the work on",
    AuditVerb.RUN_RESUME: "go on with the work on",
    AuditVerb.RUN_STOP: "stop the work on",
    AuditVerb.CONNECT: "connect",
    AuditVerb.LOAD: "load who waits at",
    AuditVerb.APPROVE: "approve",
    AuditVerb.DENY: "deny",
    AuditVerb.APPROVE_ALL: "approve all at",
    AuditVerb.DENY_ALL: "deny all at",
    AuditVerb.APPROVE_SOME: "approve many at",
    AuditVerb.DENY_SOME: "deny many at",
    AuditVerb.BAN: "deny and ban",
    AuditVerb.UNDO: "take back the decision on",
    AuditVerb.LOAD_SCHEDULE: "set when to load at",
    AuditVerb.NOTIFY: "set how to tell of people at",
    AuditVerb.GREETING: "set what people are told at",
    AuditVerb.RULE_ADD: "add a rule at",
    AuditVerb.RULE_EDIT: "change a rule at",
    AuditVerb.RULE_LIVE: "switch a rule at",
    AuditVerb.RULE_DELETE: "delete a rule at",
    AuditVerb.FREEZE: "freeze or free the rules at",
    AuditVerb.FORGET: "forget a person",
    AuditVerb.ROLE_GIVE: "give a role to",
    AuditVerb.ROLE_TAKE: "remove",
    AuditVerb.PIN_SET: "set their PIN",
    AuditVerb.PIN_REMOVE: "remove a PIN",
    AuditVerb.PIN_TRY: "give the PIN",
    AuditVerb.RESTORE: "say that the old Porter is off",
}
ENDED = {AuditOutcome.DONE: "✅", AuditOutcome.REFUSED: "⛔ refused:", AuditOutcome.FAILED: "⚠️ did not work:"}
PLACES = {
    "go1": "a place for others",
    "pk1": "a conversation set aside",
    "se1": "a button of an account",
    "sc1": "a channel of an account",
    "sa1": "a list",
    "sm1": "a button of an account",
    "so1": "a button of a saved channel",
    "sd1": "a button of a saved channel",
    "fi1": "what is saved of a channel",
    "st1": "where a saved channel begins",
    "sp1": "a step of saving a channel",
    "sv1": "saving a channel",
    "lk1": "saving a channel",
    "iv1": "an invite link",
    "sl1": "saving several channels",
    "tk1": "saving several channels",
    "ff1": "a button of failed files",
    "my1": "a button of several saved channels",
    "ms1": "a yes to several saved channels",
    "md1": "the yes of deleting several saved channels",
    "rl1": "the list of work",
    "lp1": "loading who waits",
    "jr1": "a button of waiting people",
    "jr2": "a button of waiting people",
    "jr3": "a list of waiting people",
    "vw1": "a list of waiting people",
    "ld1": "loading who waits",
    "rg1": "who may let people in",
    "gt1": "how a channel's gate is kept",
    "nt1": "how new people are told",
    "bk1": "a decision on many",
    "bk2": "what was asked of a decision on many",
    "cn1": "the conditions of a rule",
    "rr1": "a button of rules",
    "ry1": "the yes to a change of rules",
    "gr1": "what people are told",
    "ok1": "a question's yes",
    "ru1": "a button of long work",
    "im1": "an import",
    "kp1": "a login's keypad",
    "ka1": "a login's keypad",
    "ad1": "a button of an admin",
    "ac1": "a button of an admin",
    "as1": "a change of roles",
    "sf1": "a button of the PIN",
    "pn1": "a PIN's keypad",
    "pa1": "a PIN's keypad",
    "au1": "the audit",
    "fg1": "the yes of forgetting somebody",
    "rs1": "the word after a restore",
    "tz1": "their time zone",
}
"""What the prefix of a refused button was about."""
COUNTED = {
    "approved": "approved",
    "denied": "denied",
    "elsewhere": "decided elsewhere",
    "stay": "stay",
    "moved": "moved",
    "sources": "saved channels",
    "failed": "did not work",
    "kept": "messages kept",
    "unbanned": "not banned",
}
DEFAULTS = {
    "filters": "what is saved",
    "only_matching": "which messages are kept",
    "cron": "schedule",
    "root": "disk",
    "folder": "folder",
    "name_template": "file names",
    "duplicates": "duplicates",
    "live": "new posts at once",
}
"""The parts of an admin's defaults."""
TIMEZONE = "timezone"
STEPS = {
    "asked": "begun",
    "included": "those who came meanwhile too",
    "only": "only those who were seen",
    "live": "decides by itself",
    "trial": "on trial",
    "up": "earlier",
    "down": "later",
    "freeze": "frozen",
    "free": "at work again",
}
ROLE_WORDS = {Role.OWNER.value: "owner", Role.APPROVER.value: "approver", Role.VIEWER.value: "viewer"}


class AuditTexts(Words):
    def page(self, shown: AuditPage, who: str | None) -> str:
        of = f" · {quote(shorten(who, 40))}" if who else ""
        head = f"<b>Who did what</b>{of} · {number(shown.count)}"
        if not shown.lines:
            return f"{head}\nNothing yet."
        return "\n".join([head, *map(self._line, shown.lines)])

    def _line(self, line: AuditLine) -> str:
        who = quote(shorten(line.admin_name or str(line.admin_id or ""), 24))
        return f"{self.at(line.at)} <b>{who}</b> {ENDED[line.outcome]} {self._what(line)}"

    def _what(self, line: AuditLine) -> str:
        if line.verb is AuditVerb.PRESS:
            what = line.subject if line.subject.startswith("/") else PLACES.get(line.subject, "a button for others")
            return f"{DID[line.verb]} {what}"
        if line.verb is AuditVerb.PROFILE:
            return self._profile(line)
        subject = f" {title(shorten(line.subject, 40))}" if line.subject else ""
        return f"{DID[line.verb]}{subject}{self._detail(line)}"

    @staticmethod
    def _profile(line: AuditLine) -> str:
        if line.subject == TIMEZONE:
            return f"set their time zone to {quote(shorten(str(line.detail.get('to', '')), 40))}"
        if not line.subject:
            return "go back to Porter's own defaults"
        parts = [DEFAULTS[name] for name in line.subject.split(", ") if name in DEFAULTS]
        return f"{DID[line.verb]}: {', '.join(parts)}" if parts else DID[line.verb]

    def _detail(self, line: AuditLine) -> str:
        detail = line.detail
        words = [f"{number(detail[name])} {word}" for name, word in COUNTED.items() if detail.get(name)]
        if "role" in detail:
            words.append(ROLE_WORDS.get(detail["role"], ""))
        if "channels" in detail:
            words.append(plural(detail["channels"], "channel"))
        if detail.get("only") == "here":
            words.append("signed in still at Telegram")
        if "live" in detail:
            words.append("new posts at once" if detail["live"] else "new posts by schedule")
        if "schedule" in detail:
            words.append("schedule")
        words += [
            f"{word} {title(shorten(str(detail[name]), 40))}"
            for name, word in (("to", "to"), ("channel", "at"))
            if name in detail
        ]
        words.append(STEPS.get(str(detail.get("step")), ""))
        if line.verb is AuditVerb.PIN_TRY and line.outcome is AuditOutcome.REFUSED:
            words.append("locked for 15 minutes")
        said = ", ".join(filter(None, words))
        return f" ({said})" if said else ""
