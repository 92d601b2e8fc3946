"""Sessions and what only they know: their credential, and the access hashes of those they have met."""

from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage import statements
from storage.database import Database
from storage.errors import AccountTaken, NameTaken, RowInUse, RowMissing
from storage.models import Session, SessionKind, SessionState
from storage.schema import peers, sessions, sources
from storage.statements import chunks
from storage.types import Clock, utc_now
from storage.vault import Vault, sealed_columns

SECRET = {"fingerprint", *(column.name for column in sealed_columns(sessions))}
COLUMNS = [column for column in sessions.columns if column.name not in SECRET]


class SessionRepository:
    """Changing a session that is gone changes nothing; asking it for a secret raises RowMissing."""

    def __init__(self, database: Database, vault: Vault, *, clock: Clock = utc_now) -> None:
        self._database = database
        self._vault = vault
        self._clock = clock

    async def add(
        self,
        *,
        name: str,
        user_id: int,
        account_name: str,
        username: str | None,
        masked_phone: str,
        api_id: int,
        api_hash: str,
        phone: str | None,
        credential: bytes,
        fingerprint: bytes,
        kind: SessionKind = SessionKind.USER,
        token: str | None = None,
    ) -> Session:
        """A new ACTIVE session. `credential`: packed by services; `fingerprint`: the vault's, of the auth key; `token`:
        a bot's, where it signed in with that.

        Raises NameTaken, AccountTaken (this account, or this auth key, is stored already).
        """
        now = self._clock()
        new_row = (
            insert(sessions)
            .values(
                name=name,
                user_id=user_id,
                account_name=account_name,
                username=username,
                masked_phone=masked_phone,
                api_id=api_id,
                fingerprint=fingerprint,
                kind=kind,
                state=SessionState.ACTIVE,
                checked_at=now,
                created_at=now,
                updated_at=now,
            )
            .returning(*COLUMNS)
        )
        same_account = or_(sessions.c.user_id == user_id, sessions.c.fingerprint == fingerprint)
        async with self._database.write() as connection:
            holder = await connection.scalar(select(sessions.c.name).where(same_account))
            if holder is not None:
                raise AccountTaken(holder)
            await _refuse_taken_name(connection, name)
            row = (await connection.execute(new_row)).one()
            secrets = _secrets(api_hash, credential, phone, token)
            sealed = {column: self._vault.seal("sessions", column, row.id, value) for column, value in secrets.items()}
            await connection.execute(update(sessions).where(sessions.c.id == row.id).values(**sealed))
        return _session(row)

    async def renew(
        self,
        session_id: int,
        *,
        api_id: int,
        api_hash: str,
        phone: str | None,
        masked_phone: str,
        credential: bytes,
        fingerprint: bytes,
        token: str | None = None,
    ) -> Session | None:
        """The same account signed in anew: the session is ACTIVE again and keeps its name and all that points at it.

        None: the session is gone. Raises AccountTaken when another one holds this auth key.
        """
        secrets = _secrets(api_hash, credential, phone, token)
        sealed = {column: self._vault.seal("sessions", column, session_id, value) for column, value in secrets.items()}
        now = self._clock()
        renewal = (
            update(sessions)
            .where(sessions.c.id == session_id)
            .values(
                masked_phone=masked_phone,
                api_id=api_id,
                fingerprint=fingerprint,
                state=SessionState.ACTIVE,
                state_reason=None,
                checked_at=now,
                updated_at=now,
                **sealed,
            )
            .returning(*COLUMNS)
        )
        same_key = (sessions.c.fingerprint == fingerprint) & (sessions.c.id != session_id)
        async with self._database.write() as connection:
            holder = await connection.scalar(select(sessions.c.name).where(same_key))
            if holder is not None:
                raise AccountTaken(holder)
            row = (await connection.execute(renewal)).one_or_none()
        return _session(row) if row else None

    async def get(self, session_id: int) -> Session | None:
        async with self._database.read() as connection:
            row = (await connection.execute(select(*COLUMNS).where(sessions.c.id == session_id))).one_or_none()
        return _session(row) if row else None

    async def by_user(self, user_id: int) -> Session | None:
        async with self._database.read() as connection:
            row = (await connection.execute(select(*COLUMNS).where(sessions.c.user_id == user_id))).one_or_none()
        return _session(row) if row else None

    async def by_fingerprint(self, fingerprint: bytes) -> Session | None:
        """The session that holds the auth key of this fingerprint (the vault's)."""
        query = select(*COLUMNS).where(sessions.c.fingerprint == fingerprint)
        async with self._database.read() as connection:
            row = (await connection.execute(query)).one_or_none()
        return _session(row) if row else None

    async def all(self) -> list[Session]:
        async with self._database.read() as connection:
            return await all_sessions(connection)

    async def credential(self, session_id: int) -> bytes:
        """As it was given to `add`. Raises RowMissing, CiphertextInvalid."""
        return await self._secret(session_id, "credential_sealed")

    async def api_hash(self, session_id: int) -> str:
        """Raises RowMissing, CiphertextInvalid."""
        return (await self._secret(session_id, "api_hash_sealed")).decode()

    async def phone(self, session_id: int) -> str | None:
        """None: gone, or never told. Raises CiphertextInvalid."""
        try:
            return (await self._secret(session_id, "phone_sealed")).decode()
        except RowMissing:
            return None

    async def token(self, session_id: int) -> str | None:
        """A bot's. None: gone, or it came without one. Raises CiphertextInvalid."""
        try:
            return (await self._secret(session_id, "token_sealed")).decode()
        except RowMissing:
            return None

    async def proxy(self, session_id: int) -> bytes | None:
        """As it was given to `set_proxy`. None: it has none, or is gone. Raises CiphertextInvalid."""
        try:
            return await self._secret(session_id, "proxy_sealed")
        except RowMissing:
            return None

    async def set_proxy(self, session_id: int, proxy: bytes | None) -> None:
        """`proxy`: packed by services; None: none from now on."""
        sealed = None if proxy is None else self._vault.seal("sessions", "proxy_sealed", session_id, proxy)
        await self._change(session_id, proxy_sealed=sealed)

    async def set_api(self, session_id: int, api_id: int, api_hash: str, credential: bytes, replaced: bytes) -> bool:
        """Another application. False: the session is gone, or holds another credential than the `replaced` one."""
        async with self._database.write() as connection:
            stored = await connection.scalar(select(sessions.c.credential_sealed).where(sessions.c.id == session_id))
            if stored is None or self._vault.open("sessions", "credential_sealed", session_id, stored) != replaced:
                return False
            secrets = {"api_hash_sealed": api_hash.encode(), "credential_sealed": credential}
            sealed = {name: self._vault.seal("sessions", name, session_id, value) for name, value in secrets.items()}
            await connection.execute(
                update(sessions)
                .where(sessions.c.id == session_id)
                .values(api_id=api_id, updated_at=self._clock(), **sealed)
            )
        return True

    async def set_state(
        self, session_id: int, state: SessionState, reason: str | None, checked_at: datetime | None
    ) -> None:
        """`reason`: Telegram's word for a session that is not ACTIVE. `checked_at` None: the stored one stays."""
        values: dict[str, Any] = {"state": state, "state_reason": reason}
        if checked_at is not None:
            values["checked_at"] = checked_at
        await self._change(session_id, **values)

    async def died(self, session_id: int, state: SessionState, reason: str, at: datetime) -> bool:
        """Answers whether it was ACTIVE until now: of many that find a session dead, one is the first."""
        values = {"state": state, "state_reason": reason, "checked_at": at, "updated_at": at}
        async with self._database.write() as connection:
            before = await connection.scalar(select(sessions.c.state).where(sessions.c.id == session_id))
            await connection.execute(update(sessions).where(sessions.c.id == session_id).values(**values))
        return bool(before == SessionState.ACTIVE)

    async def update_account(self, session_id: int, account_name: str, username: str | None) -> None:
        await self._change(session_id, account_name=account_name, username=username)

    async def rename(self, session_id: int, name: str) -> None:
        """Raises NameTaken."""
        async with self._database.write() as connection:
            await _refuse_taken_name(connection, name, except_id=session_id)
            await connection.execute(
                update(sessions).where(sessions.c.id == session_id).values(name=name, updated_at=self._clock())
            )

    async def use(self) -> dict[int, int]:
        """How many sources read through each session; those that none reads through are left out."""
        statement = select(sources.c.session_id, func.count()).group_by(sources.c.session_id)
        async with self._database.read() as connection:
            return {row[0]: row[1] for row in await connection.execute(statement)}

    async def delete(self, session_id: int) -> None:
        """Its peers, listings and flood waits go too. Raises RowInUse while a source reads through it."""
        async with self._database.write() as connection:
            names = await _sources_of(connection, session_id)
            if names:
                raise RowInUse("sessions", session_id, names)
            await connection.execute(delete(sessions).where(sessions.c.id == session_id))

    async def put_peers(self, session_id: int, access_hashes: dict[int, int]) -> None:
        """Access hashes by peer id, as this session was told them. The newest counts."""
        async with self._database.write() as connection:
            if await connection.scalar(select(sessions.c.id).where(sessions.c.id == session_id)) is None:
                return
            for peer_ids in chunks(list(access_hashes)):
                await self._put_peers(connection, session_id, {peer_id: access_hashes[peer_id] for peer_id in peer_ids})

    async def access_hash(self, session_id: int, peer_id: int) -> int | None:
        """None: this session never met it. Raises CiphertextInvalid."""
        return (await self.access_hashes(session_id, [peer_id])).get(peer_id)

    async def access_hashes(self, session_id: int, peer_ids: list[int]) -> dict[int, int]:
        """By peer id; those that the session never met are left out. Raises CiphertextInvalid."""
        found: dict[int, int] = {}
        async with self._database.read() as connection:
            for some_ids in chunks(peer_ids):
                rows = await connection.execute(
                    select(peers.c.id, peers.c.peer_id, peers.c.access_hash_sealed).where(
                        peers.c.session_id == session_id, peers.c.peer_id.in_(some_ids)
                    )
                )
                for row in rows:
                    plaintext = self._vault.open("peers", "access_hash_sealed", row.id, row.access_hash_sealed)
                    found[row.peer_id] = int.from_bytes(plaintext, "big", signed=True)
        return found

    async def _put_peers(self, connection: AsyncConnection, session_id: int, access_hashes: dict[int, int]) -> None:
        """Rows first: a value is sealed for the id of its row."""
        if not access_hashes:
            return
        await connection.execute(
            statements.insert(peers).on_conflict_do_nothing(),
            [{"session_id": session_id, "peer_id": peer_id} for peer_id in access_hashes],
        )
        rows = await connection.execute(
            select(peers.c.id, peers.c.peer_id).where(
                peers.c.session_id == session_id, peers.c.peer_id.in_(access_hashes)
            )
        )
        sealed = [
            {
                "row_id": row.id,
                "sealed": self._vault.seal(
                    "peers", "access_hash_sealed", row.id, access_hashes[row.peer_id].to_bytes(8, "big", signed=True)
                ),
            }
            for row in rows
        ]
        await connection.execute(
            update(peers).where(peers.c.id == bindparam("row_id")).values(access_hash_sealed=bindparam("sealed")),
            sealed,
        )

    async def _secret(self, session_id: int, column: str) -> bytes:
        async with self._database.read() as connection:
            sealed = await connection.scalar(select(sessions.c[column]).where(sessions.c.id == session_id))
        if sealed is None:
            raise RowMissing("sessions", session_id)
        return self._vault.open("sessions", column, session_id, sealed)

    async def _change(self, session_id: int, **values: Any) -> None:
        async with self._database.write() as connection:
            await connection.execute(
                update(sessions).where(sessions.c.id == session_id).values(**values, updated_at=self._clock())
            )


def _secrets(api_hash: str, credential: bytes, phone: str | None, token: str | None) -> dict[str, bytes]:
    """By column. What is None leaves what is stored."""
    secrets = {"api_hash_sealed": api_hash.encode(), "credential_sealed": credential}
    optional = {"phone_sealed": phone, "token_sealed": token}
    return secrets | {column: value.encode() for column, value in optional.items() if value is not None}


async def all_sessions(connection: AsyncConnection) -> list[Session]:
    """Oldest first."""
    return [_session(row) for row in await connection.execute(select(*COLUMNS).order_by(sessions.c.id))]


async def _refuse_taken_name(connection: AsyncConnection, name: str, except_id: int | None = None) -> None:
    """Safe from races: the caller's transaction has held the write lock from its beginning."""
    holder = await connection.scalar(select(sessions.c.id).where(sessions.c.name == name))
    if holder is not None and holder != except_id:
        raise NameTaken("sessions", name)


async def _sources_of(connection: AsyncConnection, session_id: int) -> list[str]:
    names = await connection.scalars(
        select(sources.c.name).where(sources.c.session_id == session_id).order_by(sources.c.name)
    )
    return list(names)


def _session(row: Row[Any]) -> Session:
    return Session(
        id=row.id,
        name=row.name,
        user_id=row.user_id,
        account_name=row.account_name,
        username=row.username,
        masked_phone=row.masked_phone,
        api_id=row.api_id,
        state=SessionState(row.state),
        state_reason=row.state_reason,
        checked_at=row.checked_at,
        created_at=row.created_at,
        updated_at=row.updated_at,
        kind=SessionKind(row.kind),
    )
