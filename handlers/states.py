"""FSM states, named after what the bot waits for."""

from aiogram.fsm.state import State, StatesGroup


class LoginForm(StatesGroup):
    api_id = State()
    api_hash = State()
    phone = State()
    code = State()
    password = State()


class ImportForm(StatesGroup):
    session = State()
    confirm = State()
    api_id = State()
    api_hash = State()


class SessionForm(StatesGroup):
    name = State()


class SourceForm(StatesGroup):
    session = State()
    channel = State()
    files = State()
    folder = State()
    schedule = State()
    cron = State()
    name = State()
    confirm = State()


class EditForm(StatesGroup):
    folder = State()
    move = State()
    names = State()
    preview = State()


class LoadForm(StatesGroup):
    channel = State()


class PeopleForm(StatesGroup):
    channels = State()
    person = State()


class PinForm(StatesGroup):
    entry = State()
