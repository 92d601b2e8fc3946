"""The control API: JSON over HTTP, with which the chat page, tests, benchmarks and scripts play the people.

server.py    routes, the token, errors          access.py    who may call: this start's token, local pages only
chats.py     reading, writing, pressing         looking.py   what an account sees, and where it may write
feed.py      what happens, told at once         channels.py  posts and join requests
knobs.py     state, documents, faults, network, clock, calls
body.py      JSON bodies, read strictly         view.py      World -> JSON of this API
"""

from sandbox.control.server import PRESS_TIMEOUT_S, ControlApi

__all__ = ["PRESS_TIMEOUT_S", "ControlApi"]
