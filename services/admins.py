"""Who may operate Porter: the claim link that makes the first owner, and what owners change later."""

import hashlib
import hmac
import secrets
from collections.abc import Awaitable, Callable, Collection, Iterable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Self

from services import audit
from services.access import Rights
from services.errors import ConfirmationExpired, NotAPerson, NotFound, OwnerForGood, PersonTrouble
from services.schedule import zones
from storage.admins import AdminRepository
from storage.channels import ChannelRepository
from storage.models import Admin, AuditVerb, Channel, Role
from storage.types import utc_now

CLAIM_LIFETIME = timedelta(minutes=15)
CLAIM_BYTES = 16  # 128 bits
CLAIM_PREFIX = "own_"

ANONYMOUS_ADMIN_ID = 1087968824
CHANNEL_BOT_ID = 136817688
TELEGRAM_ID = 777000
NO_PEOPLE = {
    ANONYMOUS_ADMIN_ID: PersonTrouble.ANONYMOUS,
    CHANNEL_BOT_ID: PersonTrouble.CHANNEL_BOT,
    TELEGRAM_ID: PersonTrouble.TELEGRAM,
}
FIRST_CHANNEL_ID = -1_000_000_000_000
"""Ids of channels and supergroups lie below, those of groups between it and 0."""
BEYOND_IDS = 1 << 52
"""Telegram's ids have at most 52 bits."""

OnChange = Callable[[int], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Appointment:
    """What shall be of a person. `was`: the role when it was asked, None for no admin; `role` None: removed."""

    user_id: int
    name: str
    was: Role | None
    role: Role | None
    channel_ids: tuple[int, ...] = ()

    def pack(self) -> dict[str, Any]:
        """For a confirmation."""
        return asdict(self)

    @classmethod
    def unpack(cls, packed: dict[str, Any]) -> Self:
        was, role = (Role(packed[name]) if packed[name] else None for name in ("was", "role"))
        return cls(packed["user_id"], packed["name"], was, role, tuple(packed["channel_ids"]))


class AdminService:
    def __init__(
        self, admins: AdminRepository, channels: ChannelRepository, *, clock: Callable[[], datetime] = utc_now
    ) -> None:
        self._admins = admins
        self._channels = channels
        self._clock = clock
        self._rights = Rights(admins)
        self._claim: tuple[bytes, datetime] | None = None
        self._for_good: frozenset[int] = frozenset()
        self._on_change: list[OnChange] = []

    async def find(self, user_id: int) -> Admin | None:
        return await self._admins.get(user_id)

    async def get(self, user_id: int) -> Admin:
        """Raises NotFound."""
        admin = await self._admins.get(user_id)
        if admin is None:
            raise NotFound("admin")
        return admin

    async def greet(self, user_id: int, name: str, *, wrote: bool = True) -> Admin | None:
        """The admin who writes, the name as Telegram shows it now; None: a stranger.

        `wrote`: to the bot itself, which can write to them from now on."""
        admin = await self._admins.get(user_id)
        if admin is not None and admin.unreachable_at is not None and wrote:
            await self._admins.set_unreachable(user_id, unreachable=False)
            admin = await self._admins.get(user_id)
        if admin is not None and admin.name != name:
            await self._admins.rename(user_id, name)
            admin = await self._admins.get(user_id)
        return admin

    async def note_unreachable(self, user_id: int) -> Admin | None:
        """The bot cannot write to them: they never pressed Start, or blocked it. None: that is known already."""
        if not await self._admins.set_unreachable(user_id, unreachable=True):
            return None
        return await self._admins.get(user_id)

    async def all(self) -> list[Admin]:
        return await self._admins.all()

    async def owners(self) -> list[Admin]:
        return [admin for admin in await self._admins.all() if admin.role is Role.OWNER]

    async def appoint(self, owner_ids: Iterable[int]) -> None:
        """ADMIN_IDS are owners, whatever the database said before. Names come when they first write."""
        self._for_good = frozenset(owner_ids)
        for user_id in self._for_good:
            known = await self._admins.get(user_id)
            await self._admins.put(user_id, Role.OWNER, known.name if known else "")

    async def set_timezone(self, user_id: int, timezone: str) -> None:
        """In which times are shown to this admin, and schedules of theirs are read from now on. Raises NotFound."""
        if timezone not in zones():
            raise NotFound("timezone")
        async with audit.act(AuditVerb.PROFILE, "timezone", to=timezone):
            await self._admins.set_timezone(user_id, timezone)

    def is_for_good(self, user_id: int) -> bool:
        """Named by ADMIN_IDS: cannot be demoted or removed in the chat."""
        return user_id in self._for_good

    async def askable(self, given: Collection[int] = ()) -> list[Channel]:
        """What an approver may be given: where people may wait whom bot or account can let in, and what is given."""
        return await self._channels.askable(given)

    async def titles(self, channel_ids: Collection[int]) -> list[str]:
        """Of those that are known still, in order."""
        return await self._channels.titles(channel_ids)

    # -- what owners change

    def on_change(self, hear: OnChange) -> None:
        """`hear` is called with the id of each person whose role, channels or PIN may have become void."""
        self._on_change.append(hear)

    @staticmethod
    def check_person(user_id: int) -> None:
        """Raises NotAPerson."""
        if user_id in NO_PEOPLE:
            raise NotAPerson(NO_PEOPLE[user_id])
        if user_id <= FIRST_CHANNEL_ID:
            raise NotAPerson(PersonTrouble.CHANNEL)
        if user_id < 0:
            raise NotAPerson(PersonTrouble.GROUP)
        if not 0 < user_id < BEYOND_IDS:
            raise NotAPerson(PersonTrouble.NOT_AN_ID)

    def check_may_leave(self, user_id: int) -> None:
        """Raises OwnerForGood."""
        if user_id in self._for_good:
            raise OwnerForGood

    async def settle(self, by: int, appointment: Appointment) -> Admin | None:
        """Do what an owner has confirmed; None: removed.

        Raises NotAllowed, OwnerForGood, LastOwner, NotAPerson, and ConfirmationExpired when the person is something
        else by now than when the question was asked.
        """
        role = appointment.role
        verb = AuditVerb.ROLE_TAKE if role is None else AuditVerb.ROLE_GIVE
        detail: dict[str, int | str] = {} if role is None else {"role": role.value}
        if role is Role.APPROVER:
            detail["channels"] = len(appointment.channel_ids)
        async with audit.act(verb, appointment.name or str(appointment.user_id), **detail):
            await self._rights.check_owner(by)
            return await self._settle(appointment)

    async def _settle(self, appointment: Appointment) -> Admin | None:
        user_id = appointment.user_id
        known = await self._admins.get(user_id)
        if (known.role if known else None) is not appointment.was:
            raise ConfirmationExpired
        if appointment.role is not Role.OWNER:
            self.check_may_leave(user_id)
        if appointment.role is None:
            await self._admins.remove(user_id)
            admin = None
        else:
            self.check_person(user_id)
            name = known.name if known and known.name else appointment.name
            admin = await self._admins.assign(user_id, appointment.role, name, appointment.channel_ids)
        for hear in self._on_change:
            await hear(user_id)
        return admin

    # -- the first owner

    def new_claim(self) -> str:
        """A start parameter that makes its first user the owner: 128 bits, 15 minutes, once.

        Only its hash is kept, and only in memory: a restart prints a new one.
        """
        token = secrets.token_urlsafe(CLAIM_BYTES)
        self._claim = (_hash(token), self._clock() + CLAIM_LIFETIME)
        return CLAIM_PREFIX + token

    async def claim(self, parameter: str, user_id: int, name: str) -> bool:
        """Make this person the owner if the parameter is the open claim. It is used up by that."""
        if self._claim is None or not parameter.startswith(CLAIM_PREFIX):
            return False
        wanted, deadline = self._claim
        given = _hash(parameter.removeprefix(CLAIM_PREFIX))
        if self._clock() > deadline or not hmac.compare_digest(given, wanted):
            return False
        self._claim = None
        await self._admins.put(user_id, Role.OWNER, name)
        return True


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def changed_channels(now: Collection[int], channel_id: int) -> list[int]:
    """The channel chosen or not chosen any more."""
    return sorted(set(now) ^ {channel_id})
