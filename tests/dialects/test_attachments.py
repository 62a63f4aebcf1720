"""Attachments as people name them: what goes out, and what is refused before anything does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowdbg.dialects.attachments import MIME_TYPES, read_attachments
from flowdbg.errors import UsageError

LONG = "https://a.example/" + "x" * 2031


@pytest.mark.parametrize(
    ("text", "url", "mime", "name"),
    [
        ("https://a.example/cat.png", "https://a.example/cat.png", "image/png", "cat.png"),
        ("https://a.example/CAT.JPEG", "https://a.example/CAT.JPEG", "image/jpeg", "CAT.JPEG"),
        ("https://a.example/c.gif?s=1#f", "https://a.example/c.gif?s=1#f", "image/gif", "c.gif"),
        ("https://a.example/c=image/webp", "https://a.example/c", "image/webp", "c"),
        ("https://a.example/c.png=IMAGE/JPEG", "https://a.example/c.png", "image/jpeg", "c.png"),
        ("https://a.example/?q=2=image/png", "https://a.example/?q=2", "image/png", ""),
        ("https://a.example/a%20b.png", "https://a.example/a%20b.png", "image/png", "a b.png"),
        ("https://a.example/..%2f..%2fb.png", "https://a.example/..%2f..%2fb.png", "image/png", ""),
        ("https://a.example/a%5cb.png", "https://a.example/a%5cb.png", "image/png", ""),
        ("https://a.example/%1b.png", "https://a.example/%1b.png", "image/png", ""),
        (
            f"https://a.example/{'x' * 252}.png",
            f"https://a.example/{'x' * 252}.png",
            "image/png",
            "",
        ),
        (LONG[:2044] + ".gif", LONG[:2044] + ".gif", "image/gif", ""),
    ],
)
def test_an_attachment_goes_out_with_its_type_and_a_name_that_may_stand(
    text: str, url: str, mime: str, name: str
) -> None:
    expected = {"kind": "url", "url": url, "mime_type": mime}
    assert read_attachments([text]) == [{**expected, **({"filename": name} if name else {})}]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("http://a.example/b.png", "not an https URL"),
        ("file:///etc/passwd.png", "not an https URL"),
        ("https:///b.png", "not an https URL"),
        ("https://[::1/b.png", "not an https URL"),
        ("https://a.example:port/b.png", "not an https URL"),
        ("https://a.example/a b.png", "not an https URL"),
        ("https://a.example/a\nb.png", "not an https URL"),
        ("cat.png", "not an https URL"),
        ("https://a.example/b", "cannot be told from its ending"),
        ("https://a.example/b.svg", "cannot be told from its ending"),
        ("https://a.example/b=image/svg+xml", "'image/svg+xml' cannot be attached"),
        (LONG + ".png", "2053 characters; 2048 are possible"),
    ],
)
def test_what_a_server_may_not_be_given_is_refused(text: str, says: str) -> None:
    with pytest.raises(UsageError) as refused:
        read_attachments([text])
    assert says in refused.value.what
    assert refused.value.next_step


def test_ten_are_enough() -> None:
    one = "https://a.example/b.png"
    assert len(read_attachments([one] * 10)) == 10
    with pytest.raises(UsageError, match="11 attachments are too many"):
        read_attachments([one] * 11)


@given(st.text(max_size=80), st.sampled_from(["", "https://a.example/"]), st.booleans())
def test_whatever_is_typed_is_refused_or_obeys_the_rules(
    text: str, before: str, typed: bool
) -> None:
    try:
        (sent,) = read_attachments([f"{before}{text}{'=image/png' * typed}"])
    except UsageError:
        return
    assert sent["url"].startswith("https://")
    assert len(sent["url"]) <= 2048
    assert sent["mime_type"] in MIME_TYPES.values()
    name = sent.get("filename", "")
    assert not {"/", "\\"} & set(name)
    assert ".." not in name
