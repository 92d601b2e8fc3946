"""Who may use the control API: holders of this start's token, on this machine, from no foreign web page."""

import hmac
from urllib.parse import urlsplit

from aiohttp import web

COOKIE = "sandbox_token"
LOCAL_NAMES = frozenset({"127.0.0.1", "localhost", "::1"})


def allowed(request: web.Request, token: str) -> bool:
    """A foreign page reaches a local port through the browser: its Host (DNS rebinding) or its Origin gives it away."""
    return _is_local(request) and hmac.compare_digest(_given(request).encode(), token.encode())


def _is_local(request: web.Request) -> bool:
    host = request.headers.get("Host", "")
    if urlsplit(f"//{host}").hostname not in LOCAL_NAMES:
        return False
    origin = request.headers.get("Origin")
    return origin is None or origin == f"http://{host}"


def _given(request: web.Request) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else request.cookies.get(COOKIE, "")
