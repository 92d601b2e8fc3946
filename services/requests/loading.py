"""Loading who waited before: a run by a user session that may let people in there."""

from services import audit
from services.access import Rights
from services.channels import ChannelService
from services.clients.pool import ClientPool
from services.requests.submitting import Submitting
from services.requests.walks import RequestLister, settle_gone
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

    async def load(self, channel_id: int, admin_id: int | None, session_id: int | None = None) -> Run:
        """Load who waits at Telegram; `session_id` None: by any session that may. `admin_id` None: Porter itself.

        Raises NotFound, NotAllowed, SessionRequired, RightMissing, AlreadyActive.
        """
        async with audit.act(AuditVerb.LOAD, await self._submitting.title(channel_id)):
            await self._rights.check_decides(admin_id, channel_id)
            if session_id is None:
                session_id = await self._channels.session_for(channel_id, may_invite=True)
            else:
                await self._channels.check_right(session_id, channel_id)
            params = {"session_id": session_id}
            return await self._submitting.submit(RunKind.LOAD_REQUESTS, channel_id, admin_id, params)

    async def work(self, context: RunContext) -> None:
        """Counters: "new", "known", "gone" (waited here, and no more at Telegram)."""
        run = context.run
        session_id = run.params["session_id"]
        peer = await self._pool.peer(session_id, run.subject_id)
        walk = await self._lister.walk(context, session_id, peer, {})
        gone = await settle_gone(self._requests, context, walk)
        counters = {"new": walk.new, "known": walk.seen - walk.new, "gone": gone}
        context.progress(Progress(done=walk.seen, total=walk.seen, counters=counters))
