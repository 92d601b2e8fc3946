#!/usr/bin/env python3
"""Signs a Telegram account in at the terminal and writes its session as one Telethon string, for Porter to bring along.

    python docs/examples/make_session.py --out session.txt     into a new file that only you can read
    python docs/examples/make_session.py --print | age -p      to a pipe, or to the screen

It asks for API id and hash (https://my.telegram.org), the number, the code and the cloud password; what is secret is
not echoed. Nothing else is written: no session file, no log. The string is as good as the account: whoever has it is
signed in. Use it in ONE place. Needs Telethon alone (pip install telethon). Exit codes: 0 done, 1 the reason is said.
"""

import argparse
import asyncio
import os
import sys
from datetime import datetime, timedelta
from getpass import getpass
from pathlib import Path

from telethon import TelegramClient, errors
from telethon.crypto import rsa
from telethon.sessions import StringSession

TRIES = 3
"""For a code or password. Telegram counts wrong ones, and stops listening for a day after some more."""


class GaveUp(Exception):
    """With the sentence for the terminal."""


def ask(question: str) -> str:
    """On stderr: stdout is for the string alone."""
    print(question, end=" ", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip()


def ask_secret(question: str) -> str:
    return getpass(f"{question} (not shown): ", stream=sys.stderr).strip()


def new_session(server: str | None, public_key: Path | None) -> StringSession:
    """In memory. `server`: DC@HOST:PORT of another MTProto server, which has a key of its own."""
    session = StringSession()
    if server is None or public_key is None:
        return session
    dc, _, address = server.partition("@")
    host, _, port = address.rpartition(":")
    rsa.add_key(public_key.read_text(), old=False)
    session.set_dc(int(dc), host, int(port))
    return session


async def sign_in(client: TelegramClient, phone: str) -> None:
    sent = await client.send_code_request(phone)
    for left in reversed(range(TRIES)):
        code = ask_secret(f"The code that Telegram sent ({type(sent.type).__name__.removeprefix('SentCodeType')})")
        try:
            await client.sign_in(phone, code, phone_code_hash=sent.phone_code_hash)
            return
        except errors.SessionPasswordNeededError:
            await give_password(client)
            return
        except errors.PhoneCodeInvalidError as error:
            if not left:
                raise GaveUp("The code was not right. Start again later.") from error
            print("That code is not right.", file=sys.stderr)


async def give_password(client: TelegramClient) -> None:
    for left in reversed(range(TRIES)):
        try:
            await client.sign_in(password=ask_secret("The account's cloud password"))
            return
        except errors.PasswordHashInvalidError as error:
            if not left:
                raise GaveUp("The password was not right. Start again, or reset it in Telegram's settings.") from error
            print("That password is not right.", file=sys.stderr)


async def make(server: str | None, public_key: Path | None) -> str:
    api_id, api_hash = ask("API id:"), ask_secret("API hash")
    if not api_id.isdigit():
        raise GaveUp("The API id is a number; my.telegram.org shows it as “App api_id”.")
    session = new_session(server, public_key)
    client = TelegramClient(session, int(api_id), api_hash, flood_sleep_threshold=0, device_model="Porter")
    try:
        await client.connect()
        await sign_in(client, ask("Number, with country code (+49…):"))
        me = await client.get_me()
        print(f"Signed in: {me.first_name}, id {me.id}.", file=sys.stderr)
        return str(session.save())
    except errors.FloodWaitError as error:
        until = datetime.now().astimezone() + timedelta(seconds=error.seconds + 60)
        raise GaveUp(f"Telegram asks for patience until {until:%d %b, %H:%M}. Earlier tries make it longer.") from error
    except errors.RPCError as error:
        raise GaveUp(f"Telegram refused: {type(error).__name__.removesuffix('Error')}.") from error
    except OSError as error:
        raise GaveUp("Telegram cannot be reached from here.") from error
    finally:
        await client.disconnect()


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--out", type=Path, metavar="FILE", help="a new file, readable by you alone (0600)")
    where.add_argument("--print", action="store_true", help="print the string on stdout")
    parser.add_argument("--server", metavar="DC@HOST:PORT", help="another MTProto server than Telegram's")
    parser.add_argument("--public-key", type=Path, metavar="FILE", help="that server's RSA key, PKCS#1 PEM")
    given = parser.parse_args()
    if (given.server is None) != (given.public_key is None):
        parser.error("--server and --public-key go together")
    file = -1
    try:
        if given.out is not None:
            # Before the login: one that could not be written down would have to be ended in the app's settings.
            file = os.open(given.out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        string = asyncio.run(make(given.server, given.public_key))
    except FileExistsError:
        return say(f"{given.out} is there already, and is not overwritten.")
    except (GaveUp, KeyboardInterrupt, EOFError) as error:
        if given.out is not None:
            given.out.unlink()
        return say(str(error) or "Left. Nothing was kept.")
    except OSError as error:
        return say(f"{given.out} cannot be written: {error.strerror}.")
    if given.out is None:
        print(string)
    else:
        with os.fdopen(file, "w") as out:
            out.write(f"{string}\n")
        print(f"Written to {given.out}. Send that file to Porter, then delete it.", file=sys.stderr)
    return 0


def say(why: str) -> int:
    print(why, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
