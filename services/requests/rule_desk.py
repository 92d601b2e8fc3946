"""Rules and greetings of channels, as one admin may see and touch them. Each call reads the role anew.

Whoever sees the channel may look; whoever decides there may freeze; all the rest is the owners'.
"""

from services.access import Rights
from services.errors import NotAllowed
from services.requests.greetings import Greetings
from services.requests.rules import Change, Proposal, RuleBook, RuleBookPage
from storage.models import Channel
from storage.request_models import RequestFilters, Rule, RuleAction


class RuleDesk:
    """services.requests.rules and .greetings, where methods of the same names say what these do."""

    def __init__(self, book: RuleBook, greetings: Greetings, rights: Rights, admin_id: int) -> None:
        self._book = book
        self._greetings = greetings
        self._rights = rights
        self._admin_id = admin_id

    async def page(self, channel_id: int) -> RuleBookPage:
        await self._check_sees(channel_id)
        return await self._book.page(channel_id)

    async def get(self, rule_id: int) -> Rule:
        rule = await self._book.get(rule_id)
        await self._check_sees(rule.channel_id)
        return rule

    async def check_owner(self) -> None:
        """Before a form is opened that only an owner may keep."""
        await self._rights.check_owner(self._admin_id)

    async def add(self, channel_id: int, action: RuleAction, filters: RequestFilters) -> Rule:
        await self.check_owner()
        return await self._book.add(channel_id, action, filters, self._admin_id)

    async def propose(self, change: Change) -> Proposal:
        await self.check_owner()
        return await self._book.propose(change)

    async def make(self, change: Change) -> Proposal | None:
        await self.check_owner()
        return await self._book.make(change)

    async def agree(self, proposal: Proposal) -> Proposal | None:
        await self.check_owner()
        return await self._book.agree(proposal)

    async def freeze(self, channel_id: int) -> None:
        await self._rights.check_decides(self._admin_id, channel_id)
        await self._book.freeze(channel_id, self._admin_id)

    async def greetings(self, channel_id: int) -> tuple[Channel, str | None, str | None]:
        """The channel, its welcome, its refusal."""
        await self._check_sees(channel_id)
        return await self._greetings.channel(channel_id)

    async def set_greeting(self, channel_id: int, text: str | None, *, is_welcome: bool) -> None:
        await self.check_owner()
        await self._greetings.set(channel_id, text, is_welcome=is_welcome)

    async def _check_sees(self, channel_id: int) -> None:
        if not (await self._rights.of(self._admin_id)).sees(channel_id):
            raise NotAllowed
