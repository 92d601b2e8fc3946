"""Ways through Porter's chat, as a person takes them: tap, read, type. Used by the demo and the tests.

They know Porter by what stands on its screens and buttons, nothing else.
"""

import re
from typing import Any

from sandbox.driver import Actor
from sandbox.world import SERVICE_ID

ONE_LIST = "All in one list"


def beginning(title: str) -> re.Pattern[str]:
    """A button that shows the beginning of this title, behind a mark or a number."""
    return re.compile(re.escape(title[:14]))


CONFIRM = re.compile(r"^Confirm")
"""The yes to a decision on many."""


async def newest_code(actor: Actor) -> str:
    """The login code that stands in the account's chat with 777000."""
    messages = await actor.driver.messages(SERVICE_ID, actor.account_id)
    codes = [found[1] for message in messages if (found := re.search(r"Login code: (\d+)", message["text"] or ""))]
    return codes[-1]


async def tap_code(actor: Actor, code: str) -> None:
    for digit in code:
        await actor.press(digit)


async def begin_login(actor: Actor, account: dict[str, Any]) -> None:
    """Up to the keypad. Types the API credentials when Porter asks for them."""
    await actor.send("/login")
    screen = await actor.wait_for(r"Add an account")
    if "API id" in screen["text"]:
        await actor.send(str(account["api_id"]))
        await actor.wait_for(r"API hash")
        await actor.send(account["api_hash"])
    await actor.wait_for(r"Share your own number")
    if account["id"] == actor.account_id:
        await actor.share_contact()
    else:
        await actor.send(account["phone"])
    await actor.wait_for(r"Tap it here")


async def log_in(actor: Actor, account: dict[str, Any]) -> None:
    """The whole way: number, keypad, cloud password if the account has one."""
    await begin_login(actor, account)
    await tap_code(actor, await newest_code(actor))
    if account["password"]:
        await actor.wait_for(r"cloud password")
        await actor.send(account["password"])
    await actor.wait_for(r"Signed in as")


async def begin_source(actor: Actor) -> None:
    """Up to the list of channels to choose from."""
    await actor.send("/sources")
    await actor.wait_for(r"Saved channels")
    await actor.press("Save another channel")
    await actor.wait_for(r"Tap one")


async def add_source(actor: Actor, title: str, schedule: str = "Only when I ask") -> None:
    """Save the channel of that title, all files, the proposed folder and name. Ends on its card."""
    await begin_source(actor)
    await actor.press(beginning(title))
    await actor.wait_for(r"Which files")
    await actor.press("Done")
    await actor.wait_for(r"Files go to")
    await actor.press("Use this folder")
    await actor.wait_for(r"How often")
    await actor.press(schedule)
    await actor.wait_for(r"Porter will call it")
    await actor.press("Use this name")
    await actor.wait_for(r"The first time everything")
    await actor.press("Save this channel")
    await actor.wait_for(r"last saved never")


async def scrape(actor: Actor, timeout: float = 60.0) -> dict[str, Any]:
    """Save now, from the source's card; waits for the end."""
    await actor.press("▶ Save now")
    return await actor.wait_for(r"✅ .*done", timeout)


async def load_requests(actor: Actor, channel: str, timeout: float = 60.0) -> dict[str, Any]:
    """/load with the channel's name or id behind it; waits for the end."""
    await actor.send(f"/load {channel}")
    return await actor.wait_for(r"✅ .*done", timeout)


async def first_person(actor: Actor, title: str) -> dict[str, Any]:
    """From the overview to the card of the first in the list."""
    screen = await waiting_list(actor, title)
    await actor.press(data=screen["buttons"][0][0]["data"])
    return await actor.wait_for(r"wants to join")


async def waiting_list(actor: Actor, title: str) -> dict[str, Any]:
    """From the overview to the list of everybody who waits there."""
    await actor.send("/requests")
    await actor.wait_for(r"Waiting people")
    await actor.press(beginning(title))
    screen = await actor.wait_for(r"(person|people) waits?")
    if ONE_LIST in await actor.buttons():
        await actor.press(ONE_LIST)
        screen = await actor.wait_for(r"(person|people) waits?")
    return screen


async def decide_all(actor: Actor, title: str, label: str = "Approve all", timeout: float = 60.0) -> dict[str, Any]:
    await actor.send("/requests")
    await actor.wait_for(r"Waiting people")
    await actor.press(beginning(title))
    await actor.wait_for(r"(person|people) waits?")
    await actor.press(label)
    await actor.wait_for(r"who waits?.* at")
    await actor.press(CONFIRM)
    return await actor.wait_for(r"✅ .*done", timeout)


async def add_admin(actor: Actor, user_id: int, role: str, *titles: str) -> dict[str, Any]:
    """An owner adds that person by the picker. `role`: Owner, Viewer, or Approver (of the channels of `titles`)."""
    await actor.send("/admins")
    await actor.wait_for(r"Admins")
    await actor.press("Add somebody")
    await actor.wait_for(r"As what")
    await actor.press(role)
    for title in titles:
        await actor.wait_for(r"At which channels")
        await actor.press(beginning(title))
    if titles:
        await actor.wait_for(r"[1-9]\d* chosen")
        await actor.press("Done")
    await actor.wait_for(r"Who shall be")
    await actor.share_users(user_id)
    await actor.wait_for(r": .*\?")
    await actor.press("Yes, so be it")
    return await actor.wait_for(r"✅ ")


async def change_admin(actor: Actor, name: str, label: str) -> dict[str, Any]:
    """From /admins to that person's card, the button of that label, and the yes."""
    await actor.send("/admins")
    await actor.wait_for(r"Admins")
    await actor.press(beginning(name))
    await actor.wait_for(r"last here")
    await actor.press(label)
    await actor.wait_for(r"\?")
    await actor.press("Yes, so be it")
    return await actor.wait_for(r"✅ |no admin any more")


async def tap_pin(actor: Actor, pin: str) -> None:
    for digit in pin:
        await actor.press(digit)
    await actor.press("✓")
