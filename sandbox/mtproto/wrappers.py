"""What a client wraps around a request: its layer, who it is, what to wait for, whether it wants updates."""

from dataclasses import dataclass
from typing import Any

from telethon.tl import functions
from telethon.tl.core import GzipPacked
from telethon.tl.tlobject import TLRequest

from sandbox.mtproto import messages

# Wrappers that say nothing to a sandbox; the request inside counts.
_TRANSPARENT = (
    functions.InvokeWithMessagesRangeRequest,
    functions.InvokeWithBusinessConnectionRequest,
    functions.InvokeWithApnsSecretRequest,
    functions.InvokeWithGooglePlayIntegrityRequest,
    functions.InvokeWithReCaptchaRequest,
)


@dataclass(slots=True, repr=False)
class Unwrapped:
    """A request and what stood around it. `layer` and `api_id` are 0 when the client did not say."""

    query: TLRequest
    layer: int = 0
    api_id: int = 0
    initialises: bool = False
    no_updates: bool = False
    takeout_id: int | None = None
    after: tuple[int, ...] = ()


def unwrap(request: Any) -> Unwrapped:
    """Take the wrappers off, in whichever order they come. Raises UnreadableError for what was packed inside them."""
    found = Unwrapped(request)
    while True:
        match found.query:
            case functions.InvokeWithLayerRequest() as wrapper:
                found.layer = wrapper.layer
            case functions.InitConnectionRequest() as wrapper:
                found.initialises, found.api_id = True, wrapper.api_id
            case functions.InvokeWithoutUpdatesRequest() as wrapper:
                found.no_updates = True
            case functions.InvokeWithTakeoutRequest() as wrapper:
                found.takeout_id = wrapper.takeout_id
            case functions.InvokeAfterMsgRequest() as wrapper:
                found.after += (wrapper.msg_id,)
            case functions.InvokeAfterMsgsRequest() as wrapper:
                found.after += tuple(wrapper.msg_ids)
            case GzipPacked() as packed:
                found.query = messages.read(packed.data)
                continue
            case wrapper if isinstance(wrapper, _TRANSPARENT):
                pass
            case _:
                return found
        found.query = wrapper.query
