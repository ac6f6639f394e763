"""Escaping by type: what somebody else wrote cannot mention, link, format or reorder."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.mrkdwn import (
    Mrkdwn,
    bold,
    clean,
    clip,
    code,
    date,
    join,
    lines,
    link,
    mention,
    mrkdwn,
    one_line,
    prose,
    quoted,
    width,
)

# surrogates included: a file name in a payload may hold half a character
TEXT = st.text(st.characters(exclude_categories=()), max_size=60) | st.text("<>&!@#*_~`|: \n\u202eaé😀א", max_size=30)


def test_a_broadcast_in_a_file_name_is_text() -> None:
    assert str(mrkdwn("*{file}* is ready", file="<!channel>.csv")) == "*&lt;!channel&gt;.csv* is ready"


def test_a_mention_made_here_is_a_mention() -> None:
    assert str(mrkdwn("{person} asked", person=mention("UMINA"))) == "<@UMINA> asked"


def test_a_user_id_that_is_none_is_text() -> None:
    assert str(mention("U1> <!channel")) == "U1&gt; &lt;!channel"


def test_markup_cannot_be_made_from_a_string() -> None:
    with pytest.raises(TypeError, match="made by mrkdwn"):
        Mrkdwn("<!channel>")


def test_markup_that_went_through_a_string_is_escaped_again() -> None:
    assert str(mrkdwn("{text}", text=f"{mention('UMINA')}")) == "&lt;@UMINA&gt;"


def test_braces_in_a_value_are_not_filled_in() -> None:
    assert str(mrkdwn("{a} {b}", a="{b}", b="{a.text}")) == "{b} {a.text}"


def test_numbers_have_thousands_separators() -> None:
    assert str(mrkdwn("{rows} rows", rows=1_204_000)) == "1,204,000 rows"


def test_names_with_underscores_stay_as_they_are() -> None:
    assert str(mrkdwn("{file}", file="support_tickets_v2.jsonl")) == "support_tickets_v2.jsonl"


@pytest.mark.parametrize("text", ["*bold*", "_italic_", "~struck~", "`code`", "```\nblock\n```", "a *b* c", "x* y *z"])
def test_formatting_of_others_is_not_formatting(text: str) -> None:
    assert not re.search(r"(?<!\u200b)[*_~`](?!\u200b)", str(mrkdwn("{text}", text=text)))


def test_a_quotation_of_others_is_not_a_quotation() -> None:
    assert str(mrkdwn("{text}", text="> quoted")) == "\u200b&gt; quoted"


def test_a_name_with_line_breaks_is_one_line() -> None:
    assert str(mrkdwn("{name}", name="a\r\n\n• b\x00\tc")) == "a • b c"


def test_at_channel_and_emoji_names_are_broken() -> None:
    assert str(mrkdwn("{text}", text="@channel :skull:")) == "@\u200bchannel :\u200bskull:"


def test_reordering_characters_are_dropped_and_right_to_left_names_are_isolated() -> None:
    assert str(mrkdwn("{name}", name="\u202egpj.exe")) == "gpj.exe"
    hebrew = "\u05e9\u05dc\u05d5\u05dd.csv"
    assert str(mrkdwn("*{name}*: 3 rows", name=hebrew)) == f"*\u2068{hebrew}\u2069*: 3 rows"


def test_half_a_character_becomes_the_replacement_character() -> None:
    assert str(mrkdwn("{name}", name="a\ud83d.csv")) == "a\ufffd.csv"


def test_our_own_prose_keeps_its_code_and_nothing_else() -> None:
    text = "Put it under `messages` or `a<b`, *please*."
    assert str(prose(text)) == "Put it under `messages` or `a&lt;b`, \u2217please\u2217."
    assert "`" not in str(prose("one ` alone"))


def test_code_cannot_be_ended_from_inside() -> None:
    assert str(code("a`b<!here>")) == "`a\u02cbb&lt;!here&gt;`"


def test_a_link_keeps_its_address_whole() -> None:
    assert (
        str(link("https://a.example/x?y=1&z=<2>|3", "a|b>"))
        == "<https://a.example/x?y=1&amp;z=%3C2%3E%7C3|a\u2223b&gt;>"
    )
    assert str(link("javascript:alert(1)", "a")) == "a"


def test_a_moment_has_a_fallback_in_utc() -> None:
    assert str(date(1_795_262_400_000)) == "<!date^1795262400^{date_short_pretty} at {time}|2026-11-21 12:00 UTC>"


def test_joining_leaves_out_what_is_empty() -> None:
    parts = [mrkdwn("a"), mrkdwn(""), bold(""), code(""), mrkdwn("b")]
    assert str(join(" · ", parts)) == "a · b"
    assert str(lines(*parts)) == "a\nb"


def test_a_quotation_is_one_short_line() -> None:
    assert str(quoted("What <is>\nit, " * 40, 20)) == "&gt; What &lt;is&gt; it, What…"


def test_cutting_never_splits_an_escape_or_a_mention() -> None:
    text = mrkdwn("{a} {person}", a="a & b", person=mention("UMINA"))
    cuts = {str(text.clipped(limit)) for limit in range(1, 30)}
    assert cuts == {"…", "a…", "a &amp;…", "a &amp; b…", "a &amp; b <@UMINA>"}


@given(TEXT, st.integers(1, 80))
def test_whatever_is_filled_in_no_markup_of_its_own_is_left(text: str, limit: int) -> None:
    for made in (
        mrkdwn("*{text}*", text=text),
        prose(text),
        code(text),
        bold(text),
        quoted(text, limit),
        mention(text),
    ):
        for version in (made, made.clipped(limit)):
            rest = re.sub(r"&(?:amp|lt|gt);|^<@[UW][A-Z0-9]+>$", "", str(version))
            assert not re.search(r"[<>&]", rest)
            assert "\n" not in rest
        assert width(str(made.clipped(limit))) <= limit
        str(made).encode()


@given(TEXT, st.integers(1, 80))
def test_clipping_plain_text_keeps_within_the_limit(text: str, limit: int) -> None:
    cut = clip(text, limit)
    assert width(cut) <= limit
    assert cut == one_line(text) or cut.endswith("…")
    clean(text).encode()
