"""Single-use "yes": bound to the admin and to what was shown, for five minutes (CHAT.md, rule 8)."""

from typing import Any

from services.errors import ConfirmationExpired
from storage.confirmations import ConfirmationRepository


class ConfirmationService:
    def __init__(self, confirmations: ConfirmationRepository) -> None:
        self._confirmations = confirmations

    async def ask(self, admin_id: int, verb: str, payload: dict[str, Any]) -> int:
        """The id that the button of the question carries."""
        return await self._confirmations.create(admin_id, verb, payload)

    async def take(self, confirmation_id: int, admin_id: int, verb: str) -> dict[str, Any]:
        """What was confirmed. Raises ConfirmationExpired when it is used, too old, or somebody else's."""
        confirmation = await self._confirmations.take(confirmation_id, admin_id)
        if confirmation is None or confirmation.verb != verb:
            raise ConfirmationExpired
        return confirmation.payload
