"""The worlds that the sandbox starts with: `harbour`, at the size of real work, and `jetty`, the same in small.

Everything is a function of the scenario's name: ids, order, bytes, names. Dates are fixed offsets from the start of
the current day (UTC), so that join requests are as fresh as in life and still lie in the same order at each start.
"""

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass

from sandbox.names import BIOS, CROWD_BIO, CROWD_NAME, CROWD_USERNAME, PEOPLE, SURNAMES
from sandbox.world import (
    Account,
    Channel,
    Document,
    Link,
    MediaKind,
    Membership,
    Message,
    Request,
    World,
    bot_token,
    peer_of_channel,
    stable_int,
)

DAY = 86_400
HOUR = 3_600
MIB = 1024 * 1024

ADMIN, SECOND, THIRD, BOT = 5_100_000_001, 5_100_000_002, 5_100_000_003, 7_100_000_001
ARCHIVE, NEWS, GROUP = 2_100_000_001, 2_100_000_002, 2_100_000_003
FIRST_EXTRA = 5_200_000_000
"""Accounts that are added while it runs."""
FIRST_PERSON = 6_200_000_000
FIRST_BOT = 7_200_000_001
"""Bots that are added while it runs."""
FIRST_DOCUMENT = 5_400_000_000_000_001
LINK_HASHES = {ARCHIVE: "hArB0urArch1ve", GROUP: "hArB0urCr3w"}
SECOND_LINK = "https://t.me/+hArB0urF1yer"
"""A second invite link of the group: some of the waiting people came by it."""
CROWD_STEP_S = 15


@dataclass(frozen=True)
class Files:
    """How many of a kind of file, and between which sizes their bytes lie."""

    count: int
    suffix: str
    mime: str
    kind: MediaKind
    smallest: int
    largest: int


@dataclass(frozen=True)
class Size:
    """The dimensions of a scenario. `large`: the exact sizes of the files that stand out, the rest share `total`.

    `crowd`: those of the waiting people who are of one make, by their places counted from the newest; `marked` of them
    are known as scam or fake.
    """

    posts: int
    public_posts: int
    group_messages: int
    requests: int
    members: int
    files: tuple[Files, ...]
    large: tuple[int, ...]
    total: int
    crowd: range = range(0)
    marked: int = 0


HARBOUR = Size(
    posts=1000,
    public_posts=320,
    group_messages=60,
    requests=2500,
    members=45,
    files=(
        Files(46, "pdf", "application/pdf", "document", 30_000, 1_900_000),
        Files(22, "zip", "application/zip", "document", 60_000, 2_900_000),
        Files(26, "jpg", "image/jpeg", "photo", 40_000, 420_000),
        Files(6, "jpg", "image/jpeg", "document", 300_000, 2_400_000),
        Files(20, "mp3", "audio/mpeg", "audio", 600_000, 3_600_000),
    ),
    large=(38 * MIB + 77, 21 * MIB, 16 * MIB + 4096, 9 * MIB + 1, 6 * MIB + 500_001),
    total=150 * MIB,
    crowd=range(630, 810),
    marked=12,
)

JETTY = Size(
    posts=20,
    public_posts=12,
    group_messages=5,
    requests=30,
    members=3,
    files=(
        Files(3, "pdf", "application/pdf", "document", 9_000, 60_000),
        Files(2, "zip", "application/zip", "document", 9_000, 60_000),
        Files(2, "jpg", "image/jpeg", "photo", 9_000, 40_000),
        Files(1, "mp3", "audio/mpeg", "audio", 20_000, 90_000),
    ),
    large=(2 * MIB + 300_077,),
    total=2 * MIB + 600_000,
)

SIZES = {"harbour": HARBOUR, "jetty": JETTY}

SUBJECTS = (
    "Tide tables", "Berth plan", "Crane inspection", "Pilot roster", "Customs notice", "Ferry timetable",
    "Dredging works", "Storm warning", "Container count", "Safety drill", "Fuel prices", "Harbour dues",
)  # fmt: skip
REMARKS = (
    "as discussed this morning",
    "please read before Friday",
    "corrected version",
    "с поправками",
    "下週更新",
    "see also the public channel",
    "the last page is new",
    "für alle Schichten",
)
TITLES = ("Low Water", "Night Shift", "Foghorn", "Harbour Song", "Ebb")
HOSTILE_NAMES = ("../../outside.pdf", "minutes/2026\\05.pdf", "CON.pdf", "Отчёт " + "о" * 110 + ".pdf", "😀 plan?.pdf")
"""Names as people really send them, and as nobody should trust them."""


def build(name: str) -> World:
    """The world of that scenario. Raises KeyError for a name that there is not."""
    size = SIZES[name]
    world = World(scenario=name, admin_id=ADMIN)
    today = int(time.time()) // DAY * DAY
    _add_accounts(world)
    _add_archive(world, size, today)
    _add_news(world, size, today)
    _add_group(world, size, today)
    return world


def _add_accounts(world: World) -> None:
    for account in (
        Account(
            ADMIN, "Anna", "Berg", "anna_berg", "+15550100101",
            bio="Harbour office", password="lighthouse 1907", password_hint="the tower, and when it was built",
            api_id=2_100_101, api_hash=_api_hash(ADMIN), has_photo=True,
        ),
        Account(
            SECOND, "Boris", "Klein", None, "+15550100102", api_id=2_100_102, api_hash=_api_hash(SECOND),
        ),
        Account(
            THIRD, "Clara", "Önder", "clara_o", "+15550100103",
            password="ankerplatz", password_hint="where ships rest",
            api_id=2_100_103, api_hash=_api_hash(THIRD), premium=True,
        ),
        Account(
            BOT, "Porter", username="harbour_porter_bot", is_bot=True,
            token=bot_token(BOT),
        ),
    ):  # fmt: skip
        world.accounts[account.id] = account


def add_accounts(world: World, count: int) -> list[Account]:
    """More accounts with a phone and no password, who read the public channels."""
    first = FIRST_EXTRA + sum(FIRST_EXTRA <= account_id < FIRST_PERSON for account_id in world.accounts)
    added = [
        Account(
            account_id, f"Extra {account_id - FIRST_EXTRA + 1}", phone=f"+1555{account_id - FIRST_EXTRA:07d}",
            api_id=2_200_000 + account_id - FIRST_EXTRA, api_hash=_api_hash(account_id),
        )
        for account_id in range(first, first + count)
    ]  # fmt: skip
    for account in added:
        world.accounts[account.id] = account
        for channel in world.channels.values():
            if channel.username is not None:
                channel.members[account.id] = Membership(account.id, world.now())
    world.touch()
    return added


def add_bot(world: World, name: str, *administers: Channel) -> Account:
    """One more bot, an administrator of these channels who may let nobody in. Nobody polls for it."""
    bot_id = next(each for each in range(FIRST_BOT, FIRST_BOT + 1000) if each not in world.accounts)
    bot = Account(bot_id, name, username=f"{name.lower()}_bot", is_bot=True, token=bot_token(bot_id))
    world.accounts[bot_id] = bot
    for channel in administers:
        channel.members[bot_id] = Membership(bot_id, world.now(), "admin")
    world.touch()
    return bot


def _api_hash(account_id: int) -> str:
    return f"{stable_int('api_hash', account_id):016x}{stable_int('api_hash', account_id, 2):016x}"


def _own(world: World, channel: Channel) -> Channel:
    """Put the channel into the world, created by the admin."""
    channel.invite_hash = LINK_HASHES.get(channel.id, "")
    channel.members[ADMIN] = Membership(ADMIN, channel.created, "creator", may_invite=True)
    world.channels[channel.id] = channel
    return channel


def _put(channel: Channel, message: Message) -> Message:
    """A message of the past: no listener hears of it."""
    channel.messages[message.id] = message
    channel.next_message_id = message.id + 1
    channel.pts += 1
    return message


# The private channel ----------------------------------------------------------------------------------------------


def _add_archive(world: World, size: Size, today: int) -> None:
    """`size.posts` posts that are there, with gaps between them where something was deleted."""
    chance = random.Random("archive")
    spacing = 200 * DAY // size.posts
    created = today - 201 * DAY
    about = "Plans, tables and recordings. Members only."
    channel = _own(world, Channel(ARCHIVE, "Harbour Archive", created=created, about=about))
    channel.members[SECOND] = Membership(SECOND, created + DAY)
    peer = channel.peer

    documents = _documents(size)
    every = size.posts // len(documents)
    # Message 1 was "channel created", as everywhere; somebody has deleted it, and others since.
    gap = Message(1, peer, peer, created, deleted=True, action="channel_create", version=1)
    _put(channel, gap)
    for number in range(size.posts):
        # Now and then, two posts of one and the same second.
        date = today - 200 * DAY + (number - (number % 31 == 30)) * spacing
        if number % 90 == 17:
            _put(channel, Message(channel.next_message_id, peer, peer, date, deleted=True, version=1))
        message = Message(channel.next_message_id, peer, peer, date, _post_text(chance, number))
        if number % every == every - 1 and documents:
            message.document = documents.pop()
            if number % 3 == 0:
                message.text = ""
        elif number % 40 == 8:
            message.text = f"Notice {number}: full text at https://example.org/notices/{number}"
            link_at = message.text.index("https")
            message.entities = [
                {"type": "bold", "offset": 0, "length": 6},
                {"type": "url", "offset": link_at, "length": len(message.text) - link_at},
            ]
        elif number % 40 == 21:
            message.forward = {"peer": peer_of_channel(NEWS), "id": 2 + number % size.public_posts, "date": date - HOUR}
        if number % 25 == 4:
            message.edited, message.version = date + HOUR, 1
        _put(channel, message)


def _post_text(chance: random.Random, number: int) -> str:
    subject = SUBJECTS[chance.randrange(len(SUBJECTS))]
    remark = REMARKS[chance.randrange(len(REMARKS))]
    lines = [f"{subject} no. {number}, {remark}."]
    if number % 7 == 0:
        quay = 1 + number % 8
        lines.append(f"Quay {quay} <closed> & quay {quay + 1} open until {chance.randrange(6, 23)}:00 ⚓")
    return "\n".join(lines)


def _documents(size: Size) -> list[Document]:
    """The files in posting order. The large ones stand at fixed places; the rest is scaled to meet the total."""
    chance = random.Random("documents")
    plan = [files for files in size.files for _ in range(files.count)]
    weights = [chance.randrange(files.smallest, files.largest) for files in plan]
    large_at = _spread(len(plan), len(size.large), plan)
    for place, size_bytes in zip(large_at, size.large, strict=True):
        weights[place] = size_bytes
    small = [place for place in range(len(plan)) if place not in large_at]
    left = size.total - sum(size.large)
    scale = left / sum(weights[place] for place in small)
    for place in small:
        weights[place] = max(1, int(weights[place] * scale))
    weights[small[0]] += left - sum(weights[place] for place in small)
    documents = [
        _document(FIRST_DOCUMENT + place, place, files, weight)
        for place, (files, weight) in enumerate(zip(plan, weights, strict=True))
    ]
    chance.shuffle(documents)
    return documents


def _spread(count: int, wanted: int, plan: list[Files]) -> set[int]:
    """Places of zips and pdfs, evenly apart: photos and songs are never that large."""
    fit = [place for place in range(count) if plan[place].kind == "document" and plan[place].suffix in ("zip", "pdf")]
    return {fit[number * len(fit) // wanted] for number in range(wanted)}


def _document(document_id: int, number: int, files: Files, size_bytes: int) -> Document:
    document = Document(document_id, "", files.mime, size_bytes, files.kind, dc_id=2 if number % 3 == 0 else 4)
    subject = SUBJECTS[number % len(SUBJECTS)].lower().replace(" ", "-")
    document.name = f"{subject}-{number:03d}.{files.suffix}"
    if files.suffix == "pdf" and number >= len(HOSTILE_NAMES) * 2 and number % 4 == 0:
        document.name = "report.pdf"  # again and again, as people do
    elif files.suffix == "pdf" and 4 <= number < 4 + len(HOSTILE_NAMES):
        document.name = HOSTILE_NAMES[number - 4]
    if files.kind == "photo":
        document.width, document.height = 1280, 720 + 40 * (number % 8)
    elif files.kind == "audio":
        document.name = f"{TITLES[number % len(TITLES)]} {number:03d}.mp3"
        document.duration = 30 + size_bytes // 16_000
    return document


# The public channel and the group ---------------------------------------------------------------------------------


def _add_news(world: World, size: Size, today: int) -> None:
    chance = random.Random("news")
    created = today - 400 * DAY
    about = "What moves in the harbour. For everyone."
    channel = _own(world, Channel(NEWS, "Harbour News", "harbour_news", created=created, about=about))
    channel.extra_members = 12_340
    for user in (SECOND, THIRD):
        channel.members[user] = Membership(user, created + 2 * DAY)
    _put(channel, Message(1, channel.peer, channel.peer, created, channel.title, action="channel_create"))
    for number in range(size.public_posts):
        date = created + DAY + number * (390 * DAY // size.public_posts)
        text = _post_text(chance, number)
        _put(channel, Message(channel.next_message_id, channel.peer, channel.peer, date, text))
        if number % 100 == 60:
            _put(channel, Message(channel.next_message_id, channel.peer, channel.peer, date + 9, action="pin"))


def _add_group(world: World, size: Size, today: int) -> None:
    created = today - 90 * DAY
    about = "Those who work on the quays."
    channel = _own(world, Channel(GROUP, "Harbour Crew", megagroup=True, created=created, about=about, approval=True))
    channel.links.append(Link(SECOND_LINK, ADMIN, created + DAY, "Flyer"))
    channel.members[SECOND] = Membership(SECOND, created + HOUR, "admin", may_invite=True)
    channel.members[BOT] = Membership(BOT, created + 2 * HOUR, "admin", may_invite=True, may_ban=True)
    people = list(_people(size.members + size.requests))
    world.accounts.update((person.id, person) for person in people)
    crew, waiting = people[: size.members], people[size.members :]
    for number, person in enumerate(crew):
        channel.members[person.id] = Membership(person.id, created + DAY + number * HOUR)

    _put(channel, Message(1, channel.peer, ADMIN, created, channel.title, action="channel_create"))
    for number in range(size.group_messages):
        date = created + DAY + number * HOUR
        speaker = crew[number % len(crew)].id
        if number % 12 == 7:
            _put(channel, Message(channel.next_message_id, channel.peer, speaker, date, action="joined_by_request"))
        text = f"{SUBJECTS[number % len(SUBJECTS)]}: {REMARKS[number % len(REMARKS)]}"
        _put(channel, Message(channel.next_message_id, channel.peer, speaker, date, text))

    crowd = [person.id for place, person in enumerate(reversed(waiting)) if place in size.crowd]
    _make_alike([world.accounts[user_id] for user_id in crowd], size.marked)
    for person, date in zip(waiting, _request_dates(len(waiting), today, size.crowd), strict=True):
        link = None if person.id % 17 == 0 else SECOND_LINK if person.id % 5 == 0 else channel.invite_link
        channel.requests[person.id] = Request(person.id, date, SECOND_LINK if person.id in crowd else link)


def _make_alike(crowd: list[Account], marked: int) -> None:
    """As whoever drives a hundred accounts makes them: told apart by numbers only. Telegram has found out `marked`."""
    for place, person in enumerate(crowd):
        number = 100 + place * 7
        person.first_name, person.last_name = CROWD_NAME.format(number=number), ""
        person.username, person.bio = CROWD_USERNAME.format(number=number), CROWD_BIO.format(number=number)
        person.has_photo, person.premium, person.language = True, False, "en"
        is_marked = place * marked // len(crowd) != (place + 1) * marked // len(crowd)
        person.scam, person.fake = is_marked and place % 2 == 0, is_marked and place % 2 == 1


def _request_dates(count: int, today: int, crowd: range) -> Iterator[int]:
    """Oldest first, over the last five days. Runs of one and the same second lie across every border of a page.

    Pages are counted from the newest row, by 100s and 200s; in a small scenario by 10s. A `crowd` comes all at once:
    one every CROWD_STEP_S seconds, in one hour of the clock.
    """
    page = 100 if count > 200 else 10
    step = 5 * DAY // count
    for number in range(count):
        from_newest = count - 1 - number
        border = round(from_newest / page) * page
        place = border if border and abs(from_newest - border) <= page // 20 + 1 else from_newest
        if place in crowd:
            yield today - HOUR - crowd.start * step - (place - crowd.start) * CROWD_STEP_S
        else:
            yield today - HOUR - place * step


def _people(count: int) -> Iterator[Account]:
    """Those who ask and those who are in: names of many scripts, some with markup in them. Ids are in no order."""
    chance = random.Random("people")
    ids = random.Random("ids").sample(range(FIRST_PERSON, FIRST_PERSON + 40 * count), count)
    for number, user_id in enumerate(ids):
        roll = chance.random()
        yield Account(
            user_id,
            PEOPLE[number % len(PEOPLE)],
            SURNAMES[chance.randrange(len(SURNAMES))] if roll < 0.7 else "",
            username=f"guest_{user_id % 1_000_000:06d}_{number}" if chance.random() < 0.6 else None,
            bio=BIOS[chance.randrange(len(BIOS))] if chance.random() < 0.45 else "",
            has_photo=chance.random() < 0.75,
            premium=chance.random() < 0.08,
            scam=chance.random() < 0.01,
            fake=chance.random() < 0.01,
            language=("en", "ru", "ar", "zh-hans", "de")[number % 5],
        )
