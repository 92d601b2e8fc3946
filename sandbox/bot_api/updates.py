"""Updates for bots: made from the World's events, kept until acknowledged or a day old, handed out by long polling."""

import asyncio
from typing import Any

from sandbox.bot_api import render
from sandbox.bot_api.errors import OTHER_POLLER, SET_WEBHOOK, BotApiError, in_words
from sandbox.world import (
    Account,
    BotState,
    Channel,
    Event,
    MembershipChanged,
    Message,
    MessageSent,
    QueuedUpdate,
    RequestsChanged,
    World,
)

LIFETIME_S = 24 * 3600
ONLY_ON_REQUEST = frozenset({"chat_member", "message_reaction", "message_reaction_count"})
"""Kinds that Telegram sends only to bots that name them in allowed_updates."""


class Updates:
    def __init__(self, world: World) -> None:
        self._world = world
        self._bots = [account for account in world.accounts.values() if account.is_bot]
        self._polls: dict[int, asyncio.Future[None]] = {}
        self._polled = {bot.id: asyncio.Event() for bot in self._bots}
        world.listen(self._on_event)

    # -- for bots

    async def get(self, bot_id: int, offset: int, limit: int, timeout_s: int) -> list[dict[str, Any]]:
        """The next updates from `offset`; what lies before it is acknowledged. A negative offset keeps the last ones.

        Raises BotApiError 409 when another poll of the same bot takes this one's place, and where a webhook is set.
        """
        if self.state(bot_id).webhook:
            raise in_words("WEBHOOK_ACTIVE")
        self._polled[bot_id].set()
        self._acknowledge(bot_id, offset)
        state = self.state(bot_id)
        if not state.updates and timeout_s > 0:
            await self._wait(bot_id, timeout_s)
        return [{"update_id": update.id, **update.body} for update in state.updates[:limit]]

    def allow(self, bot_id: int, kinds: list[str]) -> None:
        """Remember which kinds the bot wants from now on; an empty list means Telegram's default set."""
        self.state(bot_id).allowed_updates = kinds
        self._world.touch()

    def waiting(self, bot_id: int) -> int:
        self._expire(self.state(bot_id))
        return len(self.state(bot_id).updates)

    def drop(self, bot_id: int) -> None:
        self.state(bot_id).updates.clear()
        self._world.touch()

    def set_webhook(self, bot_id: int, url: str) -> None:
        """Empty: none. Nothing is ever sent there; updates wait until it is taken away."""
        self.state(bot_id).webhook = url
        self._world.touch()
        if url:
            self._end_poll(bot_id, SET_WEBHOOK)

    # -- for the sandbox

    async def polled(self, bot_id: int) -> None:
        """Returns once the bot has asked for updates, in this run of the sandbox."""
        await self._polled[bot_id].wait()

    def state(self, bot_id: int) -> BotState:
        return self._world.bots.setdefault(bot_id, BotState())

    def put(self, bot_id: int, kind: str, payload: dict[str, Any]) -> None:
        if not self._wants(bot_id, kind):
            return
        state = self.state(bot_id)
        state.updates.append(QueuedUpdate(state.next_update_id, self._world.now(), {kind: payload}))
        state.next_update_id += 1
        self._world.touch()
        poll = self._polls.get(bot_id)
        if poll is not None and not poll.done():
            poll.set_result(None)

    def _wants(self, bot_id: int, kind: str) -> bool:
        allowed = self.state(bot_id).allowed_updates
        return kind in allowed if allowed else kind not in ONLY_ON_REQUEST

    def close(self) -> None:
        """End the open polls at once: they answer with what there is."""
        for poll in self._polls.values():
            if not poll.done():
                poll.set_result(None)

    # -- inside

    async def _wait(self, bot_id: int, timeout_s: int) -> None:
        # As the original does: the older of two polls ends, the newer goes on.
        self._end_poll(bot_id, OTHER_POLLER)
        poll = self._polls[bot_id] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(timeout_s):
                await poll
        except TimeoutError:
            return
        finally:
            if self._polls.get(bot_id) is poll:
                del self._polls[bot_id]

    def _end_poll(self, bot_id: int, why: str) -> None:
        poll = self._polls.get(bot_id)
        if poll is not None and not poll.done():
            poll.set_exception(BotApiError(409, why))

    def _acknowledge(self, bot_id: int, offset: int) -> None:
        state = self.state(bot_id)
        self._expire(state)
        before = len(state.updates)
        if offset < 0:
            del state.updates[:offset]
        elif offset > 0:
            done = next((n for n, update in enumerate(state.updates) if update.id >= offset), len(state.updates))
            del state.updates[:done]
        if len(state.updates) != before:
            self._world.touch()

    def _expire(self, state: BotState) -> None:
        oldest = self._world.now() - LIFETIME_S
        if state.updates and state.updates[0].date < oldest:
            state.updates[:] = [update for update in state.updates if update.date >= oldest]

    def _on_event(self, event: Event) -> None:
        match event:
            case MessageSent(message):
                self._message(message)
            case RequestsChanged(channel, asked):
                for bot in self._bots:
                    if channel.may_invite(bot.id):
                        for request in asked:
                            self.put(bot.id, "chat_join_request", render.join_request(self._world, channel, request))
            case MembershipChanged():
                self._membership(event)
            case _:
                return  # edits and deletions by people, and revoked sessions, are no news for a bot

    def _message(self, message: Message) -> None:
        if message.chat > 0:
            if message.bot_id is not None and message.sender != message.bot_id:
                self.put(message.bot_id, "message", render.message(self._world, message))
            return
        if message.action is not None and message.moved is None:
            return  # of service messages, bots are told here where a group went
        channel = self._world.channel_by_peer(message.chat)
        kind = "message" if channel.megagroup else "channel_post"
        for bot in self._bots:
            moved_along = message.moved is not None and bot.id in channel.members
            if moved_along or (self._hears(bot, message) and message.bot_id != bot.id):
                self.put(bot.id, kind, render.message(self._world, message))

    def _hears(self, bot: Account, message: Message) -> bool:
        """Only administrators hear everything; for other members privacy mode is on."""
        return self._administers(bot, self._world.channel_by_peer(message.chat))

    def _administers(self, bot: Account, channel: Channel) -> bool:
        member = channel.members.get(bot.id)
        return member is not None and member.role != "member"

    def _membership(self, event: MembershipChanged) -> None:
        """To the one whom it is about, and to administrators who ask for it."""
        for bot in self._bots:
            kind = "my_chat_member" if event.user == bot.id else "chat_member"
            concerned = event.user == bot.id or self._administers(bot, event.channel)
            if concerned and self._wants(bot.id, kind):
                self.put(bot.id, kind, render.chat_member_updated(self._world, event))
