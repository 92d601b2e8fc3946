"""A page to chat in: what a browser shows of the sandbox. It does everything through the control API.

index.html, style.css, and modules that the browser loads as they lie here; no build step, nothing from elsewhere.
"""

from pathlib import Path

from aiohttp import web

from sandbox.control.access import allowed, cookie_name, is_local, is_token

TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self';"
        " form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
CLOSED = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>The sandbox is closed</title>
<h1>The sandbox is closed from here</h1>
<p>Paste the address that <code>make run</code> printed into the address bar. It is a new one at each start.</p>
</html>
"""


class Page:
    """`token`: of this start. The printed address carries it once; from then on a cookie does."""

    def __init__(self, token: str) -> None:
        self._token = token
        here = Path(__file__).parent
        self._files = {path.name: path.read_text() for path in here.iterdir() if path.suffix in TYPES}

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/", self.index), web.get("/web/{name}", self.file)]

    async def index(self, request: web.Request) -> web.Response:
        given = request.query.get("token")
        if given is not None and is_local(request) and is_token(given, self._token):
            # Away from the address with the token in it, so that neither the address bar nor a bookmark keeps it.
            answer = web.Response(status=303, headers=HEADERS | {"Location": "/"})
            answer.set_cookie(cookie_name(request), self._token, path="/", httponly=True, samesite="Strict")
            return answer
        if given is not None or not allowed(request, self._token):
            return web.Response(status=403, text=CLOSED, headers=HEADERS, content_type="text/html")
        return self._answer("index.html")

    async def file(self, request: web.Request) -> web.Response:
        """There is no secret in them; foreign pages get none all the same."""
        if not is_local(request):
            return web.Response(status=403, headers=HEADERS)
        name = request.match_info["name"]
        return self._answer(name) if name in self._files else web.Response(status=404, headers=HEADERS)

    def _answer(self, name: str) -> web.Response:
        kind = TYPES[Path(name).suffix]
        return web.Response(text=self._files[name], headers=HEADERS, content_type=kind)
