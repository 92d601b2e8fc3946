"""/health on 127.0.0.1, for supervisors: 200 when Porter does its work, 503 when it does not, nothing when it hangs.

It is open from the first moment to the last, so that a long migration or a long stop can be told from a hang.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from bot import __version__
from bot.settings import SettingsInvalid

if TYPE_CHECKING:  # imported when the port is set
    from aiohttp import web

HOST = "127.0.0.1"
LOCAL_NAMES = frozenset({HOST, "localhost", "::1"})


class Reporter(Protocol):
    """bot/health.py, which is imported long after the door is open."""

    async def report(self) -> dict[str, Any]: ...

    async def close(self) -> None: ...


class Door:
    """What answers at the port. `state` and `health` follow the life of the App behind it."""

    def __init__(self) -> None:
        self.state = "starting"
        self.health: Reporter | None = None

    async def close(self) -> None:
        """Porter stops; the door says so until the end."""
        health, self.health, self.state = self.health, None, "stopping"
        if health is not None:
            await health.close()

    async def answer(self, request: "web.Request") -> "web.Response":
        from aiohttp import web

        # A foreign page reaches a local port through the browser: its Host gives it away (DNS rebinding).
        if urlsplit(f"//{request.headers.get('Host', '')}").hostname not in LOCAL_NAMES:
            return web.json_response({"error": "for this machine alone"}, status=403)
        if request.path != "/health" or request.method not in ("GET", "HEAD"):
            return web.json_response({"error": "not found"}, status=404)
        closed = {"ok": False, "state": self.state}
        report = {**(await self.health.report() if self.health is not None else closed), "version": __version__}
        headers = {"Cache-Control": "no-store"}
        return web.json_response(report, status=200 if report["ok"] else 503, headers=headers)


@asynccontextmanager
async def open_door(port: int | None) -> AsyncIterator[Door]:
    """Says "starting" until it is given a `health`. None: no port. Raises SettingsInvalid: it cannot be opened."""
    door = Door()
    if port is None:
        yield door
        return
    from aiohttp import web

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", door.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, HOST, port).start()
        except OSError as error:
            raise SettingsInvalid(f"HEALTH_PORT {port} cannot be opened: {error.strerror}") from error
        yield door
    finally:
        await runner.cleanup()
