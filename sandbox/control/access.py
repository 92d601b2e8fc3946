"""Who may use the control API and its page: holders of this start's token, here, from no foreign web page."""

import hmac
from urllib.parse import urlsplit

from aiohttp import web

LOCAL_NAMES = frozenset({"127.0.0.1", "localhost", "::1"})
OWN_PAGES = frozenset({"same-origin", "none"})
"""Values of Sec-Fetch-Site. "none": typed, or opened from outside the browser. Other ports of this machine are
"same-site", and cookies do not tell ports apart: without this, any page that somebody serves here would be let in."""


def allowed(request: web.Request, token: str) -> bool:
    return is_local(request) and is_token(_given(request), token)


def is_local(request: web.Request) -> bool:
    """A foreign page reaches a local port through the browser, which gives it away: by the Host (DNS rebinding), by the
    Origin, or by saying from where it fetches."""
    host = request.headers.get("Host", "")
    if urlsplit(f"//{host}").hostname not in LOCAL_NAMES:
        return False
    if request.headers.get("Sec-Fetch-Site", "none") not in OWN_PAGES:
        return False
    origin = request.headers.get("Origin")
    return origin is None or origin == f"http://{host}"


def is_token(given: str, token: str) -> bool:
    """In constant time."""
    return hmac.compare_digest(given.encode(errors="replace"), token.encode())


def cookie_name(request: web.Request) -> str:
    """It carries the port: browsers give a cookie to all ports of a host, and two sandboxes must not log each other
    out."""
    address = request.transport.get_extra_info("sockname") if request.transport is not None else None
    return f"sandbox_token_{address[1] if address else 0}"


def _given(request: web.Request) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else request.cookies.get(cookie_name(request), "")
