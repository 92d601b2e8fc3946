"""Faults on order, and a count of the calls: what tests and benchmarks ask of both APIs of the sandbox.

Methods are named as Telegram writes them: `messages.getHistory` over MTProto, `sendMessage` in the Bot API.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to one call. First the delay, then the drop or the error; with neither, the call goes on.

    `error`: as Telegram names it, numbers included (`FLOOD_WAIT_3`). `drop`: the connection ends without an answer.
    """

    error: str | None = None
    drop: bool = False
    delay_ms: int = 0


@dataclass(slots=True)
class _Order:
    fault: Fault
    times: int


class Faults:
    """The orders that are still open, and who called what.

    `counts`: how often each method was called, by account id; 0 gathers the calls of those who are not signed in.
    `applications`: the same by the API id that the caller's MTProto session has named (0: the Bot API).
    """

    def __init__(self) -> None:
        self.counts: defaultdict[int, Counter[str]] = defaultdict(Counter)
        self.applications: defaultdict[int, Counter[str]] = defaultdict(Counter)
        self._orders: dict[str, list[_Order]] = {}

    def add(
        self, method: str, *, error: str | None = None, drop: bool = False, delay_ms: int = 0, times: int = 1
    ) -> None:
        """Order a fault for the next `times` calls of the method. Orders for one method are served in turn."""
        if times < 1 or delay_ms < 0:
            raise ValueError("a fault happens at least once and after no negative delay")
        if error is None and not drop and not delay_ms:
            raise ValueError("a fault needs an error, a drop or a delay")
        self._orders.setdefault(method, []).append(_Order(Fault(error, drop, delay_ms), times))

    def take(self, method: str) -> Fault | None:
        """The fault for this call, used up by it."""
        orders = self._orders.get(method)
        if not orders:
            return None
        order = orders[0]
        order.times -= 1
        if not order.times:
            orders.pop(0)
        return order.fault

    def waiting(self) -> list[tuple[str, Fault, int]]:
        """The open orders: of which method, what, how many times still."""
        return [(method, order.fault, order.times) for method, orders in self._orders.items() for order in orders]

    def clear(self) -> None:
        """Withdraw all orders."""
        self._orders.clear()

    def count(self, account_id: int, method: str, api_id: int = 0) -> None:
        self.counts[account_id][method] += 1
        self.applications[api_id][method] += 1

    def reset(self) -> None:
        """Start counting at zero. Orders stay."""
        self.counts.clear()
        self.applications.clear()
