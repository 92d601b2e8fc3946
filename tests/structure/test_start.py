"""What a quick start rests on (docs/decisions/0033-a-quick-start.md)."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
LATER = {"aiogram", "aiohttp", "alembic", "apscheduler", "handlers", "PIL", "pyrogram", "re2", "telethon"}


def test_the_ground_needs_nothing_heavy() -> None:
    """Whoever may not start is refused before the frameworks are imported, health's door included."""
    code = "import sys, bot.__main__, bot.ground; print(*{name.split('.')[0] for name in sys.modules})"
    seen = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "sqlalchemy" in seen.stdout.split()
    assert not LATER & set(seen.stdout.split())
