"""Looking at who waits. Not limited to anybody here: handlers look through services/desks.py."""

from services.errors import NotFound
from storage.channels import ChannelRepository
from storage.join_requests import JoinRequestRepository
from storage.models import Channel, JoinRequest, PendingCount
from storage.request_models import RequestPage, RequestView
from storage.request_pages import ROWS, RequestPages


class RequestLists:
    def __init__(self, requests: JoinRequestRepository, pages: RequestPages, channel_rows: ChannelRepository) -> None:
        self._requests = requests
        self._pages = pages
        self._channel_rows = channel_rows

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

    async def count(self, view: RequestView) -> int:
        return await self._pages.total(view)

    async def page(self, view: RequestView, after_id: int = 0, limit: int = ROWS) -> RequestPage:
        return await self._pages.page(view, after_id, limit)

    async def following(self, view: RequestView, after_id: int = 0) -> JoinRequest | None:
        """Who comes behind that one; behind the last comes the first again. None: nobody waits."""
        return await self._pages.following(view, after_id)
