"""FSM states, named after what the bot waits for."""

from aiogram.fsm.state import State, StatesGroup


class LoginForm(StatesGroup):
    api_id = State()
    api_hash = State()
    phone = State()
    code = State()
    qr = State()
    password = State()


class ImportForm(StatesGroup):
    session = State()
    confirm = State()
    api_id = State()
    api_hash = State()


class BotForm(StatesGroup):
    api_id = State()
    api_hash = State()
    token = State()
    confirm = State()


class SessionForm(StatesGroup):
    name = State()
    api_id = State()
    api_hash = State()
    proxy = State()
    passphrase = State()
    passphrase_again = State()


class OpenList(StatesGroup):
    """No conversation: a list is on the screen, and what is typed searches it."""

    accounts = State()
    channels = State()
    sources = State()
    several = State()
    chosen = State()
    runs = State()
    waiting = State()


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
    name = State()
    account = State()
    schedule = State()
    schedule_preview = State()
    zone = State()
    api_id = State()
    api_hash = State()


class ManyForm(StatesGroup):
    folder = State()


class DefaultsForm(StatesGroup):
    folder = State()
    names = State()


class FilterForm(StatesGroup):
    menu = State()
    size = State()
    words = State()
    dates = State()
    endings = State()


class StartForm(StatesGroup):
    start = State()
    count = State()
    date = State()
    confirm = State()


class LoadForm(StatesGroup):
    channel = State()
    count = State()
    link = State()


class RuleForm(StatesGroup):
    menu = State()
    words = State()
    bio = State()


class GreetingForm(StatesGroup):
    text = State()


class ListForm(StatesGroup):
    words = State()
    bio = State()


class PeopleForm(StatesGroup):
    channels = State()
    person = State()


class SettingsForm(StatesGroup):
    zone = State()


class PinForm(StatesGroup):
    entry = State()
