"""services/clients/probe.py with Telethon."""

import re
from typing import Any

from telethon.errors import RPCError
from telethon.tl import functions, types
from telethon.tl.alltlobjects import LAYER

from services.clients.answers import PaceWait, translate
from services.clients.probe import Guard, Refusal, Tl, Wait
from services.clients.proxy import Proxy
from services.clients.telethon_calls import translated, word_of
from services.clients.telethon_files import PartReader
from services.clients.telethon_listening import ListeningClient
from services.errors import FloodWait, SessionDead, Unreachable


class ProbeClient(ListeningClient):
    """Whatever it is asked, its own get_me at each connect included, passes the guard first."""

    guard: Guard

    async def __call__(self, request: Any, ordered: bool = False, flood_sleep_threshold: Any = None) -> Any:
        await self.guard.let(name_of(request))
        return await super().__call__(request, ordered, flood_sleep_threshold)


class TelethonProbe:
    """Implements probe.Probe. The client is connected."""

    layer = LAYER

    def __init__(self, client: ProbeClient, proxy: Proxy | None) -> None:
        self._client = client
        self._parts = PartReader(client, proxy)
        self.waits: list[Wait] = []

    @property
    def home_dc(self) -> int:
        return int(self._client.session.dc_id)

    async def ask(self, method: str, fields: dict[str, Any], dc_id: int | None = None) -> Any:
        request = request_of(method)(**{name: _built(value) for name, value in fields.items()})
        with translated():
            try:
                if dc_id is None or dc_id == self.home_dc:
                    return _plain(await self._client(request))
                await self._client.guard.let(method)
                return _plain(await self._parts.ask(dc_id, request))
            except RPCError as error:
                raise self._said(error) from error

    def _said(self, error: RPCError) -> Exception:
        """What the pacing and the pool know how to take; every other word as it came."""
        word, code = word_of(error), error.code or 0
        seconds = int(getattr(error, "seconds", 0))
        ours = translate(word, code, seconds)
        if isinstance(ours, FloodWait | PaceWait):
            self.waits.append(Wait(word, abs(code), seconds))
        if isinstance(ours, FloodWait | PaceWait | SessionDead | Unreachable):
            return ours
        return Refusal(word, abs(code), int(getattr(error, "new_dc", 0)))

    async def close(self) -> None:
        try:
            await self._parts.close()
        finally:
            await self._client.disconnect()


def name_of(request: Any) -> str:
    """`telethon.tl.functions.messages.GetHistoryRequest` is Telegram's messages.getHistory."""
    kind = type(request)
    name = kind.__name__.removesuffix("Request")
    namespace = kind.__module__.rpartition("telethon.tl.functions")[2].strip(".")
    return f"{namespace}.{name[0].lower()}{name[1:]}" if namespace else f"{name[0].lower()}{name[1:]}"


def request_of(method: str) -> Any:
    """The other way round. Raises AttributeError for what the schema does not have."""
    namespace, _, name = method.rpartition(".")
    home = getattr(functions, namespace) if namespace else functions
    return getattr(home, f"{_class_name(name)}Request")


def _class_name(name: str) -> str:
    return re.sub(r"^[a-z]", lambda first: first[0].upper(), name)


def _built(value: Any) -> Any:
    match value:
        case Tl():
            return getattr(types, _class_name(value.name))(**{k: _built(v) for k, v in value.fields.items()})
        case list():
            return [_built(each) for each in value]
    return value


def _plain(answer: Any) -> Any:
    if isinstance(answer, list):
        return [_plain(each) for each in answer]
    return answer.to_dict() if hasattr(answer, "to_dict") else answer
