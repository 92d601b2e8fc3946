"""The page by itself: a bot of the test's own, people at the control API, no Porter."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiogram.types import CallbackQuery, InlineKeyboardButton, InlineKeyboardMarkup, MessageEntity, Update
from playwright.async_api import expect

from sandbox import scenarios
from sandbox.driver import Actor
from sandbox.faults import Faults
from sandbox.front import open_front
from sandbox.mtproto.network import Network
from tests.browser.page import SERVICE, WAIT_MS, Visitor
from tests.sandbox.bot_stage import TOKEN, Stage, keyboard, open_stage

MARKUP = "<img src=x onerror=\"document.title='owned'\"><b>bold</b> <script>document.title='owned'</script>"
BACKWARDS = "\u202egpj.hsarc"
LONG = "Hafenmeisterei" * 40


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with open_stage() as opened:
        yield opened


@pytest.fixture
async def anna(visitor: Visitor, stage: Stage) -> Visitor:
    """In the bot's chat, which she has started."""
    await stage.started()
    await visitor.arrive(address(stage))
    await visitor.open_chat("Porter")
    return visitor


def address(stage: Stage) -> str:
    return f"{stage.url}/?token={TOKEN}"


async def next_update(stage: Stage) -> Update:
    """What the bot hears next, acknowledged."""
    async with asyncio.timeout(WAIT_MS / 1000):
        while not (found := await stage.bot.get_updates(timeout=5, limit=1)):
            pass
    await stage.bot.get_updates(offset=found[0].update_id + 1, limit=1, timeout=0)
    return found[0]


async def pressed(stage: Stage) -> CallbackQuery:
    update = await next_update(stage)
    assert update.callback_query is not None
    return update.callback_query


async def test_what_happens_shows_as_it_happens(anna: Visitor, stage: Stage) -> None:
    """New, edited and deleted messages, toasts and alerts, without a tap."""
    bot, admin = stage.bot, stage.world.admin_id
    message = await bot.send_message(admin, "Which berth?", reply_markup=keyboard("Quay", "Alarm"))
    await anna.sees("Which berth")
    await anna.press("Quay")
    await expect(anna.button("Quay")).to_have_attribute("aria-busy", "true")
    query = await pressed(stage)
    assert query.data == "v1:quay"
    await bot.answer_callback_query(query.id, text="Quay 4 is free")
    await expect(anna.page.get_by_role("status").filter(has_text="Quay 4 is free")).to_be_visible()
    await expect(anna.button("Quay")).not_to_have_attribute("aria-busy", "true")

    await anna.press("Alarm")
    await bot.answer_callback_query((await pressed(stage)).id, text="Storm tonight", show_alert=True)
    alert = anna.page.get_by_role("alertdialog")
    await expect(alert).to_contain_text("Storm tonight")
    await anna.picture("alert")
    await alert.get_by_role("button", name="OK").click()
    await expect(alert).to_be_hidden()

    await bot.edit_message_text("Berth 4 it is", chat_id=admin, message_id=message.message_id)
    await anna.sees("Berth 4 it is")
    await anna.misses("Which berth")
    await bot.delete_message(admin, message.message_id)
    await anna.misses("Berth 4 it is")

    post = await stage.driver.post(stage.archive.peer, "High water at noon")
    await anna.open_chat(stage.archive.title)
    await anna.sees("High water at noon")
    await stage.driver.edit_post(stage.archive.peer, post["id"], "High water at one")
    await expect(await anna.sees("High water at one")).to_contain_text("edited")
    await stage.driver.delete_post(stage.archive.peer, post["id"])
    await anna.misses("High water")


async def test_two_people_see_each_their_own(anna: Visitor, stage: Stage) -> None:
    """Whom one plays decides what one sees; nothing of the other's chat is left standing."""
    other = next(a for a in stage.world.accounts.values() if a.phone and a.id != stage.world.admin_id)
    await stage.bot.send_message(stage.world.admin_id, "For Anna alone")
    await anna.sees("For Anna alone")
    await anna.become(other.id)
    await anna.misses("For Anna alone")
    await Actor(stage.driver, other.id, stage.bot.id).send("Good morning")
    await anna.open_chat("Porter")
    await anna.sees("Good morning")
    await anna.become(stage.world.admin_id)
    await anna.open_chat("Porter")
    await anna.sees("For Anna alone")
    await anna.misses("Good morning")


async def test_there_is_room_to_write_after_a_chat_that_takes_nothing(anna: Visitor, stage: Stage) -> None:
    """Telegram's own chat has no place to write; back from it, there was half a line of it."""
    stage.world.send_service(stage.world.admin_id, "Login code: 12345.")
    before = await anna.composer.bounding_box()
    await anna.open_chat(SERVICE)
    await anna.sees("Login code")
    await anna.open_chat("Porter")
    await expect(anna.composer).to_be_visible()
    after = await anna.composer.bounding_box()
    assert before is not None
    assert after is not None
    assert after["height"] == before["height"]


async def test_hostile_texts_are_text(phone: Visitor, stage: Stage) -> None:
    """Markup, a writing direction turned round, words without end: in every place where somebody else has a say."""
    stage.me.first_name = f"Porter {MARKUP}"
    stage.archive.title = f"Archive {MARKUP}"
    await stage.started()
    admin = stage.world.admin_id
    await phone.arrive(address(stage))
    await phone.open_chat("Porter")
    for text in (MARKUP, BACKWARDS, LONG):
        row = [[InlineKeyboardButton(text=text, callback_data="v1:x")]]
        await stage.bot.send_message(
            admin, f"says {text}", parse_mode=None, reply_markup=InlineKeyboardMarkup(inline_keyboard=row)
        )
    shown = await phone.sees(f"says {MARKUP}")
    await expect(shown.get_by_role("button", name=MARKUP)).to_be_visible()
    await phone.sees("says Hafenmeisterei")
    link = MessageEntity(type="text_link", offset=0, length=4, url="javascript:document.title='owned'")
    await stage.bot.send_message(admin, "link to nowhere", parse_mode=None, entities=[link])
    await phone.sees("link to nowhere")
    await stage.driver.post(stage.archive.peer, MARKUP, file={"name": f"{MARKUP}{BACKWARDS}.html", "size": 900})
    await phone.picture("hostile")
    await phone.open_chat("Archive")
    await phone.sees(MARKUP)
    await phone.picture("hostile-channel")
    assert await phone.page.locator("script:not([src]), img[src='x'], [onerror], a[href^='javascript']").count() == 0
    assert await phone.page.title() != "owned"


async def test_a_file_goes_both_ways(anna: Visitor, stage: Stage) -> None:
    """What is attached is sent, and comes back as a download: a page in it never opens here."""
    page = b"<script>document.title='owned'</script>"
    await anna.page.locator("input[type=file]").set_input_files(
        files=[{"name": "berths.html", "mimeType": "text/html", "buffer": page}]
    )
    message = await anna.sees("berths.html")
    async with anna.page.expect_download() as waited:
        await message.locator("a[download]").click()
    download = await waited.value
    assert download.suggested_filename == "berths.html"
    assert (await download.path()).read_bytes() == page
    update = await next_update(stage)
    assert update.message is not None
    assert update.message.document is not None


async def test_by_keyboard_alone(visitor: Visitor, stage: Stage) -> None:
    """Open a chat, write, press a button, dismiss what comes: no mouse."""
    keys = visitor.page.keyboard
    await visitor.arrive(address(stage))
    await visitor.tab_to(visitor.chat("Porter"))
    await keys.press("Enter")
    await expect(visitor.composer).to_be_visible()
    await visitor.tab_to(visitor.composer)
    await keys.type("/start")
    await keys.press("Enter")
    update = await next_update(stage)
    assert update.message is not None
    assert update.message.text == "/start"
    await stage.bot.send_message(stage.world.admin_id, "Which berth?", reply_markup=keyboard("Quay", "Alarm"))
    await visitor.sees("Which berth")
    await visitor.tab_to(visitor.button("Alarm"))
    await keys.press("Enter")
    query = await pressed(stage)
    assert query.data == "v1:alarm"
    await stage.bot.answer_callback_query(query.id, text="Storm tonight", show_alert=True)
    alert = visitor.page.get_by_role("alertdialog")
    await expect(alert).to_be_visible()
    await keys.press("Escape")
    await expect(alert).to_be_hidden()


async def test_the_panel_does_what_its_buttons_say(anna: Visitor, stage: Stage) -> None:
    """People ask, a post appears, a fault waits and goes; the figures follow by themselves."""
    group = stage.group
    waiting, posts = len(group.requests), len(group.messages)
    await anna.page.get_by_role("button", name="Sandbox").click()
    place = anna.panel.get_by_role("group", name=group.title)
    await expect(place).to_contain_text(f"{waiting} waiting")
    await place.get_by_label("People").fill("3")
    await place.get_by_role("button", name="Ask to join", exact=True).click()
    await expect(place).to_contain_text(f"{waiting + 3} waiting")
    await place.get_by_label("Text").fill("All hands on deck")
    await place.get_by_role("button", name="Post").click()
    await expect(place).to_contain_text(f"{posts + 1} messages")
    await anna.picture("panel")

    await anna.panel.get_by_text("Faults", exact=True).click()
    await anna.panel.get_by_role("button", name="Add").click()
    await expect(anna.panel.get_by_text("messages.getHistory: FLOOD_WAIT_5")).to_be_visible()
    assert len(await stage.driver.call("GET", "faults")) == 1
    await anna.panel.get_by_role("button", name="Clear").click()
    await expect(anna.panel.get_by_text("No fault waits")).to_be_visible()
    assert await stage.driver.call("GET", "faults") == []
    await anna.open_chat(group.title)
    await anna.sees("All hands on deck")


async def test_a_break_is_told_and_mended(visitor: Visitor) -> None:
    """While the sandbox is away the page says so; afterwards it shows what it missed, without a tap."""
    world = scenarios.build("jetty")
    bot = next(account for account in world.accounts.values() if account.is_bot)
    async with open_front(world, Faults(), Network(), TOKEN) as front:
        world.send_private(bot.id, world.admin_id, bot.id, text="Before the break")
        await visitor.arrive(f"{front.url}/?token={TOKEN}")
        await visitor.open_chat("Porter")
        await visitor.sees("Before the break")
    told = visitor.page.get_by_role("alert").filter(has_text="The sandbox does not answer")
    await expect(told).to_be_visible()
    world.send_private(bot.id, world.admin_id, bot.id, text="While it was away")
    async with open_front(world, Faults(), Network(), TOKEN, port=int(front.url.rpartition(":")[2])):
        await visitor.sees("While it was away")
        await expect(told).to_be_hidden()
        # What the browser says of connections that were refused meanwhile is no fault of the page.
        visitor.troubles = [each for each in visitor.troubles if "ERR_" not in each]
        await visitor.page.close()
