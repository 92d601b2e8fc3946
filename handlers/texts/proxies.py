"""An account's proxy."""

from handlers.texts.base import Words, quote, title
from services.clients.proxy import Proxy
from services.errors import ProxyFailed, ProxyTrouble
from services.sessions import SessionCard

TROUBLES = {
    ProxyTrouble.REFUSED: "nothing listens at this host and port",
    ProxyTrouble.HOST_UNKNOWN: "no such host is known; look at the name again",
    ProxyTrouble.NO_ROUTE: "there is no route to this host",
    ProxyTrouble.TIMED_OUT: "it did not answer in time",
    ProxyTrouble.WRONG_PASSWORD: "it does not take this user and password, or wants some",
    ProxyTrouble.TARGET_REFUSED: "it answers, but does not lead to Telegram",
    ProxyTrouble.NOT_A_PROXY: "what answers there is no proxy of this kind",
}


class ProxyTexts(Words):
    def ask(self, card: SessionCard) -> str:
        now = f"Now it goes through {quote(card.proxy.place)}. " if card.proxy else ""
        return (
            f"Through which proxy shall {title(card.session.name)} go? {now}Send it as\n"
            "<code>socks5://user:password@host:port</code>\n<code>http://host:port</code>\n"
            "User and password may be missing; write @ as %40, : as %3A, / as %2F and % as %25 in them. Your message "
            "is deleted, and Porter reaches for Telegram through the proxy before it keeps it."
        )

    def reached(self, proxy: Proxy) -> str:
        return (
            f"✅ Reached Telegram through {quote(proxy.place)}. From now on this account goes there and no other way."
        )

    def unreached(self, error: ProxyFailed) -> str:
        """While it is being set up: nothing goes through it yet."""
        return f"Porter cannot reach Telegram through {quote(error.place)}: {TROUBLES[error.why]}."

    def not_stored(self, why: str) -> str:
        return f"⚠️ {why}\nNothing was changed. Send another, or go back."

    def ask_remove(self, card: SessionCard) -> str:
        through = f" through {quote(card.proxy.place)}" if card.proxy else ""
        return (
            f"{title(card.session.name)} goes{through} now. Without a proxy Telegram sees this account come from the "
            "address of Porter's own host."
        )

    def removed(self) -> str:
        return "The proxy is forgotten. This account connects directly from now on."

    def line(self, proxy: Proxy | None) -> str:
        """On the card: never user or password, only whether there are some."""
        if proxy is None:
            return "no proxy"
        login = " with password" if proxy.password else ""
        return f"proxy {quote(proxy.place)}{login}"
