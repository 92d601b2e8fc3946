"""HTML and plain texts as Telegram reads them (the cases of TDLib's own tests are among these)."""

import pytest

from sandbox.bot_api.errors import BotApiError
from sandbox.bot_api.formatting import link, parse_html, unescape, with_detected

SURROGATE = (
    "Text contains invalid Unicode characters after decoding HTML entities, check for unmatched surrogate code units"
)


@pytest.mark.parametrize(
    ("html", "complaint"),
    [
        ("&#57311;", SURROGATE),
        ("&#xDFDF", SURROGATE),
        ("🏟 🏟&lt;<abacaba", "Unclosed start tag at byte offset 13"),
        ("🏟 🏟&lt;<abac aba>", 'Unsupported start tag "abac" at byte offset 13'),
        ("🏟 🏟&lt;<i   =aba>", 'Empty attribute name in the tag "i" at byte offset 13'),
        ("🏟 🏟&lt;<i    aba>", 'Expected equal sign in declaration of an attribute of the tag "i" at byte offset 13'),
        ("🏟 🏟&lt;<i    aba  =  ", 'Unclosed start tag "i" at byte offset 13'),
        ("🏟 🏟&lt;<i    aba  =  190azAz-.,", "Unexpected end of name token at byte offset 27"),
        ('🏟 🏟&lt;<i    aba  =  "&lt;&gt;&quot;>', "Unclosed start tag at byte offset 13"),
        ("🏟 🏟&lt;</", "Unexpected end tag at byte offset 13"),
        ("🏟 🏟&lt;<b></b></", "Unexpected end tag at byte offset 20"),
        ("🏟 🏟&lt;<i>a</i   ", "Unclosed end tag at byte offset 17"),
        ("🏟 🏟&lt;<i>a</em   >", 'Unmatched end tag at byte offset 17, expected "</i>", found "</em>"'),
        ("5 < 6", 'Unsupported start tag "" at byte offset 2'),
        ("<br/>", 'Unsupported start tag "br/" at byte offset 0'),
        ("<span class='x'>a</span>", 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
        ("<b>x", 'Can\'t find end tag corresponding to start tag "b"'),
        ("<tg-emoji emoji-id='x'>a</tg-emoji>", "Invalid custom emoji identifier specified"),
    ],
)
def test_broken_html_is_refused(html: str, complaint: str) -> None:
    """Each mistake has Telegram's own complaint, with the offset in bytes."""
    with pytest.raises(BotApiError) as error:
        parse_html(html)
    assert error.value.description == f"Bad Request: can't parse entities: {complaint}"


@pytest.mark.parametrize(
    ("html", "text", "entities"),
    [
        ("", "", []),
        ("&lt;&gt;&amp;&quot;&laquo;&#12345678;", '<>&"&laquo;&#12345678;', []),
        ("➡️ ➡️<i>➡️ ➡️</i>", "➡️ ➡️➡️ ➡️", [("italic", 5, 5)]),
        ("🏟 🏟<i>🏟 &gt;<b aba   =   caba>&lt🏟</b></i>", "🏟 🏟🏟 ><🏟", [("italic", 5, 7), ("bold", 9, 3)]),
        ("🏟 🏟&lt;<i>🏟 🏟&lt;</>", "🏟 🏟<🏟 🏟<", [("italic", 6, 6)]),
        ("<u>a</u><ins>b</ins><s>c</s>", "abc", [("underline", 0, 1), ("underline", 1, 1), ("strikethrough", 2, 1)]),
        ("<tg-spoiler>a</tg-spoiler><span class='tg-spoiler'>b</span>", "ab", [("spoiler", 0, 1), ("spoiler", 1, 1)]),
        ("<blockquote>a</blockquote>", "a", [("blockquote", 0, 1)]),
        ("<blockquote expandable>a</blockquote>", "a", [("expandable_blockquote", 0, 1)]),
        ("<b></b>x", "x", []),
        ("  \n<b> x </b>\n", "x", [("bold", 0, 1)]),
        ("<pre><code>x</code></pre>", "x", [("pre", 0, 1), ("code", 0, 1)]),
        ('<pre><code class="language-py">x</code></pre>', "x", [("pre", 0, 1)]),
        ("<a>no address</a>", "no address", []),
    ],
)
def test_html_becomes_entities(html: str, text: str, entities: list[tuple[str, int, int]]) -> None:
    """Tags vanish, entities count UTF-16 units, white space around the text goes."""
    parsed, found = parse_html(html)
    assert parsed == text
    assert [(entity["type"], entity["offset"], entity["length"]) for entity in found] == entities


def test_languages_and_links() -> None:
    """A code block keeps its language, a link its address in full."""
    assert parse_html('<pre><code class="language-py">x</code></pre>')[1][0]["language"] == "py"
    assert parse_html('<a href="telegram.org?&lt;">x</a>')[1][0]["url"] == "http://telegram.org?<"
    assert parse_html("<a href='https://example.org/a?b=c&amp;d'>x</a>")[1][0]["url"] == "https://example.org/a?b=c&d"
    assert link("telegram.org") == "http://telegram.org/"
    assert link("tg://user?id=1") == "tg://user?id=1"
    assert link("javascript:alert(1)") is None
    assert link("ftp2://example.org") is None


def test_references_need_no_semicolon() -> None:
    """As in browsers, the known names are read without their semicolon, and longer words are left alone."""
    assert unescape("&lt &ltx &#65 &#x41;") == "< &ltx A A"


def test_commands_mentions_and_links_are_found() -> None:
    """Telegram marks them by itself, beside the entities that the sender set."""
    text = "😀 /start@some_bot see @someone_else, https://example.org/x. and a/b"
    found = {entity["type"]: entity for entity in with_detected(text, [])}
    assert set(found) == {"bot_command", "mention", "url"}
    assert (found["bot_command"]["offset"], found["bot_command"]["length"]) == (3, 15)
    assert found["url"]["length"] == len("https://example.org/x")
    marked = {"type": "code", "offset": 3, "length": 15}
    assert [entity["type"] for entity in with_detected(text, [marked])] == ["code", "mention", "url"]
