"""What lies sealed beside an unfinished login: all that the next step needs, in whichever process it is taken."""

import json
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from services.clients.base import CodeKind, Credential, SentCode
from services.credentials import pack, unpack


@dataclass(frozen=True, slots=True)
class LoginPayload:
    """`phone`: with a plus; empty where a QR code takes its place. `code_hash`, `kind` to `resend_at`, `detail`: of the
    newest code, empty before the first. `is_code_void`: burnt or too late, as Telegram has said. `hint`: of the
    password. `session_id`: the dead session that this login is to repair.
    """

    phone: str
    credential: Credential
    code_hash: str = ""
    kind: CodeKind = CodeKind.APP
    length: int | None = None
    next_kind: CodeKind | None = None
    resend_at: datetime | None = None
    is_code_void: bool = False
    hint: str | None = None
    detail: str | None = None
    session_id: int | None = None

    def __repr__(self) -> str:
        return f"LoginPayload(kind={self.kind})"

    def with_code(self, sent: SentCode, credential: Credential, now: datetime) -> "LoginPayload":
        wait = sent.resend_after_seconds
        return replace(
            self,
            credential=credential,
            code_hash=sent.code_hash,
            kind=sent.kind,
            length=sent.length,
            next_kind=sent.next_kind,
            detail=sent.detail,
            resend_at=None if wait is None else now + timedelta(seconds=wait),
            is_code_void=False,
        )

    def pack(self) -> bytes:
        fields = asdict(self)
        fields["credential"] = pack(self.credential).decode()
        fields["resend_at"] = self.resend_at.isoformat() if self.resend_at else None
        return json.dumps(fields).encode()

    @classmethod
    def unpack(cls, packed: bytes) -> "LoginPayload":
        fields: dict[str, Any] = json.loads(packed)
        next_kind, resend_at = fields["next_kind"], fields["resend_at"]
        fields |= {
            "credential": unpack(fields["credential"].encode()),
            "kind": CodeKind(fields["kind"]),
            "next_kind": CodeKind(next_kind) if next_kind else None,
            "resend_at": datetime.fromisoformat(resend_at) if resend_at else None,
        }
        return cls(**fields)
