"""What services may tell the admins. Implemented in handlers/notifier.py, which knows screens and texts."""

from typing import Protocol

from services.outages import Outage
from storage.models import Run


class Notifier(Protocol):
    def run_progressed(self, run: Run) -> None:
        """Called often and cheap: the notifier redraws when it is time, if anybody watches."""

    async def run_settled(self, run: Run) -> None:
        """The run ended or waits: draw its card now, write to those who asked to be told."""

    async def requests_arrived(self, channel_id: int, count: int) -> None:
        """New join requests of a channel were stored."""

    async def channel_grew(self, title: str) -> None:
        """A group that is carried became a supergroup, and Porter follows it: the owners hear of it once."""

    async def session_died(self, outage: Outage) -> None:
        """A session was found dead, just now and for the first time: the owners hear of it once."""


class RuleNotifier(Protocol):
    """Implemented there too."""

    async def rules_stopped(self, channel_id: int, title: str) -> None:
        """Nobody of ours may decide there any more: the rules of the channel are frozen, and the owners hear of it
        once."""
