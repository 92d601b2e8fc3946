"""Telegram's error words -> our errors. The one table that both adapters use.

An adapter takes word, code and seconds out of its library's exception and raises what `translate` gives, `from` that
exception. Our errors carry Telegram's word at most: never a request, and so never a number, code or password.
Words: https://core.telegram.org/api/errors and the methods' own pages.
"""

import asyncio
from datetime import timedelta

from services import errors
from storage.types import utc_now


class PaceWait(Exception):
    """FLOOD_PREMIUM_WAIT: Telegram spaces our parts out. No error: services/clients/pacing.py waits and repeats."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"wait {seconds} s before the next part")
        self.seconds = seconds


BANNED = frozenset({"USER_DEACTIVATED", "USER_DEACTIVATED_BAN", "PHONE_NUMBER_BANNED"})

WORDS: dict[str, type[errors.PorterError]] = {
    # the session; every other 401 as well (below)
    "AUTH_KEY_DUPLICATED": errors.SessionDead,
    "AUTH_KEY_NOT_FOUND": errors.SessionDead,  # the transport's -404
    # channels
    "CHANNEL_PRIVATE": errors.ChannelUnavailable,
    "CHANNEL_INVALID": errors.ChannelUnavailable,
    "CHAT_ID_INVALID": errors.ChannelUnavailable,
    "CHAT_FORBIDDEN": errors.ChannelUnavailable,
    "PEER_ID_INVALID": errors.ChannelUnavailable,
    "CHANNEL_PUBLIC_GROUP_NA": errors.ChannelUnavailable,
    "USER_BANNED_IN_CHANNEL": errors.ChannelUnavailable,
    "USERNAME_NOT_OCCUPIED": errors.ChannelNotFound,
    "USERNAME_INVALID": errors.ChannelNotFound,
    "CHAT_ADMIN_REQUIRED": errors.RightMissing,
    "CHAT_ADMIN_INVITE_REQUIRED": errors.RightMissing,
    "RIGHT_FORBIDDEN": errors.RightMissing,
    # invite links
    "INVITE_HASH_EXPIRED": errors.InviteInvalid,
    "INVITE_HASH_INVALID": errors.InviteInvalid,
    "INVITE_HASH_EMPTY": errors.InviteInvalid,
    "INVITE_REQUEST_SENT": errors.JoinAsked,
    # bots
    "BOT_METHOD_INVALID": errors.AccountRequired,
    "ACCESS_TOKEN_INVALID": errors.TokenInvalid,
    "ACCESS_TOKEN_EXPIRED": errors.TokenInvalid,
    # files
    "FILE_REFERENCE_EXPIRED": errors.FileReferenceExpired,
    "FILE_REFERENCE_INVALID": errors.FileReferenceExpired,
    "FILE_REFERENCE_EMPTY": errors.FileReferenceExpired,
    "FILEREF_UPGRADE_NEEDED": errors.FileReferenceExpired,
    "FILE_ID_INVALID": errors.FileGone,
    "LOCATION_INVALID": errors.FileGone,
    "MESSAGE_ID_INVALID": errors.FileGone,
    "MSG_ID_INVALID": errors.FileGone,
    # join requests
    "HIDE_REQUESTER_MISSING": errors.RequestGone,
    "INPUT_USER_DEACTIVATED": errors.RequestGone,
    "USER_ID_INVALID": errors.RequestGone,
    "USER_ALREADY_PARTICIPANT": errors.AlreadyMember,
    "USER_CHANNELS_TOO_MUCH": errors.StaysPending,
    "CHANNELS_TOO_MUCH": errors.StaysPending,
    "USERS_TOO_MUCH": errors.StaysPending,
    # logging in
    "API_ID_INVALID": errors.ApiCredentialsInvalid,
    "CONNECTION_API_ID_INVALID": errors.ApiCredentialsInvalid,
    "API_ID_PUBLISHED_FLOOD": errors.ApiCredentialsInvalid,
    "PHONE_NUMBER_INVALID": errors.PhoneInvalid,
    "PHONE_NUMBER_BANNED": errors.PhoneBanned,
    "PHONE_NUMBER_UNOCCUPIED": errors.PhoneUnregistered,
    "PHONE_NUMBER_APP_SIGNUP_FORBIDDEN": errors.PhoneUnregistered,
    "PHONE_NUMBER_FLOOD": errors.PhoneFlood,
    "PHONE_PASSWORD_FLOOD": errors.PhoneFlood,
    "PHONE_CODE_INVALID": errors.CodeInvalid,
    "PHONE_CODE_EMPTY": errors.CodeInvalid,
    "EMAIL_VERIFY_INVALID": errors.CodeInvalid,
    "CODE_INVALID": errors.CodeInvalid,
    "PHONE_CODE_EXPIRED": errors.CodeExpired,
    "PHONE_CODE_HASH_EMPTY": errors.CodeExpired,
    "EMAIL_VERIFY_EXPIRED": errors.CodeExpired,
    "SEND_CODE_UNAVAILABLE": errors.ResendUnavailable,
    "PASSWORD_HASH_INVALID": errors.PasswordInvalid,
    # Telegram's own trouble that comes without a 5xx
    "RPC_CALL_FAIL": errors.Unreachable,
    "RPC_MCGET_FAIL": errors.Unreachable,
    "TIMEOUT": errors.Unreachable,
}


def translate(word: str, code: int, seconds: int = 0) -> errors.PorterError | PaceWait:
    """`word` with its number blanked out (FLOOD_WAIT_X), `seconds` that number."""
    if word.startswith("FLOOD_PREMIUM_WAIT"):
        return PaceWait(max(1, seconds))
    if "_WAIT_" in word and abs(code) == 420:
        # FLOOD_WAIT_0 occurs; repeated at once it would only make the next wait longer.
        return errors.FloodWait(utc_now() + timedelta(seconds=max(1, seconds)))
    kind = WORDS.get(word)
    if kind is errors.SessionDead or (kind is None and abs(code) == 401):
        return errors.SessionDead(word, is_banned=word in BANNED)
    if kind is errors.Unreachable or (kind is None and abs(code) >= 500):
        return errors.Unreachable(word, is_answer=True)
    return kind(word) if kind is not None else errors.TelegramRefused(word)


def lost_connection(error: BaseException) -> errors.Unreachable:
    """For the exceptions that both libraries raise when there is no answer. Their texts may name an address."""
    return errors.Unreachable(type(error).__name__)


def is_being_cancelled() -> bool:
    """Whether our own task is cancelled. Telethon *cancels* the answers it still owes when a client is closed, so a
    CancelledError out of a library may be nothing but a lost connection."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
