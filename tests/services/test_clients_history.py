"""The head of a page of history, read before the page is: on bytes that Telethon itself writes."""

from datetime import UTC, datetime
from typing import Any

import pytest
from telethon.tl import types

from services.clients.telethon_history import Head, LatePosts, head_of, parse
from services.errors import TelegramRefused

NOW = datetime(2026, 1, 2, tzinfo=UTC)
PEER = types.PeerChannel(1)


def text(message_id: int) -> Any:
    return types.Message(id=message_id, peer_id=PEER, date=NOW, message="x" * 300, pinned=True, views=7, forwards=1)


def service(message_id: int) -> Any:
    return types.MessageService(
        id=message_id, peer_id=PEER, date=NOW, action=types.MessageActionPinMessage(), from_id=PEER
    )


def page(messages: list[Any], newer: int | None) -> bytes:
    return bytes(
        types.messages.ChannelMessages(
            pts=9, count=500, messages=messages, topics=[], chats=[], users=[], offset_id_offset=newer, inexact=True
        )
    )


@pytest.mark.parametrize(
    "newest", [text(2**31 - 1), service(7), types.MessageEmpty(5, None), types.MessageEmpty(5, PEER)]
)
def test_the_head_says_where_a_page_ends(newest: Any) -> None:
    """Whatever kind of message stands first."""
    assert head_of(page([newest, text(1)], 250)) == Head(2, newest.id, 250)


@pytest.mark.parametrize(
    "answer",
    [
        page([text(3)], None),
        page([], 0),
        bytes(types.messages.MessagesSlice(count=3, messages=[text(3)], topics=[], chats=[], users=[])),
        bytes(types.messages.Messages(messages=[text(3)], topics=[], chats=[], users=[])),
        bytes(types.messages.MessagesNotModified(count=0)),
        b"",
    ],
)
def test_what_has_no_such_head_is_read_whole(answer: bytes) -> None:
    """No place in the channel, no messages, a group's page, another answer."""
    assert head_of(answer) is None


def test_an_answer_of_a_newer_layer_is_refused_by_its_number() -> None:
    """And nothing of what it holds is in the error."""
    with pytest.raises(TelegramRefused, match="CONSTRUCTOR_78563412_UNKNOWN"):
        parse(b"\x12\x34\x56\x78secret")


def test_late_posts_are_read_once() -> None:
    """At the first look, not before."""
    reads = []

    def read() -> tuple[Any, ...]:
        reads.append(1)
        return (1, 2, 3)

    posts = LatePosts(read)
    assert not reads
    assert (len(posts), posts[1], list(posts), posts[1:]) == (3, 2, [1, 2, 3], (2, 3))
    assert len(reads) == 1
