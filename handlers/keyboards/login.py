"""The keypad, and the ways out of a login."""

from aiogram.types import InlineKeyboardMarkup, KeyboardButton, ReplyKeyboardMarkup

from handlers.callbacks import Go, Key, KeyAction, KeyVerb, Place, SessionAction, SessionVerb
from handlers.keyboards.base import Row, button, home_key, home_row, markup
from handlers.texts import Texts
from services.login_steps import QrWanted
from storage.models import Session, SessionKind


def share_number(texts: Texts) -> ReplyKeyboardMarkup:
    return ReplyKeyboardMarkup(
        keyboard=[
            [KeyboardButton(text=texts.labels.share_number, request_contact=True)],
            [KeyboardButton(text=texts.labels.second_screen)],
            [KeyboardButton(text=texts.labels.have_token)],
            home_key(texts),
        ],
        resize_keyboard=True,
        one_time_keyboard=True,
    )


def keypad(texts: Texts, attempt: int, slots: str, *, submit: bool, resend: bool) -> InlineKeyboardMarkup:
    """Digits 1-9 and 0 in their usual places. `slots`: the digit of each slot; a press tells the slot alone."""
    keys = {digit: button(digit, Key(attempt=attempt, slot=slot)) for slot, digit in enumerate(slots)}
    labels = texts.labels
    bottom = [button(labels.backspace, KeyAction(attempt=attempt, verb=KeyVerb.BACKSPACE)), keys["0"]]
    if submit:
        bottom.append(button(labels.submit, KeyAction(attempt=attempt, verb=KeyVerb.SUBMIT), "success"))
    rows = [[keys[digit] for digit in row] for row in ("123", "456", "789")]
    return markup(*rows, bottom, *_login_ways_out(texts, attempt, resend=resend))


def no_keypad(texts: Texts, attempt: int, *, resend: bool) -> InlineKeyboardMarkup:
    return markup(*_login_ways_out(texts, attempt, resend=resend))


def new_code(texts: Texts, attempt: int) -> InlineKeyboardMarkup:
    again = button(texts.labels.new_code, KeyAction(attempt=attempt, verb=KeyVerb.RESEND))
    return markup([again], _second_screen(texts, attempt), _start_over(texts))


def _login_ways_out(texts: Texts, attempt: int, *, resend: bool) -> list[Row]:
    again = [button(texts.labels.resend, KeyAction(attempt=attempt, verb=KeyVerb.RESEND))] if resend else []
    return [again, _second_screen(texts, attempt), _start_over(texts)]


def _second_screen(texts: Texts, attempt: int) -> Row:
    return [button(texts.labels.second_screen, KeyAction(attempt=attempt, verb=KeyVerb.QR))]


def _start_over(texts: Texts) -> Row:
    return [button(texts.labels.start_over, Go(to=Place.LOGIN)), button(texts.labels.home, Go(to=Place.HOME))]


def password(texts: Texts) -> InlineKeyboardMarkup:
    return markup(_start_over(texts))


def scan(texts: Texts, wanted: QrWanted) -> InlineKeyboardMarkup:
    number = button(texts.labels.use_number, KeyAction(attempt=wanted.attempt_id, verb=KeyVerb.NUMBER))
    return markup([number] if wanted.by_number else [], home_row(texts))


def scan_over(texts: Texts, repaired: int | None) -> InlineKeyboardMarkup:
    """`repaired`: the dead session that was to be signed in again."""
    labels = texts.labels
    if repaired is not None:
        return markup(
            [button(labels.sign_in_again, SessionAction(verb=SessionVerb.SIGN_IN, id=repaired))], home_row(texts)
        )
    again, number = button(labels.new_qr, Go(to=Place.LOGIN_QR)), button(labels.use_number, Go(to=Place.LOGIN))
    return markup([again], [number], home_row(texts))


def signed_in(texts: Texts, session: Session, *, again: bool) -> InlineKeyboardMarkup:
    """A new account wants work; one that is back has its own."""
    labels = texts.labels
    if again:
        return markup([button(labels.saved, Go(to=Place.SOURCES))], home_row(texts))
    return markup(
        [button(labels.save_channels, Go(to=Place.ADD_SOURCE))],
        [button(labels.load, Go(to=Place.LOAD))] if session.kind is SessionKind.USER else [],
        [
            button(labels.channels, SessionAction(verb=SessionVerb.CHANNELS, id=session.id)),
            button(labels.rename, SessionAction(verb=SessionVerb.RENAME, id=session.id)),
        ],
        home_row(texts),
    )
