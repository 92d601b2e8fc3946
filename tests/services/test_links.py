"""What a text leads to: every form of a link to a channel, a post, an invitation - and what only looks like one."""

import pytest

from services.links import ChannelLink, InviteLink, Link, find_links

PRIVATE = -1002100000001


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://t.me/tech_news", ChannelLink("tech_news")),
        ("t.me/tech_news", ChannelLink("tech_news")),
        ("HTTPS://T.ME/tech_news/", ChannelLink("tech_news")),
        ("https://www.t.me/tech_news", ChannelLink("tech_news")),
        ("http://telegram.me/tech_news/7", ChannelLink("tech_news", 7)),
        ("https://telegram.dog/tech_news", ChannelLink("tech_news")),
        ("https://tech_news.t.me/12", ChannelLink("tech_news", 12)),
        ("https://t.me/s/tech_news/12", ChannelLink("tech_news", 12)),
        ("https://t.me/tech_news/123", ChannelLink("tech_news", 123)),
        ("https://t.me/tech_news/123?single&comment=4", ChannelLink("tech_news", 123)),
        ("https://t.me/tech_news/123?utm_source=somewhere#top", ChannelLink("tech_news", 123)),
        ("https://t.me/tech_news?before=20", ChannelLink("tech_news")),
        ("https://t.me/tech_news/3/45", ChannelLink("tech_news", 45)),
        ("https://t.me/c/2100000001", ChannelLink(PRIVATE)),
        ("https://t.me/c/2100000001/45", ChannelLink(PRIVATE, 45)),
        ("https://t.me/c/2100000001/3/45?thread=3", ChannelLink(PRIVATE, 45)),
        ("tg://resolve?domain=tech_news", ChannelLink("tech_news")),
        ("tg:resolve?domain=tech_news&post=9", ChannelLink("tech_news", 9)),
        ("tg://privatepost?channel=2100000001&post=45", ChannelLink(PRIVATE, 45)),
        ("@tech_news", ChannelLink("tech_news")),
        ("  -1002100000001 ", ChannelLink(PRIVATE)),
        ("https://t.me/+AbCdEf0123456789", InviteLink("AbCdEf0123456789")),
        ("t.me/joinchat/AAAAAEkk2WdoDrB4-Q8-gg", InviteLink("AAAAAEkk2WdoDrB4-Q8-gg")),
        ("tg://join?invite=AbCdEf0123456789", InviteLink("AbCdEf0123456789")),
        ("https://t.me/%20AbCdEf0123456789", InviteLink("AbCdEf0123456789")),
        ("see (https://t.me/tech_news/5).", ChannelLink("tech_news", 5)),
        ("look here: t.me/tech_news, and tell me", ChannelLink("tech_news")),
        ("t.me/tech_news and once more t.me/tech_news/5", ChannelLink("tech_news", 5)),
        ("https://t.me/tech_news/99999999999999999999", ChannelLink("tech_news")),
        ("https://t.me/tech_news/0", ChannelLink("tech_news")),
    ],
)
def test_one_link(text: str, expected: Link) -> None:
    """Wherever it stands, and whatever hangs on it."""
    assert find_links(text) == [expected]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "thanks to @tech_news for that",
        "https://example.org/tech_news",
        "https://not-t.me.example.org/tech_news",
        "https://att.me/tech_news",
        "someone@t.me/tech_news",
        "https://t.me/",
        "https://t.me/addstickers/Animals",
        "https://t.me/proxy?server=1.2.3.4&port=443&secret=00",
        "https://t.me/share/url?url=x",
        "https://t.me/+4915123456789",
        "https://t.me/abc",
        "https://t.me/c/",
        "https://t.me/c/name/5",
        "https://t.me/c/٣٤/5",
        "tg://settings?x=1",
        "tg://join?invite=",
        "tg://resolve?phone=4915123456789",
        "https://t.me:x]/[tech_news",
    ],
)
def test_no_link(text: str) -> None:
    """Other hosts, other things of Telegram, mentions, telephone numbers."""
    assert find_links(text) == []


def test_several_links_each_once() -> None:
    """In the order in which they were written."""
    text = "t.me/tech_news/5 or https://t.me/other_name, t.me/tech_news/5, t.me/+AbCdEf0123456789"
    found = find_links(text)
    assert found == [ChannelLink("tech_news", 5), ChannelLink("other_name"), InviteLink("AbCdEf0123456789")]


def test_an_invitation_is_not_printed() -> None:
    """It opens a door to whoever reads it."""
    assert "AbCdEf" not in repr(find_links("t.me/+AbCdEf0123456789"))


def test_a_hostile_text_is_read_quickly() -> None:
    """No backtracking: a text of nothing but beginnings of links."""
    assert find_links("t.me" * 25_000) == []
    assert find_links("a." * 50_000 + "t.me/") == []
