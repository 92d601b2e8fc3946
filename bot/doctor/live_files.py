"""Claims of files: parts, their limits, their hashes, where they lie. Looked at on one document of the library."""

import hashlib

from bot.doctor.live_claim import Claim, NotSeen, Seen
from bot.doctor.live_reading import refused
from bot.doctor.live_scene import Account, location
from services import errors
from services.clients.base import PART_BYTES
from services.clients.probe import Refusal

KIB = 1024
SMALLEST = 4 * KIB
HASHED_RANGE = 128 * KIB


async def _part(account: Account) -> Seen:
    size, part = (await account.document())["size"], await account.first_part()
    return Seen(len(part) == min(PART_BYTES, size), f"{len(part)} bytes of a document of {size}")


async def _second_part(account: Account) -> Seen:
    size = (await account.document())["size"]
    if size <= PART_BYTES:
        raise NotSeen(f"the largest document has {size} bytes", "Let an account join a channel with larger documents.")
    part = await account.read(await account.document(), PART_BYTES, PART_BYTES)
    return Seen(len(part) == min(PART_BYTES, size - PART_BYTES), f"{len(part)} bytes from 1 MiB on, of {size}")


async def _is_refused(account: Account, *words: str, limit: int, offset: int = 0) -> Seen:
    document = await account.document()
    try:
        part = await account.read(document, limit, offset)
    except Refusal as refusal:
        return Seen(refusal.word in words, f"{refusal.code} {refusal.word}")
    return Seen(False, f"no refusal, but {len(part)} bytes")


async def _limit(account: Account) -> Seen:
    return await _is_refused(account, "LIMIT_INVALID", limit=2 * PART_BYTES)


async def _crossing(account: Account) -> Seen:
    return await _is_refused(account, "LIMIT_INVALID", "OFFSET_INVALID", offset=PART_BYTES // 2, limit=PART_BYTES)


async def _offset(account: Account) -> Seen:
    return await _is_refused(account, "OFFSET_INVALID", "LIMIT_INVALID", offset=SMALLEST + 1, limit=SMALLEST)


async def _reference(account: Account) -> Seen:
    document = await account.document()
    wrong = bytes(len(document["file_reference"]) or 16)
    return await refused(account.read(document, SMALLEST, reference=wrong), errors.FileReferenceExpired)


async def _reference_form(account: Account) -> Seen:
    document = await account.document()
    length = len(document["file_reference"])
    return Seen(0 < length <= 255, f"a reference of {length} bytes, dc_id {document['dc_id']}")


async def _foreign(account: Account) -> Seen:
    document = await account.foreign_document()
    part = await account.read(document, SMALLEST)
    where = f"DC {document['dc_id']}, the account lives in DC {account.probe.home_dc}"
    return Seen(len(part) == min(SMALLEST, document["size"]), f"{len(part)} bytes from {where}")


async def _migrate(account: Account) -> Seen:
    document = await account.foreign_document()
    try:
        await account.read(document, SMALLEST, dc_id=account.probe.home_dc)
    except Refusal as refusal:
        agrees = refusal.word == "FILE_MIGRATE_X" and refusal.number == document["dc_id"]
        return Seen(agrees, f"{refusal.code} {refusal.word} to DC {refusal.number}, dc_id says {document['dc_id']}")
    return Seen(False, "the account's own data centre gave the part")


async def _hashes(account: Account) -> Seen:
    document, part = await account.document(), await account.first_part()
    answer = await account.ask("upload.getFileHashes", dc_id=document["dc_id"], location=location(document), offset=0)
    within = [each for each in answer if each["offset"] + each["limit"] <= len(part)]
    if not within:
        raise NotSeen(f"Telegram gives {len(answer)} hashes of the first part", "Let an account join a larger channel.")
    right = [
        hashlib.sha256(part[each["offset"] : each["offset"] + each["limit"]]).digest() == each["hash"]
        for each in within
    ]
    largest = max(each["limit"] for each in within)
    agrees = all(right) and largest <= HASHED_RANGE
    return Seen(agrees, f"{sum(right)} of {len(within)} hashes are the bytes', the largest range has {largest} bytes")


_FILES = "https://core.telegram.org/api/files#downloading-files"
_GET_FILE = "https://core.telegram.org/method/upload.getFile"
_PARTS = "services/clients/telethon_files.py"

CLAIMS: tuple[Claim[Account], ...] = (
    Claim("part", "upload.getFile gives 1 MiB at once, or what the file has.", _FILES, _part, _PARTS),
    Claim(
        "second-part", "The part behind begins at 1 MiB; at the file's end it is shorter.", _FILES, _second_part, _PARTS
    ),
    Claim("part-limit", "More than 1 MiB at once is refused as LIMIT_INVALID.", _FILES, _limit, _PARTS),
    Claim(
        "part-crossing",
        "A range that crosses a boundary of 1 MiB is refused as LIMIT_INVALID or OFFSET_INVALID.",
        _FILES,
        _crossing,
        _PARTS,
    ),
    Claim(
        "part-offset",
        "An offset that is no multiple of 4 KiB is refused as OFFSET_INVALID or LIMIT_INVALID.",
        _FILES,
        _offset,
        _PARTS,
    ),
    Claim(
        "reference-form",
        "A document carries a file reference of at most 255 bytes and the data centre where it lies.",
        "https://core.telegram.org/api/file_reference",
        _reference_form,
        "services/clients/telethon_convert.py",
    ),
    Claim(
        "reference-wrong",
        "A wrong file reference is refused as FILE_REFERENCE_EXPIRED, _INVALID or _EMPTY, and nothing else.",
        "https://core.telegram.org/api/file_reference",
        _reference,
        "services/downloads.py",
    ),
    Claim(
        "foreign-dc",
        "A login exported to another data centre opens the files that lie there.",
        "https://core.telegram.org/method/auth.exportAuthorization",
        _foreign,
        _PARTS,
    ),
    Claim(
        "file-migrate",
        "Any other data centre answers FILE_MIGRATE_X with the number of the right one.",
        _GET_FILE,
        _migrate,
        _PARTS,
    ),
    Claim(
        "file-hashes",
        "upload.getFileHashes gives the SHA-256 of ranges of 128 KiB at most, from the offset on.",
        "https://core.telegram.org/method/upload.getFileHashes",
        _hashes,
        "services/downloads.py",
    ),
)
