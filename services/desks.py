"""Waiting people and long work, as one admin may see and touch them.

Handlers are given these instead of the services, bound to whoever writes: a handler cannot forget the limits of an
approver. Each call reads role and channels anew and raises NotAllowed where they do not reach.
"""

from collections.abc import Callable

from services import audit
from services.access import Rights, sees_run, steers_run
from services.channels import ChannelService
from services.errors import NotAllowed
from services.requests import RequestServices
from services.requests.bulk_desk import BulkDesk
from services.requests.endings import Ending, Endings
from services.requests.gates import Gate
from services.requests.list_desk import ListDesk
from services.requests.load_desk import LoadDesk
from services.requests.notice_desk import NoticeDesk
from services.requests.removing import Banned
from services.requests.rule_desk import RuleDesk
from services.requests.rule_services import RuleServices
from services.run_list import RunList, RunPage, Wanted
from services.runs import Runner
from storage.models import AuditVerb, Channel, JoinRequest, PendingCount, Run


class RequestDesk:
    """services.requests, where methods of the same names say what these do."""

    def __init__(self, requests: RequestServices, rights: Rights, admin_id: int) -> None:
        self._requests = requests
        self._rights = rights
        self._admin_id = admin_id

    async def overview(self) -> list[PendingCount]:
        admin = await self._rights.of(self._admin_id)
        return [entry for entry in await self._requests.gates.overview() if admin.sees(entry.channel.id)]

    async def channel(self, channel_id: int) -> Channel:
        await self._check_sees(channel_id)
        return await self._requests.lists.channel(channel_id)

    async def gate(self, channel_id: int) -> Gate:
        await self._check_sees(channel_id)
        return await self._requests.gates.get(channel_id)

    async def get(self, request_id: int) -> JoinRequest:
        request = await self._requests.lists.get(request_id)
        await self._check_sees(request.channel_id)
        return request

    async def check_decides(self, channel_id: int) -> None:
        """Before a question is asked that only who decides may answer."""
        await self._rights.check_decides(self._admin_id, channel_id)

    async def decide(self, request_id: int, approve: bool) -> JoinRequest:
        return await self._requests.decider.decide(request_id, self._admin_id, approve)

    async def ban(self, request_id: int) -> Banned:
        return await self._requests.removals.ban(request_id, self._admin_id)

    async def undoable(self, channel_id: int) -> JoinRequest | None:
        await self._check_sees(channel_id)
        return await self._requests.removals.undoable(self._admin_id, channel_id)

    async def undo(self, request_id: int) -> JoinRequest:
        return await self._requests.removals.undo(request_id, self._admin_id)

    async def _check_sees(self, channel_id: int) -> None:
        if not (await self._rights.of(self._admin_id)).sees(channel_id):
            raise NotAllowed


class RunDesk:
    """What an admin may ask of a run: look at it, be told of its end, pause it, let it go on, stop it."""

    def __init__(self, runner: Runner, listing: RunList, endings: Endings, rights: Rights, admin_id: int) -> None:
        self._runner = runner
        self._list = listing
        self._endings = endings
        self._rights = rights
        self._admin_id = admin_id

    async def get(self, run_id: int) -> Run:
        """Raises NotFound."""
        run = await self._runner.get(run_id)
        if not sees_run(await self._rights.of(self._admin_id), run):
            raise NotAllowed
        return run

    async def page(self, page: int, *, only_failed: bool = False, wanted: Wanted | None = None) -> RunPage:
        """What works, waits and went (services/run_list.py)."""
        return await self._list.page(
            await self._rights.of(self._admin_id), page, only_failed=only_failed, wanted=wanted
        )

    async def waiting_beside(self, run_id: int) -> int:
        """How many others wait, for whatever it is."""
        return await self._list.waiting_beside(await self._rights.of(self._admin_id), run_id)

    async def ending(self, run: Run) -> Ending | None:
        """Of a run that this admin sees (services/requests/endings.py)."""
        return await self._endings.of(run)

    async def tell_when_done(self, run_id: int) -> Run:
        await self.get(run_id)
        return await self._runner.tell_when_done(run_id, self._admin_id)

    async def pause(self, run_id: int) -> Run:
        async with audit.act(AuditVerb.RUN_PAUSE, await self._steered(run_id)):
            return await self._runner.pause(run_id)

    async def resume(self, run_id: int) -> Run:
        async with audit.act(AuditVerb.RUN_RESUME, await self._steered(run_id)):
            return await self._runner.resume(run_id)

    async def cancel(self, run_id: int) -> Run:
        async with audit.act(AuditVerb.RUN_STOP, await self._steered(run_id)):
            return await self._runner.cancel(run_id)

    async def _steered(self, run_id: int) -> str:
        """The title of a run that this admin may steer."""
        run = await self._runner.get(run_id)
        if not steers_run(await self._rights.of(self._admin_id), run):
            raise NotAllowed
        return run.title


class Desks:
    """Makes the desks of an admin."""

    def __init__(
        self,
        requests: RequestServices,
        channels: ChannelService,
        runner: Runner,
        listing: RunList,
        endings: Endings,
        rights: Rights,
        rules: RuleServices,
        notices: Callable[[int], NoticeDesk],
    ) -> None:
        self._requests = requests
        self._channels = channels
        self._runner = runner
        self._list = listing
        self._endings = endings
        self._rights = rights
        self._rules = rules
        self.notices = notices

    def requests(self, admin_id: int) -> RequestDesk:
        return RequestDesk(self._requests, self._rights, admin_id)

    def loads(self, admin_id: int) -> LoadDesk:
        requests = self._requests
        return LoadDesk(requests.loads, requests.load_schedules, requests.lists, self._channels, self._rights, admin_id)

    def lists(self, admin_id: int) -> ListDesk:
        return ListDesk(self._requests.lists, self._rights, admin_id)

    def bulk(self, admin_id: int) -> BulkDesk:
        return BulkDesk(self._requests.bulk, self._runner, self._rights, admin_id)

    def runs(self, admin_id: int) -> RunDesk:
        return RunDesk(self._runner, self._list, self._endings, self._rights, admin_id)

    def rules(self, admin_id: int) -> RuleDesk:
        return RuleDesk(self._rules.book, self._rules.greetings, self._rights, admin_id)
