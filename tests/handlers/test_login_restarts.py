"""Porter is restarted before every step of every way to log in: each goes on, with nothing typed or tapped twice."""

from collections.abc import Awaitable, Callable

import pytest

from sandbox import walks
from sandbox.scenarios import ADMIN, SECOND
from sandbox.world import SERVICE_ID
from tests.play import Play

Step = tuple[Callable[[Play], Awaitable[object]], str]
"""What the admin does, and what then stands on the screen."""


def api(play: Play) -> dict[str, str]:
    return {"id": str(play.account["api_id"]), "hash": play.account["api_hash"]}


def code_of(account: int, digits: slice) -> Callable[[Play], Awaitable[object]]:
    async def tap(play: Play) -> None:
        code = await walks.newest_code(play.actor(account))
        await walks.tap_code(play.admin, code[digits])

    return tap


def scanned_by(account: int) -> Callable[[Play], Awaitable[object]]:
    return lambda play: play.admin.scan(account)


async def die(play: Play, account: int) -> None:
    await play.driver.revoke(account)
    await play.house.watch.check_next()


def press(label: str) -> Callable[[Play], Awaitable[object]]:
    return lambda play: play.admin.press(label)


BEGIN: list[Step] = [
    (lambda play: play.admin.send("/login"), "API id"),
    (lambda play: play.admin.send(api(play)["id"]), "API hash"),
    (lambda play: play.admin.send(api(play)["hash"]), "Whose"),
]
PASSWORD: Step = (lambda play: play.admin.send(play.account["password"]), "Signed in as Anna")
QR: Step = (lambda play: play.admin.press_reply("I have a second screen"), "Scan this")


def phone_of(account: int) -> Callable[[Play], Awaitable[object]]:
    return lambda play: play.admin.send(play.sandbox.world.accounts[account].phone or "")


def keypad(account: int, end: str) -> list[Step]:
    return [
        (code_of(account, slice(0, 1)), "●○○○○"),
        (code_of(account, slice(1, 4)), "●●●●○"),
        (code_of(account, slice(4, 5)), end),
    ]


FRESH: dict[str, list[Step]] = {
    "number": [*BEGIN, (phone_of(SECOND), "Tap it here"), *keypad(SECOND, "Signed in as Boris")],
    "number and password": [
        *BEGIN,
        (lambda play: play.admin.share_contact(), "Tap it here"),
        *keypad(ADMIN, "cloud password"),
        PASSWORD,
    ],
    "QR code": [*BEGIN, QR, (scanned_by(SECOND), "Signed in as Boris")],
    "QR code and password": [*BEGIN, QR, (scanned_by(ADMIN), "cloud password"), PASSWORD],
}
AGAIN: dict[str, list[Step]] = {
    "by number": [(press("Sign in again"), "Tap it here"), *keypad(SECOND, "Same account")],
    "by QR code": [
        (press("Sign in again"), "Tap it here"),
        (press("I have a second screen"), "Scan this"),
        (scanned_by(SECOND), "Same account"),
    ],
}


async def walk(play: Play, steps: list[Step], *, restarts: bool) -> None:
    for do, then in steps:
        if restarts:
            await play.restart()
        await do(play)
        await play.admin.wait_for(then)


async def works(play: Play, mark: str = "🟢") -> None:
    await play.admin.send("/sessions")
    screen = await play.admin.wait_for("Accounts · 1")
    assert screen["buttons"][0][0]["text"].startswith(mark)


@pytest.mark.parametrize("way", FRESH)
async def test_a_restart_before_each_step(play: Play, way: str) -> None:
    """Of a new login, by each way; one code at most was asked for."""
    await walk(play, FRESH[way], restarts=True)
    await works(play)
    sent = await play.driver.messages(SERVICE_ID, SECOND if way == "number" else ADMIN)
    assert sum("Login code" in (message["text"] or "") for message in sent) == ("number" in way)


@pytest.mark.parametrize("way", AGAIN)
async def test_a_restart_before_each_step_of_a_repair(play: Play, way: str) -> None:
    """The same of signing a dead account in again."""
    await walk(play, FRESH["QR code"], restarts=False)
    await die(play, SECOND)
    await play.admin.wait_for("was signed out")
    await walk(play, AGAIN[way], restarts=True)
    await works(play)
