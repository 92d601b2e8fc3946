"""An owner's PIN before acts that cannot be taken back. storage/pins.py counts the tries."""

import time
from collections.abc import Callable

from services import audit
from services.errors import NotFound, PinLocked, PinWrong
from storage.models import AuditOutcome, AuditVerb
from storage.pins import MOST_TRIES, PinRepository

SHORTEST, LONGEST = 4, 8
GOOD_FOR_SECONDS = 300.0
"""A right PIN serves for a series of acts."""


class PinService:
    """Which acts want a PIN stands in handlers/access.py. Whether one is given stays in memory: a restart asks anew."""

    def __init__(self, pins: PinRepository, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._pins = pins
        self._clock = clock
        self._good_until: dict[int, float] = {}

    async def has(self, admin_id: int) -> bool:
        return await self._pins.get(admin_id) is not None

    async def holders(self) -> set[int]:
        """The admins who have one."""
        return await self._pins.all()

    async def wants(self, admin_id: int) -> bool:
        """Whether this admin has to give a PIN before an act that asks for it."""
        return self._good_until.get(admin_id, 0.0) < self._clock() and await self.has(admin_id)

    async def check_unlocked(self, admin_id: int) -> None:
        """Raises PinLocked."""
        pin = await self._pins.get(admin_id)
        if pin is not None and pin.locked_until is not None:
            raise PinLocked(pin.locked_until)

    async def give(self, admin_id: int, pin: str) -> None:
        """Good for five minutes when this returns. Raises PinWrong, PinLocked, NotFound: there is none any more."""
        await self.check_unlocked(admin_id)
        if await self._pins.matches(admin_id, pin):
            self._good_until[admin_id] = self._clock() + GOOD_FOR_SECONDS
            return
        state = await self._pins.get(admin_id)
        if state is None:
            raise NotFound("pin")
        is_locked = state.locked_until is not None
        await audit.note(AuditVerb.PIN_TRY, "", AuditOutcome.REFUSED if is_locked else AuditOutcome.FAILED)
        if state.locked_until is not None:
            raise PinLocked(state.locked_until)
        raise PinWrong(MOST_TRIES - state.tries)

    async def set(self, admin_id: int, pin: str) -> None:
        """SHORTEST to LONGEST digits. Takes the place of an older one."""
        if not (pin.isdecimal() and SHORTEST <= len(pin) <= LONGEST):
            raise ValueError("not a PIN")
        async with audit.act(AuditVerb.PIN_SET):
            await self._pins.put(admin_id, pin)
        self._good_until[admin_id] = self._clock() + GOOD_FOR_SECONDS

    async def remove(self, admin_id: int, name: str = "") -> None:
        """`name`: of whose it is, when another owner takes it away."""
        async with audit.act(AuditVerb.PIN_REMOVE, name):
            await self._pins.remove(admin_id)
        self.forget(admin_id)

    def forget(self, admin_id: int) -> None:
        """A PIN that was given counts no more."""
        self._good_until.pop(admin_id, None)
