"""On which ports a sandbox listened last time, so that the next start of the same one is found where it was."""

import json
import socket
from pathlib import Path

from sandbox.mtproto.server import HOST


class Ports:
    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / "ports.json"
        self._last: dict[str, int] = json.loads(self._path.read_text()) if self._path.exists() else {}

    def last(self, name: str) -> int:
        """0 when there is none, or somebody else has it now."""
        port = self._last.get(name, 0)
        try:
            socket.create_server((HOST, port)).close()
        except OSError:
            return 0
        return port

    def remember(self, **ports: int) -> None:
        self._path.write_text(json.dumps(ports))
