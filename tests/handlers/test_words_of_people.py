"""How times, the help of each role and the lines of the audit read."""

from dataclasses import fields
from datetime import UTC, datetime, timedelta

import pytest

from handlers.access import commands_of
from handlers.texts import Texts
from handlers.texts.audit import DEFAULTS
from services.audit import AuditPage
from storage.models import AuditLine, AuditOutcome, AuditVerb, Profile, Role

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
TEXTS = Texts(clock=lambda: NOW)


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (0, "12:00"),
        (1, "Sat 12:00"),
        (6, "Thu 12:00"),
        (7, "27 Nov, 12:00"),
        (60, "19 Jan 2027, 12:00"),
        (-1, "Thu 19 Nov 12:00"),
        (-6, "Sat 14 Nov 12:00"),
        (-7, "13 Nov, 12:00"),
        (-400, "16 Oct 2025, 12:00"),
    ],
)
def test_a_weekday_alone_is_one_to_come(days: int, words: str) -> None:
    """Last Sunday and next Sunday are not written alike."""
    assert TEXTS.audit.at(NOW + timedelta(days=days)) == words


def test_help_tells_each_role_of_its_own_work() -> None:
    """An approver reads nothing of saving channels, a viewer nothing that they could do there."""
    said = {role: TEXTS.home.help(commands_of(role), role) for role in Role}
    assert "carries channels" in said[Role.OWNER]
    assert "keeps the gate" in said[Role.OWNER]
    assert not [word for word in ("carries", "account", "/sources", "forward") if word in said[Role.APPROVER]]
    assert "ten minutes" in said[Role.APPROVER]
    assert not [word for word in ("forward", "your account", "/load", "approve or deny") if word in said[Role.VIEWER]]


def line(verb: AuditVerb, subject: str, **detail: int | str) -> AuditLine:
    return AuditLine(1, NOW, 1, "Anna", verb, AuditOutcome.DONE, subject, detail)


@pytest.mark.parametrize(
    ("did", "words"),
    [
        (line(AuditVerb.PROFILE, "timezone", to="Europe/Berlin"), "set their time zone to Europe/Berlin"),
        (line(AuditVerb.PROFILE, "cron"), "change their defaults: schedule"),
        (line(AuditVerb.PROFILE, "folder, root"), "change their defaults: folder, disk"),
        (line(AuditVerb.PROFILE, "filters, only_matching"), "defaults: what is saved, which messages are kept"),
        (line(AuditVerb.PROFILE, ""), "go back to Porter's own defaults"),
        (line(AuditVerb.SESSION_MOVE, "Work", to="Second", moved=3), "of «Work» (3 moved, to «Second»)"),
        (line(AuditVerb.SESSION_DELETE, "Work", only="here"), "«Work» (signed in still at Telegram)"),
        (line(AuditVerb.SOURCE_EDIT, "News", live=1), "«News» (new posts at once)"),
        (line(AuditVerb.APPROVE, "Ann", channel="Crew"), "approve «Ann» (at «Crew»)"),
        (line(AuditVerb.APPROVE_ALL, "Crew", step="included"), "«Crew» (those who came meanwhile too)"),
    ],
)
def test_the_audit_speaks_in_words(did: AuditLine, words: str) -> None:
    """No name of the code stands in it."""
    assert words in TEXTS.audit.page(AuditPage(0, [did], 1, {1: "Anna"}), None)


def test_every_part_of_the_defaults_has_words() -> None:
    """One that is added needs some, too."""
    assert set(DEFAULTS) == {field.name for field in fields(Profile)}
