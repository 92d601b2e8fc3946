"""How an account becomes a session of Porter's, whichever way it came: signed in, or imported."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from services import audit
from services.clients.base import Account, Credential
from services.clients.proxy import Proxy
from services.clients.proxy import unpack as unpack_proxy
from services.credentials import masked_phone, pack, unpack
from services.errors import AccountDiffers, SessionExists
from services.outages import GoingOn
from storage.errors import AccountTaken, NameTaken
from storage.models import AuditVerb, Session, SessionKind, SessionState
from storage.sessions import SessionRepository
from storage.vault import Vault

NAME_CHARACTERS = 24
FALLBACK_NAME = "Account"


@dataclass(frozen=True, slots=True)
class SignedIn:
    """`existed`: the account was here, signed out, and works again; `going_on` is what that set free."""

    session: Session
    existed: bool
    going_on: GoingOn | None = None


OnRenewed = Callable[[int], Awaitable[GoingOn]]


class Enrolment:
    """Keeps one session an account and one an auth key."""

    def __init__(self, sessions: SessionRepository, vault: Vault, on_renewed: OnRenewed | None = None) -> None:
        """`on_renewed` hears of a session that works again, by its id."""
        self._sessions = sessions
        self._vault = vault
        self._on_renewed = on_renewed

    def fingerprint(self, auth_key: bytes) -> bytes:
        """Keyed: it tells equal keys apart from others, and nothing else."""
        return self._vault.fingerprint(auth_key)

    async def refuse_known(self, auth_key: bytes, user_id: int | None) -> None:
        """Before anything is asked of Telegram. A signed-out session of the account is no hindrance: it is renewed.

        Raises SessionExists with the name of the session that holds this key or this account.
        """
        holder = await self._sessions.by_fingerprint(self.fingerprint(auth_key))
        if holder is None and user_id is not None:
            known = await self._sessions.by_user(user_id)
            holder = known if known is not None and known.state is SessionState.ACTIVE else None
        if holder is not None:
            raise SessionExists(holder.name)

    async def proxy_of(self, user_id: int | None) -> Proxy | None:
        """Of an account that is here already, signed out: its own way, which it takes from the first connection on."""
        known = await self._sessions.by_user(user_id) if user_id is not None else None
        packed = await self._sessions.proxy(known.id) if known is not None else None
        return None if packed is None else unpack_proxy(packed)

    async def store(
        self,
        credential: Credential,
        account: Account,
        phone: str = "",
        repaired_id: int | None = None,
        *,
        token: str | None = None,
    ) -> SignedIn:
        """A new session, or the account's signed-out one renewed. `phone`: where Telegram does not tell it;
        `repaired_id`: the session that is to be repaired by this, and by no other account; `token`: of a bot.

        Raises SessionExists: an account that works here keeps the session it has. AccountDiffers.
        """
        await self._refuse_another(repaired_id, account)
        phone = account.phone or phone
        secrets: dict[str, Any] = {
            "api_id": credential.api.api_id,
            "api_hash": credential.api.api_hash,
            "phone": phone or None,
            "masked_phone": "" if account.is_bot else masked_phone(phone),
            "credential": pack(credential),
            "fingerprint": self.fingerprint(credential.auth_key),
            "token": token,
        }
        known = await self._sessions.by_user(account.user_id)
        if known is not None and known.state is SessionState.ACTIVE:
            stored = unpack(await self._sessions.credential(known.id))
            if stored.auth_key == credential.auth_key:
                return SignedIn(known, existed=False)  # stored by this very attempt, just before a kill
            raise SessionExists(known.name)
        try:
            if known is not None and (renewed := await self._sessions.renew(known.id, **secrets)) is not None:
                await audit.note(AuditVerb.SESSION_RENEW, renewed.name)
                going_on = await self._on_renewed(renewed.id) if self._on_renewed is not None else None
                return SignedIn(renewed, existed=True, going_on=going_on)
            added = await self._add(account, secrets)
            await audit.note(AuditVerb.SESSION_ADD, added.name)
            return SignedIn(added, existed=False)
        except AccountTaken as error:  # by another admin, this very second
            raise SessionExists(error.name) from error

    async def _refuse_another(self, repaired_id: int | None, account: Account) -> None:
        """A number may have gone to somebody else; the sources of the dead session want the account that they know."""
        meant = await self._sessions.get(repaired_id) if repaired_id is not None else None
        if meant is not None and meant.user_id != account.user_id:
            raise AccountDiffers(meant.name, account.name)

    async def _add(self, account: Account, secrets: dict[str, Any]) -> Session:
        """The session is called by the account's first name; a number follows when that is taken."""
        first_name = (account.name.split() or [FALLBACK_NAME])[0][:NAME_CHARACTERS]
        number = 1
        while True:
            try:
                return await self._sessions.add(
                    name=first_name if number == 1 else f"{first_name} {number}",
                    user_id=account.user_id,
                    account_name=account.name,
                    username=account.username,
                    kind=SessionKind.BOT if account.is_bot else SessionKind.USER,
                    **secrets,
                )
            except NameTaken:
                number += 1
