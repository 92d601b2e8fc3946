"""What opening clients costs before any is opened, and how accounts see them."""

import subprocess
import sys
from pathlib import Path

from services.clients import device
from services.clients.factory import Clients
from tests.services.conftest import Jetty

ROOT = Path(__file__).parents[2]


def test_libraries_are_imported_at_first_use() -> None:
    """Everything that services import at start leaves both client libraries alone."""
    look = (
        "import sys, services.channels, services.login, services.sessions, services.clients.factory;"
        "print([name for name in ('telethon', 'pyrogram', 'tgcrypto', 'cryptg') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", look], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


async def test_two_servers_in_one_process(jetty: Jetty) -> None:
    """The list of data centres belongs to the factory, not to Telethon's class: nothing of it leaks to another one."""
    await (await jetty.clients.login(jetty.api(jetty.admin))).close()
    one = await jetty.clients._with_telethon()
    other = await Clients(None)._with_telethon()
    assert one._client_class is not other._client_class
    assert one._client_class.__mro__[1]._config is None


async def test_both_libraries_name_one_device(jetty: Jetty) -> None:
    """Sharing an auth key, the two libraries introduce themselves alike."""
    credential = jetty.sign_in(jetty.admin)
    reading = await jetty.clients.reading(credential)
    gate = await jetty.clients.gate(credential)
    introduction = reading._client._init_request
    client = gate._client
    telethon_says = (introduction.device_model, introduction.system_version, introduction.app_version)
    assert telethon_says == (client.device_model, client.system_version, client.app_version)
    assert telethon_says == (device.DEVICE_MODEL, device.SYSTEM_VERSION, device.APP_VERSION)
    assert (introduction.lang_code, introduction.lang_pack) == (client.lang_code, client.lang_pack)
    await reading.close()
    await gate.close()
