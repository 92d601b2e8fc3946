"""What an unfinished login can wait for, as data: for the screens, and for whoever goes on with it."""

from dataclasses import dataclass, field
from datetime import datetime

from services.clients.base import CodeKind, LoginToken
from services.credentials import masked_phone
from services.enrolment import SignedIn
from services.login_payload import LoginPayload
from storage.models import LoginAttempt, LoginStep


@dataclass(frozen=True, slots=True)
class CodeWanted:
    """`length`: digits, None where the kind has none. `detail`: where it went, as far as Telegram says so. `next_kind`:
    what a resend would bring, from `resend_at` on. `is_void`: a new code must be sent.
    """

    attempt_id: int
    admin_id: int
    masked_phone: str
    kind: CodeKind
    length: int | None
    detail: str | None
    next_kind: CodeKind | None
    resend_at: datetime | None
    is_void: bool
    deadline: datetime


@dataclass(frozen=True, slots=True)
class QrWanted:
    """A QR code is to be scanned. `link`: what it carries, good for `seconds`: a secret, for a picture alone. None: no
    code is known in this process, `LoginService.scan` asks for one. `by_number`: whether a code to the number would do
    as well. `session_id`: the dead session to be repaired.
    """

    attempt_id: int
    admin_id: int
    by_number: bool
    session_id: int | None
    deadline: datetime
    link: str | None = field(default=None, repr=False)
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class PasswordWanted:
    """`masked_phone`: None where a QR code was scanned."""

    attempt_id: int
    admin_id: int
    hint: str | None
    masked_phone: str | None
    deadline: datetime


LoginState = CodeWanted | QrWanted | PasswordWanted | SignedIn


def state_of(attempt: LoginAttempt, payload: LoginPayload) -> CodeWanted | QrWanted | PasswordWanted:
    """What lies in the row."""
    match attempt.step:
        case LoginStep.CODE:
            return code_wanted(attempt, payload)
        case LoginStep.QR:
            return qr_wanted(attempt, payload)
        case LoginStep.PASSWORD:
            return password_wanted(attempt, payload)


def code_wanted(attempt: LoginAttempt, payload: LoginPayload) -> CodeWanted:
    return CodeWanted(
        attempt_id=attempt.id,
        admin_id=attempt.admin_id,
        masked_phone=masked_phone(payload.phone),
        kind=payload.kind,
        length=payload.length,
        detail=payload.detail,
        next_kind=payload.next_kind,
        resend_at=payload.resend_at,
        is_void=payload.is_code_void,
        deadline=attempt.deadline,
    )


def qr_wanted(attempt: LoginAttempt, payload: LoginPayload, token: LoginToken | None = None) -> QrWanted:
    by_number = payload.session_id is None or bool(payload.phone)
    link, seconds = (token.link, token.seconds) if token is not None else (None, 0.0)
    return QrWanted(attempt.id, attempt.admin_id, by_number, payload.session_id, attempt.deadline, link, seconds)


def password_wanted(attempt: LoginAttempt, payload: LoginPayload) -> PasswordWanted:
    number = masked_phone(payload.phone) if payload.phone else None
    return PasswordWanted(attempt.id, attempt.admin_id, payload.hint, number, attempt.deadline)
