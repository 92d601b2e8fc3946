"""The run of a decision on many: in whose name, by which way, and what makes it pause."""

from services import audit
from services.access import Rights
from services.audit import AuditService
from services.channels import ChannelService
from services.clients.pool import ClientPool
from services.errors import (
    AnswerNeeded,
    ChannelUnavailable,
    FloodWait,
    NotAllowed,
    PorterError,
    RightMissing,
    SessionDead,
    SessionRequired,
    Unreachable,
)
from services.requests.bulk import verb_of
from services.requests.bulk_each import OneByOne
from services.requests.bulk_everybody import Everybody
from services.runs import RunContext
from storage.models import AuditOutcome, AuditVerb, RunKind

MENDED_BY_ADMINS = (RightMissing, SessionRequired, SessionDead, ChannelUnavailable)
"""Whoever is not decided waits on, and the run with them: once somebody of ours may again, a tap lets it go on."""


class BulkRuns:
    """`work` is registered for DECIDE_ALL and DECIDE_SOME; a run's subject is the channel."""

    def __init__(
        self,
        everybody: Everybody,
        one_by_one: OneByOne,
        channels: ChannelService,
        pool: ClientPool,
        rights: Rights,
        audits: AuditService,
    ) -> None:
        self._everybody = everybody
        self._one_by_one = one_by_one
        self._channels = channels
        self._pool = pool
        self._rights = rights
        self._audits = audits

    async def work(self, context: RunContext) -> None:
        """In the name of who asked, who may have lost the right since then.

        Counters: "approved", "denied", "withdrawn", "elsewhere", "stay", "unseen". Raises NotAllowed, AnswerNeeded,
        FloodWait, Unreachable; whatever is decided by then is stored.
        """
        run = context.run
        if run.requested_by is None:
            await self._decide(context)
            return
        with self._audits.by(await self._rights.of(run.requested_by)):
            await self._audited(context, verb_of(run.params["approve"], run.kind is RunKind.DECIDE_ALL))

    async def _audited(self, context: RunContext, verb: AuditVerb) -> None:
        """A pause, and Telegram that asks for patience, is no end: the line is written when the run goes on."""
        title = context.run.title
        try:
            await self._rights.check_decides(context.run.requested_by, context.run.subject_id)
            await self._decide(context)
        except NotAllowed:
            await audit.note(verb, title, AuditOutcome.REFUSED)
            raise
        except (AnswerNeeded, FloodWait, Unreachable):
            raise
        except PorterError as error:
            await audit.note(verb, title, AuditOutcome.FAILED, error=type(error).__name__)
            raise
        await audit.note(verb, title, **context.run.progress.counters)

    async def _decide(self, context: RunContext) -> None:
        try:
            if context.run.kind is RunKind.DECIDE_ALL and not context.run.checkpoint.get("only"):
                session_id = await self._session(context.run.subject_id)
                if session_id is not None:
                    peer = await self._pool.peer(session_id, context.run.subject_id)
                    await self._everybody.decide(context, session_id, peer)
            await self._one_by_one.decide(context)
        except MENDED_BY_ADMINS as error:
            raise AnswerNeeded(type(error).__name__) from error

    async def _session(self, channel_id: int) -> int | None:
        """One that may let people in there. None: there is none, and the bot decides one by one."""
        try:
            return await self._channels.session_for(channel_id, may_invite=True)
        except (SessionRequired, RightMissing):
            return None
