"""Lists of waiting people, as one admin may see them: a desk as those of services/desks.py, for all that is only looked
at. Views and ticks are the admin's own; each call reads role and channels anew and raises NotAllowed."""

import asyncio

from services.access import Rights
from services.errors import NotAllowed, NotFound
from services.requests.listing import Group, Look, PastRequest, RequestLists
from storage.models import Admin, JoinRequest, Role
from storage.request_models import Capped, LinkCount, RequestFilters, RequestView


class ListDesk:
    """services.requests.listing, where methods of the same names say what these do."""

    def __init__(self, lists: RequestLists, rights: Rights, admin_id: int) -> None:
        self._lists = lists
        self._rights = rights
        self._admin_id = admin_id

    async def view(self, view_id: int, channel_id: int = 0) -> RequestView:
        """`view_id` 0: everybody of that channel, longest first. Raises NotFound."""
        if not view_id:
            await self._sees(channel_id)
            return RequestView(0, self._admin_id, channel_id, RequestFilters())
        view = await self._lists.view(view_id, self._admin_id)
        await self._sees(view.channel_id)
        return view

    async def of_card(self, view_id: int, channel_id: int) -> RequestView:
        """The list that a card is of: everybody's of the channel, where that list is gone by now. A decision that was
        tapped on such a card counts all the same."""
        try:
            view = await self.view(view_id, channel_id)
        except NotFound:
            return await self.view(0, channel_id)
        return view if view.channel_id == channel_id else await self.view(0, channel_id)

    async def look(self, view_id: int, after_id: int = 0) -> Look:
        """The page behind that request; 0: the first. Raises NotFound."""
        # Side by side: a read is mostly the way to SQLite's thread and back.
        (view, channel), admin = await asyncio.gather(
            self._lists.view_there(view_id, self._admin_id), self._rights.of(self._admin_id)
        )
        if not admin.sees(channel.id):
            raise NotAllowed
        return await self._lists.look(view, channel, after_id)

    async def open(
        self, channel_id: int, filters: RequestFilters | None = None, *, newest_first: bool = False
    ) -> RequestView:
        """The view of those; without filters of everybody."""
        await self._sees(channel_id)
        wanted = filters or RequestFilters()
        return await self._lists.open(self._admin_id, channel_id, wanted, newest_first=newest_first)

    async def groups(self, channel_id: int) -> list[Group]:
        await self._sees(channel_id)
        return await self._lists.groups(self._admin_id, channel_id)

    async def capped(self, view: RequestView) -> Capped:
        await self._sees(view.channel_id)
        return await self._lists.capped(view)

    async def following(self, view: RequestView, after_id: int = 0) -> JoinRequest | None:
        await self._sees(view.channel_id)
        return await self._lists.following(view, after_id)

    async def links(self, channel_id: int) -> list[LinkCount]:
        await self._sees(channel_id)
        return await self._lists.links(channel_id)

    async def past(self, request: JoinRequest) -> list[PastRequest]:
        """What came of the person's other requests, at channels that this admin sees."""
        admin = await self._sees(request.channel_id)
        seen = admin.channels if admin.role is Role.APPROVER else None
        return [each for each in await self._lists.past(request.user_id, seen) if each.request.id != request.id]

    async def ticked(self, channel_id: int) -> list[int]:
        await self._sees(channel_id)
        return await self._lists.ticked(self._admin_id, channel_id)

    async def tick(self, request_id: int) -> bool:
        await self._sees((await self._lists.get(request_id)).channel_id)
        return await self._lists.tick(self._admin_id, request_id)

    async def tick_page(self, view: RequestView, after_id: int) -> None:
        await self._sees(view.channel_id)
        await self._lists.tick_page(view, after_id)

    async def untick_all(self, channel_id: int) -> None:
        await self._sees(channel_id)
        await self._lists.untick_all(self._admin_id, channel_id)

    async def _sees(self, channel_id: int) -> Admin:
        admin = await self._rights.of(self._admin_id)
        if not admin.sees(channel_id):
            raise NotAllowed
        return admin
