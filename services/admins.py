"""Who may operate Porter, and the claim link that makes the first owner."""

import hashlib
import hmac
import secrets
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from storage.admins import AdminRepository
from storage.models import Admin, Role
from storage.types import utc_now

CLAIM_LIFETIME = timedelta(minutes=15)
CLAIM_BYTES = 16  # 128 bits
CLAIM_PREFIX = "own_"


class AdminService:
    def __init__(self, admins: AdminRepository, *, clock: Callable[[], datetime] = utc_now) -> None:
        self._admins = admins
        self._clock = clock
        self._claim: tuple[bytes, datetime] | None = None

    async def find(self, user_id: int) -> Admin | None:
        return await self._admins.get(user_id)

    async def greet(self, user_id: int, name: str) -> Admin | None:
        """The admin who writes, the name as Telegram shows it now; None: a stranger."""
        admin = await self._admins.get(user_id)
        if admin is not None and admin.name != name:
            admin = await self._admins.put(user_id, admin.role, name)
        return admin

    async def all(self) -> list[Admin]:
        return await self._admins.all()

    async def appoint(self, owner_ids: Iterable[int]) -> None:
        """ADMIN_IDS are owners, whatever the database said before. Names come when they first write."""
        for user_id in owner_ids:
            known = await self._admins.get(user_id)
            await self._admins.put(user_id, Role.OWNER, known.name if known else "")

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
