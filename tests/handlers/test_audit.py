"""What owners do stands in the audit, in the order in which it was done, and nothing secret with it."""

from sandbox import walks
from storage.models import AuditOutcome, AuditVerb
from tests.handlers.people_kit import done, lines
from tests.play import Play


async def test_a_day_of_an_owner(play: Play) -> None:
    """Account, saved channel, work, waiting people: a line each; a refusal of Porter's own is a failure."""
    admin, account = play.admin, play.account
    await walks.log_in(admin, account)
    await walks.add_source(admin, play.private.title)
    await walks.scrape(admin)
    await walks.load_requests(admin, str(play.gate.peer))
    await walks.first_person(admin, play.gate.title)
    await admin.press("Deny")
    await admin.wait_for("denied")
    await admin.send("/sessions")
    await admin.wait_for("Accounts")
    await admin.press(walks.beginning("🟢"))
    await admin.wait_for("Anna")
    await admin.press("Rename")
    await admin.wait_for("name")
    await admin.send("Harbour office")
    await admin.wait_for("Harbour office")
    shown = (await admin.screen())["id"]
    await admin.press_forged(shown, "se1:del!:1:0")  # in use
    await admin.press_forged(shown, "so1:del!:1")
    await admin.press_forged(shown, "se1:del!:1:0")
    await admin.wait_for("is signed out and deleted")
    expected = [
        AuditVerb.SESSION_ADD,
        AuditVerb.SOURCE_ADD,
        AuditVerb.SCRAPE,
        AuditVerb.LOAD,
        AuditVerb.DENY,
        AuditVerb.SESSION_RENAME,
        AuditVerb.SOURCE_DELETE,
        AuditVerb.SESSION_DELETE,
    ]
    assert await done(play) == expected[::-1]
    all_lines = await lines(play)
    failed = [line for line in all_lines if line.outcome is AuditOutcome.FAILED]
    assert [(line.verb, line.subject, line.detail) for line in failed] == [
        (AuditVerb.SESSION_DELETE, "Harbour office", {"error": "SessionInUse"})
    ]
    for secret in (account["api_hash"], account["password"], account["phone"], await walks.newest_code(admin)):
        assert secret.lstrip("+") not in str(all_lines)
    await admin.send("/audit")
    page = await admin.wait_for("Who did what")
    assert "✅ delete the account «Harbour office»" in page["text"]
    assert "⚠️ did not work: delete the account «Harbour office»" in page["text"]


async def test_what_porter_does_by_itself_is_no_deed(play: Play) -> None:
    """Requests that arrive, and a decision that was made elsewhere, are nobody's."""
    await play.driver.ask_to_join(play.gate.peer, 2)
    await play.admin.send("/start")
    await play.admin.wait_for("Porter")
    assert not await lines(play)
