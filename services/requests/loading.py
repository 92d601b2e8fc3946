"""Loading who waited before: a run by a user session that may let people in there."""

from typing import Any

from services import audit
from services.access import Rights
from services.channels import ChannelService
from services.clients.base import InviteLink
from services.clients.pool import ClientPool
from services.requests.submitting import Submitting
from services.requests.walks import WHOLE, Gone, Part, RequestLister
from services.runs import RunContext
from storage.join_requests import JoinRequestRepository
from storage.models import AuditVerb, Progress, Run, RunKind


class RequestLoads:
    """`work` is registered for LOAD_REQUESTS; a run's subject is the channel."""

    def __init__(
        self,
        requests: JoinRequestRepository,
        channels: ChannelService,
        pool: ClientPool,
        lister: RequestLister,
        submitting: Submitting,
        rights: Rights,
    ) -> None:
        self._requests = requests
        self._channels = channels
        self._pool = pool
        self._lister = lister
        self._submitting = submitting
        self._rights = rights

    async def load(
        self, channel_id: int, admin_id: int | None, session_id: int | None = None, part: Part = WHOLE
    ) -> Run:
        """Load who waits at Telegram; `session_id` None: by any session that may. `admin_id` None: Porter itself.

        Raises NotFound, NotAllowed, SessionRequired, RightMissing, AlreadyActive.
        """
        async with audit.act(AuditVerb.LOAD, await self._submitting.title(channel_id)):
            await self._rights.check_decides(admin_id, channel_id)
            if session_id is None:
                session_id = await self._channels.session_for(channel_id, may_invite=True)
            else:
                await self._channels.check_right(session_id, channel_id)
            return await self._submit(channel_id, admin_id, session_id, part)

    async def load_due(self, channel_id: int, part: Part) -> Run:
        """By a schedule. Which session may is looked up by the run: where none does, the run fails and is told of.

        Raises NotFound, AlreadyActive.
        """
        return await self._submit(channel_id, None, None, part)

    async def _submit(self, channel_id: int, admin_id: int | None, session_id: int | None, part: Part) -> Run:
        params: dict[str, Any] = {"session_id": session_id}
        if part.newest is not None:
            params["newest"] = part.newest
        if part.link is not None:
            params["link"] = part.link
        return await self._submitting.submit(RunKind.LOAD_REQUESTS, channel_id, admin_id, params)

    async def links(self, channel_id: int) -> list[InviteLink]:
        """The links by which people asked to join, most waiting first, as far as a session of ours sees them.

        Raises SessionRequired, RightMissing, TelegramError.
        """
        session_id = await self._channels.session_for(channel_id, may_invite=True)
        peer = await self._pool.peer(session_id, channel_id)
        async with self._pool.gate(session_id) as client:
            links = {link.link: link for link in await client.invite_links(peer)}
            for maker in await client.link_makers(peer):
                links |= {link.link: link for link in await client.invite_links(peer, maker)}
        return sorted(links.values(), key=lambda link: (-link.waiting, link.title or link.link))

    async def work(self, context: RunContext) -> None:
        """Counters: "new", "known"; of a whole list also "withdrawn" and "elsewhere": waited here, and no more."""
        run = context.run
        part = Part(run.params.get("newest"), run.params.get("link"))
        session_id = run.params["session_id"]
        if session_id is None:
            session_id = await self._channels.session_for(run.subject_id, may_invite=True)
        peer = await self._pool.peer(session_id, run.subject_id)
        walk = await self._lister.walk(context, session_id, peer, {}, part=part)
        gone = await self._lister.settle_gone(context, session_id, peer, walk) if part.is_whole else Gone()
        counters = {"new": walk.new, "known": walk.seen - walk.new}
        if part.is_whole:
            counters |= {"withdrawn": gone.withdrawn, "elsewhere": gone.elsewhere}
        context.progress(Progress(done=walk.seen, total=walk.seen, counters=counters))
