"""Under admins, the PIN's keypad and the audit."""

from collections.abc import Sequence

from aiogram.types import (
    InlineKeyboardMarkup,
    KeyboardButton,
    KeyboardButtonRequestUsers,
    ReplyKeyboardMarkup,
)

from handlers.callbacks import (
    AuditPick,
    ChannelPick,
    Go,
    PersonAction,
    PersonVerb,
    PinAction,
    PinKey,
    PinVerb,
    Place,
    SafetyAction,
    SafetyVerb,
    Settle,
)
from handlers.keyboards.base import Row, button, home_key, home_row, markup, turning, window
from handlers.texts import Texts
from services.audit import AuditPage
from storage.models import Admin, Channel, Role

PICK_PERSON = 1
"""request_id of the picker: there is one."""
FILTERS = 6
"""People in the filter: whoever did something last."""


def listing(texts: Texts, people: Sequence[Admin], page: int) -> InlineKeyboardMarkup:
    labels = texts.labels
    return markup(
        *[
            [button(texts.people.label(row), PersonAction(verb=PersonVerb.SHOW, id=row.user_id))]
            for row in window(people, page)
        ],
        turning(texts, page, len(people), (Go(to=Place.ADMINS, page=n) for n in (page - 1, page + 1))),
        [button(labels.add_admin, PersonAction(verb=PersonVerb.SHOW))],
        [button(labels.my_pin, Go(to=Place.SAFETY)), button(labels.audit, Go(to=Place.AUDIT))],
        home_row(texts),
    )


def card(texts: Texts, person: Admin, *, for_good: bool, has_pin: bool) -> InlineKeyboardMarkup:
    def act(verb: PersonVerb) -> PersonAction:
        return PersonAction(verb=verb, id=person.user_id)

    labels = texts.labels
    others: Row = [
        button(label, act(verb))
        for role, label, verb in (
            (Role.OWNER, labels.make_owner, PersonVerb.OWNER),
            (Role.APPROVER, labels.make_approver, PersonVerb.APPROVER),
            (Role.VIEWER, labels.make_viewer, PersonVerb.VIEWER),
        )
        if role is not person.role
    ]
    return markup(
        [button(labels.channels, act(PersonVerb.CHANNELS))] if person.role is Role.APPROVER else [],
        [] if for_good else others,
        [button(labels.clear_pin, act(PersonVerb.CLEAR_PIN))] if has_pin else [],
        [] if for_good else [button(labels.remove, act(PersonVerb.REMOVE), "danger")],
        home_row(texts, Go(to=Place.ADMINS)),
    )


def roles(texts: Texts) -> InlineKeyboardMarkup:
    labels = texts.labels
    return markup(
        [button(labels.as_approver, PersonAction(verb=PersonVerb.APPROVER))],
        [
            button(labels.as_viewer, PersonAction(verb=PersonVerb.VIEWER)),
            button(labels.as_owner, PersonAction(verb=PersonVerb.OWNER)),
        ],
        home_row(texts, Go(to=Place.ADMINS)),
    )


def channels(texts: Texts, known: Sequence[Channel], chosen: set[int], page: int) -> InlineKeyboardMarkup:
    return markup(
        *[
            [button(f"{'✅' if row.id in chosen else '▫️'} {row.title}", ChannelPick(channel=row.id, page=page))]
            for row in window(known, page)
        ],
        turning(texts, page, len(known), (ChannelPick(page=n) for n in (page - 1, page + 1))),
        [button(texts.labels.done, PersonAction(verb=PersonVerb.CHOSEN), "primary")]
        if known
        else [button(texts.labels.connect, Go(to=Place.CONNECT))],
        home_row(texts, Go(to=Place.ADMINS)),
    )


def pick_person(texts: Texts) -> ReplyKeyboardMarkup:
    """Telegram's own picker, which shows people alone."""
    request = KeyboardButtonRequestUsers(
        request_id=PICK_PERSON, user_is_bot=False, max_quantity=1, request_name=True, request_username=True
    )
    return ReplyKeyboardMarkup(
        keyboard=[[KeyboardButton(text=texts.labels.choose_person, request_users=request)], home_key(texts)],
        resize_keyboard=True,
        one_time_keyboard=True,
    )


def settle(texts: Texts, confirmation: int, *, danger: bool) -> InlineKeyboardMarkup:
    yes = button(texts.labels.settle, Settle(id=confirmation), "danger" if danger else "success")
    return markup([yes], home_row(texts, Go(to=Place.ADMINS)))


def clear_pin(texts: Texts, person: Admin) -> InlineKeyboardMarkup:
    surely = PersonAction(verb=PersonVerb.CLEAR_PIN_SURELY, id=person.user_id)
    back = PersonAction(verb=PersonVerb.SHOW, id=person.user_id)
    return markup([button(texts.labels.settle, surely, "danger")], home_row(texts, back))


def settled(texts: Texts, *, is_owner: bool) -> InlineKeyboardMarkup:
    return markup(home_row(texts, Go(to=Place.ADMINS) if is_owner else None))


# -- PIN


def keypad(texts: Texts, pad: int, slots: str, *, submit: bool) -> InlineKeyboardMarkup:
    """`slots`: the digit of each slot; a press tells the slot alone."""
    labels = texts.labels
    keys = {digit: button(digit, PinKey(pad=pad, slot=slot)) for slot, digit in enumerate(slots)}
    bottom = [button(labels.backspace, PinAction(pad=pad, verb=PinVerb.BACKSPACE)), keys["0"]]
    if submit:
        bottom.append(button(labels.submit, PinAction(pad=pad, verb=PinVerb.SUBMIT), "success"))
    rows = [[keys[digit] for digit in row] for row in ("123", "456", "789")]
    cancel = button(labels.cancel, PinAction(pad=pad, verb=PinVerb.QUIT))
    return markup(*rows, bottom, [cancel, *home_row(texts)])


def safety(texts: Texts, *, has: bool) -> InlineKeyboardMarkup:
    labels = texts.labels
    back = Go(to=Place.ADMINS)
    if not has:
        return markup([button(labels.set_pin, SafetyAction(verb=SafetyVerb.SET))], home_row(texts, back))
    return markup(
        [button(labels.change_pin, SafetyAction(verb=SafetyVerb.SET))],
        [button(labels.remove_pin, SafetyAction(verb=SafetyVerb.REMOVE), "danger")],
        home_row(texts, back),
    )


# -- audit


def audit(texts: Texts, shown: AuditPage, of: int) -> InlineKeyboardMarkup:
    """Pages, then who: one person at a tap, everybody again at another. `of`: whose lines are shown, 0: everybody."""
    people = [
        button(name or str(person), AuditPick(person=person))
        for person, name in list(shown.people.items())[:FILTERS]
        if person != of
    ]
    if of:
        people.insert(0, button(texts.labels.everybody, AuditPick()))
    pairs = [people[start : start + 2] for start in range(0, len(people), 2)] if of or len(people) > 1 else []
    turned = (AuditPick(person=of, page=page) for page in (shown.page - 1, shown.page + 1))
    return markup(turning(texts, shown.page, shown.count, turned), *pairs, home_row(texts, Go(to=Place.ADMINS)))
