"""Claims of the gate: who waits, in which pages, and who was let in."""

from datetime import UTC, datetime

from bot.doctor.live_claim import Claim, NotSeen, Seen
from bot.doctor.live_reading import refused
from bot.doctor.live_scene import (
    LOOKED_AT,
    NO_GATE,
    Account,
    Answer,
    input_channel,
    input_peer,
    input_user,
    may_invite,
    peer_of,
)
from services import errors
from services.clients.probe import Refusal, Tl

SMALLEST_PAGE = 100
MEMBERS_PAGE = 200
LOG_HOURS = 48
NEWCOMERS = 5
"""So many may ask, or be let in, between two calls."""


async def _page(account: Account) -> Seen:
    answer = await account.importers()
    given, count = len(answer["importers"]), answer["count"]
    return Seen(given >= min(count, SMALLEST_PAGE), f"{given} of {count} where 200 were asked for")


async def _order(account: Account) -> Seen:
    dates = [row["date"] for row in (await account.importers())["importers"]]
    if len(dates) < 2:
        raise NotSeen("one person waits", "Start the round while more people wait.")
    return Seen(dates == sorted(dates, reverse=True), f"{len(dates)} rows, from {_day(dates[0])} to {_day(dates[-1])}")


async def _rows(account: Account) -> Seen:
    answer = await account.importers()
    rows = answer["importers"]
    asking = {row["user_id"] for row in rows}
    users = [user for user in answer["users"] if user["id"] in asking]
    alive = [user for user in users if not user["deleted"]]
    hashes = sum(user["access_hash"] is not None for user in alive)
    requested = sum(bool(row["requested"]) for row in rows)
    approved = sum(row["approved_by"] is not None for row in rows)
    bios = sum(bool(row["about"]) for row in rows)
    return Seen(
        requested == len(rows) and bool(users) and hashes == len(alive) and not approved,
        f"{len(rows)} rows: {requested} requested, {approved} approved, {bios} with a bio; {len(users)} users came "
        f"along, {hashes} of {len(alive)} that are not gone with an access hash",
    )


async def _offset(account: Account) -> Seen:
    channel, answer = await account.gate(), await account.importers()
    rows = answer["importers"]
    users = {user["id"]: user for user in answer["users"]}
    middle = rows[(len(rows) - 1) // 2]
    if middle["user_id"] not in users:
        raise NotSeen("the person in the middle of the page is gone", "Start the round again.")
    behind = await account.waiting(channel, (middle["date"], input_user(users[middle["user_id"]])))
    ids = [row["user_id"] for row in rows]
    place = ids.index(middle["user_id"])
    told = [row["user_id"] for row in behind["importers"]]
    twice = set(told) & set(ids[: place + 1])
    missing = set(ids[place + 1 :]) - set(told)
    # Who was decided in between is missing without anybody's fault.
    agrees = not twice and len(missing) <= NEWCOMERS
    return Seen(
        agrees, f"behind row {place + 1} of {len(ids)}: {len(told)} rows, {len(twice)} twice, {len(missing)} missing"
    )


async def _end(account: Account) -> Seen:
    channel, answer = await account.gate(), await account.importers()
    rows = answer["importers"]
    user = next((user for user in answer["users"] if user["id"] == rows[-1]["user_id"]), None)
    if len(rows) < answer["count"] or user is None:
        behind = await account.waiting(channel, (1, Tl("inputUserEmpty")))  # the first second of 1970
    else:
        behind = await account.waiting(channel, (rows[-1]["date"], input_user(user)))
    return Seen(not behind["importers"], f"{len(behind['importers'])} rows behind the last one")


async def _pending(account: Account) -> Seen:
    told = (await account.full(await account.gate()))["full_chat"]["requests_pending"]
    count = (await account.importers())["count"]
    return Seen(abs(told - count) <= NEWCOMERS, f"requests_pending {told}, the page's count {count}")


async def _kurigram(account: Account) -> Seen:
    peer, rows = peer_of(await account.gate()), (await account.importers())["importers"]
    page = await account.ask_gate("messages.getChatInviteImporters", lambda gate: gate.join_requests(peer, None))
    ours, theirs = {row["user_id"] for row in rows}, set(page.user_ids)
    again = await account.ask("users.getUsers", id=[Tl("inputUserSelf")])
    differ = len(ours ^ theirs)
    agrees = differ <= NEWCOMERS and len(again) == 1
    return Seen(
        agrees, f"{len(theirs)} rows by kurigram, {differ} differ; Telethon's connection goes on: {len(again) == 1}"
    )


async def _links(account: Account) -> Seen:
    answer = await account.ask(
        "messages.getExportedChatInvites",
        peer=input_peer(await account.gate()),
        admin_id=Tl("inputUserSelf"),
        limit=100,
    )
    kinds = {each["_"] for each in answer["invites"]}
    invites = [each for each in answer["invites"] if each["_"] == "ChatInviteExported"]
    asking = [each for each in invites if each["request_needed"] or each["requested"]]
    agrees = kinds <= {"ChatInviteExported", "ChatInvitePublicJoinRequests"} and all(each["link"] for each in invites)
    return Seen(agrees, f"{len(invites)} links of {sorted(kinds)}, {len(asking)} of them ask for approval")


async def _makers(account: Account) -> Seen:
    gate = await account.gate()
    call = account.ask("messages.getAdminsWithInvites", peer=input_peer(gate))
    if not gate["creator"]:
        return await refused(call, errors.RightMissing)
    answer = await call
    named = {user["id"] for user in answer["users"]}
    agrees = all(each["admin_id"] in named for each in answer["admins"])
    return Seen(agrees, f"the creator is told of {len(answer['admins'])} admins with links, with their users: {agrees}")


async def _no_right(account: Account) -> Seen:
    others = [channel for channel in await account.channels() if not may_invite(channel)]
    if not others:
        raise NotSeen("the account may let people in everywhere", "Let an account join a channel as a mere member.")
    return await refused(account.waiting(others[0]), errors.RightMissing)


async def _log_kept(account: Account) -> Seen:
    events = (await account.log())["events"]
    oldest = min(event["date"] for event in events)
    hours = (datetime.now(UTC) - oldest).total_seconds() / 3600
    # An hour more: Telegram need not sweep at once.
    return Seen(hours <= LOG_HOURS + 1, f"{len(events)} events, the oldest {hours:.0f} hours old")


async def _log_order(account: Account) -> Seen:
    ids = [event["id"] for event in (await account.log())["events"]]
    return Seen(ids == sorted(ids, reverse=True), f"{len(ids)} events")


async def _log_rows(account: Account) -> Seen:
    events = (await account.log())["events"]
    names = {event["action"]["_"].removeprefix("ChannelAdminLogEventAction") for event in events}
    approved = [e["action"] for e in events if e["action"]["_"].endswith("ParticipantJoinByRequest")]
    if not approved:
        raise NotSeen(f"the log tells of {sorted(names)}", "Start the round after a join request was approved.")
    signed = sum(bool(action["approved_by"]) for action in approved)
    return Seen(signed == len(approved), f"{signed} of {len(approved)} events of an approval say by whom")


async def _members_page(account: Account) -> Seen:
    channel, answer = await _members(account)
    given, count = len(answer["participants"]), answer["count"]
    if count <= MEMBERS_PAGE:
        full = (await account.full(channel))["full_chat"]["participants_count"]
        return Seen(given <= count and abs(full - count) <= NEWCOMERS, f"{given} of {count}, participants_count {full}")
    return Seen(given <= MEMBERS_PAGE, f"{given} of {count} where 200 were asked for")


async def _members(account: Account) -> tuple[Answer, Answer]:
    managed = [channel for channel in await account.channels() if may_invite(channel)]
    if not managed:
        raise NotSeen(*NO_GATE)
    return managed[0], await _recent(account, managed[0])


async def _recent(account: Account, channel: Answer) -> Answer:
    """Its newest members."""
    answer: Answer = await account.ask(
        "channels.getParticipants",
        channel=input_channel(channel),
        filter=Tl("channelParticipantsRecent"),
        offset=0,
        limit=MEMBERS_PAGE,
        hash=0,
    )
    return answer


async def _members_hidden(account: Account) -> Seen:
    others = [c for c in await account.channels() if c["broadcast"] and not (c["creator"] or c["admin_rights"])]
    if not others:
        raise NotSeen("the account administers each of its channels", "Let an account join a channel as a mere member.")
    return await refused(_recent(account, others[0]), errors.RightMissing)


async def _stranger(account: Account) -> Seen:
    channel, answer = await account.gate(), await account.importers()
    user = next((user for user in answer["users"] if user.get("access_hash") and not user["deleted"]), None)
    if user is None:
        raise NotSeen("everybody who waits is gone", "Start the round while somebody waits.")
    try:
        told = await account.ask(
            "channels.getParticipant", channel=input_channel(channel), participant=input_user(user, "inputPeerUser")
        )
    except Refusal as refusal:
        agrees = refusal.word in {"USER_NOT_PARTICIPANT", "PARTICIPANT_ID_INVALID"}
        return Seen(agrees, f"{refusal.code} {refusal.word} of somebody who waits")
    kind = told["participant"]["_"]
    return Seen(kind in {"ChannelParticipantLeft", "ChannelParticipantBanned"}, f"{kind} of somebody who waits")


async def _members_of_hidden(account: Account) -> Seen:
    for channel in [each for each in await account.channels() if may_invite(each) and each["megagroup"]][:LOOKED_AT]:
        full = (await account.full(channel))["full_chat"]
        if full["participants_hidden"]:
            answer = await _recent(account, channel)
            given, count = len(answer["participants"]), full["participants_count"]
            words = f"{given} of {count} members of a group with participants_hidden"
            return Seen(given >= min(count, MEMBERS_PAGE) - NEWCOMERS, words)
    raise NotSeen("no group that the account looks after hides its members", "Hide the members of such a group.")


async def _group(account: Account) -> Seen:
    groups = await account.groups()
    if not groups:
        raise NotSeen("the account is in no small group", "Let an account join one.")
    answer = await account.ask("messages.getFullChat", chat_id=groups[0]["id"])
    told = answer["full_chat"]["participants"]
    if told["_"] == "ChatParticipantsForbidden":
        raise NotSeen("the small group does not show its members", "Let an account join another small group.")
    given, count = len(told["participants"]), groups[0]["participants_count"]
    return Seen(abs(given - count) <= NEWCOMERS, f"{given} participants, participants_count {count}")


async def _group_moved(account: Account) -> Seen:
    shells = [chat for chat in (await account.dialogs())["chats"] if chat["_"] == "Chat" and chat["deactivated"]]
    moved = [chat["migrated_to"] for chat in shells if chat["migrated_to"]]
    if not moved:
        raise NotSeen("no small group of the account became a supergroup", "Nothing: few have.")
    named = sum(bool(to["_"] == "InputChannel" and to["channel_id"] and to["access_hash"]) for to in moved)
    return Seen(named == len(moved), f"{named} of {len(moved)} shells name the supergroup with its access hash")


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}"


_IMPORTERS = "https://core.telegram.org/method/messages.getChatInviteImporters"
_LOG = "https://core.telegram.org/api/recent-actions"
_GATE = "services/clients/pyrogram_client.py"
_WALKS = "services/requests/walks.py"

CLAIMS: tuple[Claim[Account], ...] = (
    Claim(
        "waiting-page",
        "Where 200 who wait are asked for, a page has 100 rows or more, if so many wait.",
        _IMPORTERS,
        _page,
        _WALKS,
    ),
    Claim("waiting-order", "Those who asked last come first.", _IMPORTERS, _order, _WALKS),
    Claim(
        "waiting-rows",
        "A row is marked as requested and approved by nobody; its user comes along with an access hash, but for "
        "accounts that are gone.",
        "https://core.telegram.org/constructor/chatInviteImporter",
        _rows,
        "services/clients/pyrogram_convert.py",
    ),
    Claim(
        "waiting-offset",
        "offset_date and offset_user of a row lead right behind it: nobody comes twice, nobody is left out.",
        "https://core.telegram.org/api/offsets",
        _offset,
        _WALKS,
    ),
    Claim("waiting-end", "Behind the last row comes an empty page, and no error.", _IMPORTERS, _end, _WALKS),
    Claim(
        "waiting-count",
        "channelFull.requests_pending is how many wait, as the page's count says.",
        "https://core.telegram.org/constructor/channelFull",
        _pending,
        "services/requests/pending_updates.py",
    ),
    Claim(
        "two-libraries",
        "kurigram reads the same people over a second connection with the same key, and the first connection goes on.",
        "https://core.telegram.org/api/auth",
        _kurigram,
        _GATE,
    ),
    Claim(
        "links",
        "messages.getExportedChatInvites of oneself gives the links that one has made, with who waits by each.",
        "https://core.telegram.org/method/messages.getExportedChatInvites",
        _links,
        _GATE,
    ),
    Claim(
        "link-makers",
        "messages.getAdminsWithInvites tells the creator who made links; others are refused as CHAT_ADMIN_REQUIRED.",
        "https://core.telegram.org/method/messages.getAdminsWithInvites",
        _makers,
        _GATE,
    ),
    Claim(
        "waiting-no-right",
        "Who may not let people in is refused as CHAT_ADMIN_REQUIRED when asking who waits.",
        _IMPORTERS,
        _no_right,
        "services/clients/answers.py",
    ),
    Claim("log-kept", "The admin log reaches back 48 hours.", _LOG, _log_kept, "services/requests/membership.py"),
    Claim("log-order", "Events of the admin log come newest first, their ids fall.", _LOG, _log_order, _GATE),
    Claim(
        "log-rows",
        "The log tells of a join by request (participantJoinByRequest) and in approved_by who let them in.",
        "https://core.telegram.org/constructor/channelAdminLogEventActionParticipantJoinByRequest",
        _log_rows,
        "services/clients/pyrogram_convert.py",
    ),
    Claim(
        "members-page",
        "channels.getParticipants gives 200 members at most, and counts them as channelFull.participants_count does.",
        "https://core.telegram.org/method/channels.getParticipants",
        _members_page,
        _GATE,
    ),
    Claim(
        "members-hidden",
        "A channel shows its members to its administrators alone: others are refused as CHAT_ADMIN_REQUIRED.",
        "https://core.telegram.org/method/channels.getParticipants",
        _members_hidden,
        "services/clients/answers.py",
    ),
    Claim(
        "members-of-hidden",
        "A group that hides its members (participants_hidden) shows them to its administrators.",
        "https://core.telegram.org/constructor/channelFull",
        _members_of_hidden,
        "services/requests/membership.py",
    ),
    Claim(
        "group-members",
        "messages.getFullChat of a small group lists all of its members.",
        "https://core.telegram.org/method/messages.getFullChat",
        _group,
        _GATE,
    ),
    Claim(
        "group-moved",
        "The shell of a small group that became a supergroup is deactivated and names it in migrated_to.",
        "https://core.telegram.org/api/channel#migration",
        _group_moved,
        "services/clients/telethon_convert.py",
    ),
    Claim(
        "no-member",
        "Of somebody who is not in channels.getParticipant says USER_NOT_PARTICIPANT, PARTICIPANT_ID_INVALID or left.",
        "https://core.telegram.org/method/channels.getParticipant",
        _stranger,
        _GATE,
    ),
)
