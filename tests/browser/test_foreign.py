"""A page of somebody else's in the same browser, while the sandbox's page is open: it reads and does nothing."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web
from playwright.async_api import Browser, Page

from tests.browser.page import WIDE, open_visitor
from tests.sandbox.bot_stage import TOKEN, open_stage

ATTEMPTS = """<!doctype html><title>Free berths</title><body><script>
const target = "%(target)s";
const chat = target + "/sandbox/chats/%(bot)s/messages?as=%(admin)s";
const body = JSON.stringify({text: "stolen"});
const loaded = element => new Promise(done => {
    element.onload = () => done("loaded");
    element.onerror = () => done("refused");
    document.body.append(element);
});
const read = (url, options) => fetch(url, {credentials: "include", ...options})
    .then(async answer => await answer.text() || "nothing", () => "refused");
const element = (tag, attributes) => Object.assign(document.createElement(tag), attributes);
const submit = async () => {
    const frame = element("iframe", {name: "sink"});
    const form = element("form", {action: chat, method: "post", enctype: "text/plain", target: "sink"});
    form.append(element("input", {name: body.slice(0, -1) + ', "x": "', value: '"}'}));
    document.body.append(frame, form);
    const sent = loaded(frame);
    form.submit();
    await sent;
    return "sent";
};
const stream = () => new Promise(done => {
    const events = new EventSource(target + "/sandbox/events?as=%(admin)s", {withCredentials: true});
    events.onopen = () => done("open");
    events.onerror = () => { events.close(); done("refused"); };
});
const everything = async () => ({
    state: await read(target + "/sandbox/state"),
    blind: await read(chat, {method: "POST", mode: "no-cors", body}),
    json: await read(chat, {method: "POST", headers: {"Content-Type": "application/json"}, body}),
    image: await loaded(element("img", {src: target + "/sandbox/files/%(file)s"})),
    script: await loaded(element("script", {src: target + "/sandbox/state"})),
    form: await submit(),
    stream: await stream(),
    frame: await loaded(element("iframe", {src: target + "/"})),
});
</script>"""


@asynccontextmanager
async def foreign_server(html: str) -> AsyncIterator[str]:
    """Its address: another port of this machine, which browsers take for the same site, cookies and all."""

    async def serve(request: web.Request) -> web.Response:
        return web.Response(text=html, content_type="text/html")

    app = web.Application()
    app.router.add_get("/", serve)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield f"http://127.0.0.1:{site.port}/"
    finally:
        await runner.cleanup()


async def listen(page: Page, target: str) -> list[tuple[str, int]]:
    """What `target` answers to that page, as the network saw it: a script is told less."""
    urls: dict[str, str] = {}
    answers: list[tuple[str, int]] = []

    def answered(event: dict[str, Any]) -> None:
        if (url := urls.get(event["requestId"], "")).startswith(target):
            answers.append((url, event["statusCode"]))

    network = await page.context.new_cdp_session(page)
    network.on("Network.requestWillBeSent", lambda event: urls.update({event["requestId"]: event["request"]["url"]}))
    network.on("Network.responseReceivedExtraInfo", answered)
    await network.send("Network.enable")
    return answers


async def test_a_foreign_page_gets_nothing(browser: Browser, tmp_path: Path) -> None:
    """Reads, blind writes, images, scripts, forms, streams, frames: each is refused by the server, cookie or not."""
    async with open_stage() as stage, open_visitor(browser, WIDE, tmp_path) as anna:
        admin = await stage.started()
        await anna.arrive(f"{stage.url}/?token={TOKEN}")
        own = await anna.page.evaluate("fetch('/sandbox/state').then(answer => answer.status)")
        assert own == 200, "the page's own calls are answered, so the cookie is there"
        before = [message["id"] for message in await admin.messages()]
        photo = next(
            m.document.id for m in stage.archive.messages.values() if m.document and m.document.kind == "photo"
        )
        html = ATTEMPTS % {"target": stage.url, "bot": stage.bot.id, "admin": admin.account_id, "file": photo}
        async with foreign_server(html) as address:
            foreign = await anna.page.context.new_page()
            answers = await listen(foreign, stage.url)
            await foreign.goto(address)
            got = await foreign.evaluate("everything()")
            await foreign.close()
        assert got["state"] == got["json"] == got["image"] == got["script"] == got["stream"] == "refused", got
        assert got["blind"] == "nothing"
        asked = {url.removeprefix(stage.url).partition("?")[0] for url, _ in answers}
        chat = f"/sandbox/chats/{stage.bot.id}/messages"
        assert asked == {"/", "/sandbox/state", chat, f"/sandbox/files/{photo}", "/sandbox/events"}
        assert {status for _, status in answers} == {403}, answers
        assert [message["id"] for message in await admin.messages()] == before
