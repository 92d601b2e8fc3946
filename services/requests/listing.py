"""Looking at who waits. Not limited to anybody here: handlers look through desks (services/desks.py, list_desk.py)."""

from collections.abc import Iterable
from dataclasses import dataclass

from services.errors import NotFound
from storage.channels import ChannelRepository
from storage.join_requests import JoinRequestRepository
from storage.models import Channel, JoinRequest, PendingCount
from storage.request_decisions import RequestDecisions
from storage.request_filters import WORDS_FROM
from storage.request_models import Capped, LinkCount, RequestFilters, RequestGroup, RequestPage, RequestView
from storage.request_pages import ROWS, RequestPages
from storage.request_views import RequestTicks, RequestViewRepository

SHORTEST_WORDS = WORDS_FROM
"""Characters that a search takes."""
LINKS_SHOWN = 24


@dataclass(frozen=True, slots=True)
class Group:
    """Those of a channel who have something in common: how many, and the view of them."""

    what: RequestGroup
    people: int
    view: RequestView


@dataclass(frozen=True, slots=True)
class PastRequest:
    """An earlier request of somebody, and where it was."""

    request: JoinRequest
    channel: Channel


@dataclass(frozen=True, slots=True)
class Look:
    """A page of a list, and how many are on all of it."""

    view: RequestView
    channel: Channel
    page: RequestPage
    count: Capped


class RequestLists:
    def __init__(
        self,
        requests: JoinRequestRepository,
        pages: RequestPages,
        channel_rows: ChannelRepository,
        views: RequestViewRepository,
        ticks: RequestTicks,
        decisions: RequestDecisions,
    ) -> None:
        self._requests = requests
        self._pages = pages
        self._channel_rows = channel_rows
        self._views = views
        self._ticks = ticks
        self._decisions = decisions

    async def overview(self) -> list[PendingCount]:
        """The channels where people wait, most of them first."""
        return await self._requests.overview()

    async def channel(self, channel_id: int) -> Channel:
        """Raises NotFound."""
        channel = await self._channel_rows.get(channel_id)
        if channel is None:
            raise NotFound("channel")
        return channel

    async def get(self, request_id: int) -> JoinRequest:
        """Raises NotFound."""
        request = await self._requests.get(request_id)
        if request is None:
            raise NotFound("join request")
        return request

    # -- lists

    async def view(self, view_id: int, admin_id: int) -> RequestView:
        """Raises NotFound: it is gone, or another admin's."""
        view = await self._views.get(view_id, admin_id)
        if view is None:
            raise NotFound("list")
        return view

    async def view_there(self, view_id: int, admin_id: int) -> tuple[RequestView, Channel]:
        """As `view`, with its channel."""
        found = await self._views.get_there(view_id, admin_id)
        if found is None:
            raise NotFound("list")
        return found

    async def look(self, view: RequestView, channel: Channel, after_id: int) -> Look:
        page, count = await self._pages.look(view, after_id)
        return Look(view, channel, page, count)

    async def open(
        self, admin_id: int, channel_id: int, filters: RequestFilters, *, newest_first: bool = False
    ) -> RequestView:
        return (await self._views.open(admin_id, channel_id, [filters], newest_first=newest_first))[0]

    async def groups(self, admin_id: int, channel_id: int) -> list[Group]:
        """What sets those who wait apart, in the order of RequestGroup; exact."""
        counts = await self._pages.groups(channel_id)
        views = await self._views.open(admin_id, channel_id, [RequestFilters(group=what) for what in counts])
        return [Group(what, people, view) for (what, people), view in zip(counts.items(), views, strict=True)]

    async def capped(self, view: RequestView) -> Capped:
        """Counting stops at 1,000."""
        return await self._pages.count(view)

    async def page(self, view: RequestView, after_id: int = 0, limit: int = ROWS) -> RequestPage:
        return await self._pages.page(view, after_id, limit)

    async def following(self, view: RequestView, after_id: int = 0) -> JoinRequest | None:
        """Who comes behind that one; behind the last comes the first again. None: nobody waits."""
        return await self._pages.following(view, after_id)

    async def links(self, channel_id: int) -> list[LinkCount]:
        """The links by which most of those who wait came."""
        return await self._pages.links(channel_id, LINKS_SHOWN)

    async def past(self, user_id: int, seen: Iterable[int] | None = None) -> list[PastRequest]:
        """What came of the person's earlier requests, newest first. `seen`: at these channels alone."""
        requests = await self._decisions.history(user_id)
        if seen is not None:
            allowed = frozenset(seen)
            requests = [request for request in requests if request.channel_id in allowed]
        channels = {each: await self.channel(each) for each in {request.channel_id for request in requests}}
        return [PastRequest(request, channels[request.channel_id]) for request in requests]

    # -- ticks

    async def ticked(self, admin_id: int, channel_id: int) -> list[int]:
        """The ids of those whom the admin has ticked and who wait."""
        return await self._ticks.ids(admin_id, channel_id)

    async def tick(self, admin_id: int, request_id: int) -> bool:
        """Ticked or not any more: answers which. Raises NotFound."""
        return await self._ticks.toggle(admin_id, (await self.get(request_id)).id)

    async def tick_page(self, view: RequestView, after_id: int) -> None:
        page = await self._pages.page(view, after_id)
        await self._ticks.add(view.admin_id, [request.id for request in page.rows])

    async def untick_all(self, admin_id: int, channel_id: int) -> None:
        await self._ticks.clear(admin_id, channel_id)
