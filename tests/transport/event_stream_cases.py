"""Event streams and what they mean: the cases of the web platform tests, and those that bite.

Each case stands for one stream: its bytes, the events it dispatches as (type, data, id, retry),
and the id and reconnection time that hold at its end.
"""

from __future__ import annotations

from typing import NamedTuple

Event = tuple[str, str, str, int | None]

LONG = "x" * 2048


class Case(NamedTuple):
    name: str
    stream: bytes
    events: list[Event]
    last_id: str = ""
    retry: int | None = None


def message(data: str, last_id: str = "", retry: int | None = None) -> Event:
    return ("message", data, last_id, retry)


JSON_EVENT = b'event: step_output\ndata: {"eventType":"step_output","n":1}\n\n'
JSON_RESULT: Event = ("step_output", '{"eventType":"step_output","n":1}', "", None)

# https://github.com/web-platform-tests/wpt/tree/master/eventsource (format-*.any.js)
PLATFORM = [
    Case("wpt bom", b"\xef\xbb\xbfdata:1\n\n\xef\xbb\xbfdata:2\n\ndata:3\n\n",
         [message("1"), message("3")]),
    Case("wpt bom twice", b"\xef\xbb\xbf\xef\xbb\xbfdata:1\n\ndata:2\n\ndata:3\n\n",
         [message("2"), message("3")]),
    Case("wpt comments",
         f"data:1\r:\0\n:\r\ndata:2\n:{LONG}\rdata:3\n:data:fail\r:{LONG}\ndata:4\n\n".encode(),
         [message("1\n2\n3\n4")]),
    Case("wpt data before the final empty line",
         b"retry:1000\ndata:test1\n\nid:test\ndata:test2", [message("test1", "", 1000)], "", 1000),
    Case("wpt data", b"data:\n\ndata\ndata\n\ndata:test\n\n",
         [message(""), message("\n"), message("test")]),
    Case("wpt event", b"event:test\ndata:x\n\ndata:x\n\n", [("test", "x", "", None), message("x")]),
    Case("wpt event empty", b"event: \ndata:data\n\n", [message("data")]),
    Case("wpt id", b"id: 1\ndata:hello\n\ndata:again\n\n",
         [message("hello", "1"), message("again", "1")], "1"),
    Case("wpt id not ascii", "id: …\ndata:hello\n\n".encode(), [message("hello", "…")], "…"),
    Case("wpt id reset", b"id: 1\ndata:a\n\nid\ndata:b\n\ndata:c\n\n",
         [message("a", "1"), message("b"), message("c")]),
    Case("wpt id null", b"id:\x00\x00\ndata:x\n\nid: 2\ndata:y\n\nid:1\x00\ndata:z\n\n",
         [message("x"), message("y", "2"), message("z", "2")], "2"),
    Case("wpt field parsing",
         b"data:\0\ndata:  2\rData:1\ndata\0:2\ndata:1\r\0data:4\nda-ta:3\rdata_5\n"
         b"data:3\rdata:\r\n data:32\ndata:4\n\n", [message("\0\n 2\n1\n3\n\n4")]),
    Case("wpt retry", b"retry:3000\ndata:x\n\n", [message("x", "", 3000)], "", 3000),
    Case("wpt retry bogus", b"retry:3000\nretry:1000x\ndata:x\n\n", [message("x", "", 3000)],
         "", 3000),
    Case("wpt retry empty", b"retry\ndata:test\n\n", [message("test")]),
    Case("wpt unknown", b"data:test\n data\ndata\nfoobar:xxx\njustsometext\n:thisisacomment\n"
         b"data:test\n\n", [message("test\n\ntest")]),
    Case("wpt leading space", b"data:\ttest\rdata: \ndata:test\n\n", [message("\ttest\n\ntest")]),
    Case("wpt newlines", b"data:test\r\ndata\ndata:test\r\n\r", [message("test\n\ntest")]),
    Case("wpt null character", b"data:\0\n\n\n\n", [message("\0")]),
    Case("wpt utf-8", b"data:ok\xe2\x80\xa6\n\n", [message("ok…")]),
]  # fmt: skip

LINE_ENDS = [
    Case("lf", b"data: a\n\ndata: b\n\n", [message("a"), message("b")]),
    Case("cr", b"data: a\r\rdata: b\r\r", [message("a"), message("b")]),
    Case("crlf", b"data: a\r\n\r\ndata: b\r\n\r\n", [message("a"), message("b")]),
    Case("crlf then cr ends a block at once", b"data: a\r\n\r", [message("a")]),
    Case("cr then crlf", b"data: a\r\r\ndata: b\r\r\n", [message("a"), message("b")]),
    Case("lf then crlf", b"data: a\n\r\ndata: b\n\r\n", [message("a"), message("b")]),
    Case("lf cr is two line ends", b"data: a\n\rdata: b\n\r", [message("a"), message("b")]),
    Case("crlf between the lines of one event", b"event: x\r\ndata: a\r\ndata: b\r\n\r\n",
         [("x", "a\nb", "", None)]),
    Case("every line end in one event", b"data: a\rdata: b\r\ndata: c\ndata: d\n\n",
         [message("a\nb\nc\nd")]),
    Case("blank lines at the start", b"\n\n\ndata: a\n\n", [message("a")]),
    Case("one blank line at the start", b"\ndata: a\n\n", [message("a")]),
    Case("three line ends between blocks", b"data: a\n\n\ndata: b\n\n",
         [message("a"), message("b")]),
    Case("many blank lines between blocks", b"data: a\n\n\n\n\n\ndata: b\n\n\n\n",
         [message("a"), message("b")]),
    Case("blank crlf lines between blocks", b"data: a\r\n\r\n\r\n\r\ndata: b\r\n\r\n",
         [message("a"), message("b")]),
    Case("nothing but line ends", b"\n\r\n\r\r\n\n", []),
    Case("only cr", b"\r", []),
    Case("no line end at all", b"data: a", []),
    Case("empty stream", b"", []),
    Case("unicode line separators are text",
         "data: a\u2028b\u2029c\u0085d\x0b\x0ce\x1c\n\n".encode(),
         [message("a\u2028b\u2029c\u0085d\x0b\x0ce\x1c")]),
    Case("json with an escaped line end",
         b'data: {"a":"x\\r\\ny"}\n\n', [message('{"a":"x\\r\\ny"}')]),
]  # fmt: skip

FIELDS = [
    Case("the usual event", JSON_EVENT, [JSON_RESULT]),
    Case("several usual events", JSON_EVENT * 5, [JSON_RESULT] * 5),
    Case("type after the data", b"data: a\nevent: x\n\n", [("x", "a", "", None)]),
    Case("type between two data lines", b"data: a\nevent: x\ndata: b\n\n",
         [("x", "a\nb", "", None)]),
    Case("last type wins", b"event: x\nevent: y\ndata: a\n\n", [("y", "a", "", None)]),
    Case("an empty type takes the type back", b"event: x\nevent\ndata: a\n\n", [message("a")]),
    Case("type does not outlive its block", b"event: x\n\ndata: a\n\n", [message("a")]),
    Case("type message", b"event: message\ndata: a\n\n", [message("a")]),
    Case("type with spaces around", b"event:  x \ndata: a\n\n", [(" x ", "a", "", None)]),
    Case("usual event with a second data line", b"event: x\ndata: a\ndata: b\n\n",
         [("x", "a\nb", "", None)]),
    Case("only one space is taken off", b"data:  a \n\n", [message(" a ")]),
    Case("no space after the colon", b"event:x\ndata:a\n\n", [("x", "a", "", None)]),
    Case("a tab is not a space", b"data:\ta\n\n", [message("\ta")]),
    Case("colons in the value", b"data: a:b: c\n\n", [message("a:b: c")]),
    Case("value that looks like a field", b"data: data: a\nevent: event: x\n\n",
         [("event: x", "data: a", "", None)]),
    Case("fields that only resemble ours",
         b"Data: 1\nDATA: 2\ndata : 3\n data: 4\ndatas: 5\ndat: 6\ndata: a\n\n", [message("a")]),
    Case("line without a colon", b"event\ndata\nid\nretry\n\n", [message("")]),
    Case("block without data", b"event: x\nid: 1\n\ndata: a\n\n", [message("a", "1")], "1"),
    Case("blank data line first", b"data\ndata: a\n\n", [message("\na")]),
    Case("blank data line last", b"data: a\ndata:\n\n", [message("a\n")]),
    Case("three empty data lines", b"data:\ndata: \ndata\n\n", [message("\n\n")]),
    Case("many lines", b"data: l\n" * 500 + b"\n", [message("\n".join("l" * 500))]),
    Case("a line of four thousand characters", b"event: x\ndata: " + b"a" * 4000 + b"\n\n",
         [("x", "a" * 4000, "", None)]),
    Case("a blank line before a long line", b"\ndata: " + b"a" * 3000 + b"\n\n",
         [message("a" * 3000)]),
    Case("a long line between other fields",
         b"id: 7\ndata: " + b"a" * 3000 + b"\nevent: x\ndata\n\ndata: b\n\n",
         [("x", "a" * 3000 + "\n", "7", None), message("b", "7")], "7"),
]  # fmt: skip

COMMENTS = [
    Case("comments only", b": ping\n\n: ping\n\n:\n\n", []),
    Case("comment after an id brings no event", b"id: 1\ndata: a\n\n: ping\n\n: ping\n\n",
         [message("a", "1")], "1"),
    Case("comment inside an event", b"data: a\n: ping\ndata: b\n\n", [message("a\nb")]),
    Case("comment before an event", b": ping\nevent: x\ndata: a\n\n", [("x", "a", "", None)]),
    Case("comment that looks like data", b":data: a\n\n", []),
    Case("comments between usual events", JSON_EVENT + b": ping\n\n" + JSON_EVENT + b":\n\n",
         [JSON_RESULT, JSON_RESULT]),
]  # fmt: skip

IDS_AND_RETRY = [
    Case("id before type and data", b"id: 1\nevent: x\ndata: a\n\n", [("x", "a", "1", None)], "1"),
    Case("id after the data", b"data: a\nid: 1\n\n", [message("a", "1")], "1"),
    Case("last id wins", b"id: 1\nid: 2\ndata: a\n\n", [message("a", "2")], "2"),
    Case("id of a block without data sticks", b"id: 9\n\ndata: a\n\n", [message("a", "9")], "9"),
    Case("id of an unfinished block does not count", b"id: 1\ndata: a\n\nid: 2\ndata: b\n",
         [message("a", "1")], "1"),
    Case("id with a leading space inside", b"id:  1\ndata: a\n\n", [message("a", " 1")], " 1"),
    Case("id sticks to usual events", b"id: 1\n\n" + JSON_EVENT * 2,
         [(*JSON_RESULT[:2], "1", None)] * 2, "1"),
    Case("retry in a block without data", b"retry: 250\n\ndata: a\n\n", [message("a")], "", 250),
    Case("retry negative", b"retry: -5\ndata: a\n\n", [message("a")]),
    Case("retry with a plus", b"retry: +5\ndata: a\n\n", [message("a")]),
    Case("retry with an underscore", b"retry: 1_000\ndata: a\n\n", [message("a")]),
    Case("retry with a point", b"retry: 1.5\ndata: a\n\n", [message("a")]),
    Case("retry with a space behind", b"retry: 15 \ndata: a\n\n", [message("a")]),
    Case("retry in arabic digits", "retry: ١٢٣\ndata: a\n\n".encode(), [message("a")]),
    Case("retry in superscript digits", "retry: ²\ndata: a\n\n".encode(), [message("a")]),
    Case("retry with leading zeros", b"retry: 007\ndata: a\n\n", [message("a", "", 7)], "", 7),
    Case("retry of forty digits", b"retry: " + b"9" * 40 + b"\ndata: a\n\n",
         [message("a", "", int("9" * 40))], "", int("9" * 40)),
    Case("retry beyond every number", b"retry: " + b"9" * 5000 + b"\ndata: a\n\n", [message("a")]),
    Case("retry counts when its line ends, also in a block without end",
         b"retry: 5\n", [], "", 5),
    Case("retry of a line without end does not count", b"retry: 4\nretry: 5", [], "", 4),
    Case("retry of a later block without end", b"retry: 4\n\nretry: 5\ndata: a\n", [], "", 5),
    Case("retry that is none takes nothing back", b"retry: 4\n\nretry: x\n\n", [], "", 4),
    Case("retry that is none in a block without end", b"retry: 4\n\nretry: x\nretry\n", [], "", 4),
]  # fmt: skip

TEXT = [
    Case("bom is taken off once", b"\xef\xbb\xbfdata: a\n\n", [message("a")]),
    Case("bom before the usual event", b"\xef\xbb\xbf" + JSON_EVENT, [JSON_RESULT]),
    Case("bom alone", b"\xef\xbb\xbf", []),
    Case("bom inside data stays", b"data: \xef\xbb\xbfa\n\n", [message("\ufeffa")]),
    Case("half a bom is text", b"\xef\xbbdata: a\n\ndata: b\n\n", [message("b")]),
    Case("bom behind a line end is no bom", b"\n\xef\xbb\xbfdata: a\n\n", []),
    Case("two, three and four bytes", "data: é€😀\n\n".encode(), [message("é€😀")]),
    Case("utf-8 in the type", "event: é😀\ndata: a\n\n".encode(), [("é😀", "a", "", None)]),
    Case("lone continuation byte", b"data: a\x80b\n\n", [message("a\ufffdb")]),
    Case("broken sequence at the end of a line", b"data: a\xe2\x82\n\n", [message("a\ufffd")]),
    Case("broken sequence before a line of data", b"data: a\xf0\x9f\x98\ndata: b\n\n",
         [message("a\ufffd\nb")]),
    Case("broken sequence before cr", b"data: a\xe2\x82\r\r", [message("a\ufffd")]),
    Case("overlong encoding", b"data: \xc0\xaf\n\n", [message("\ufffd\ufffd")]),
    Case("encoded surrogate", b"data: \xed\xa0\x80\n\n", [message("\ufffd\ufffd\ufffd")]),
    Case("beyond unicode", b"data: \xf4\x90\x80\x80\n\n", [message("\ufffd" * 4)]),
    Case("latin-1 bytes", b"data: caf\xe9\n\n", [message("caf\ufffd")]),
    Case("bytes that never occur", b"data: \xff\xfe\n\n", [message("\ufffd\ufffd")]),
    Case("broken bytes in a field name", b"da\xffta: a\ndata: b\n\n", [message("b")]),
    Case("broken bytes in a long line", b"data: " + b"a" * 2000 + b"\xe2\x82\n\n",
         [message("a" * 2000 + "\ufffd")]),
    Case("nul in data", b"data: a\0b\n\n", [message("a\0b")]),
]  # fmt: skip

END_OF_STREAM = [
    Case("last blank line missing", JSON_EVENT + b"event: flow_completed\ndata: {}\n",
         [JSON_RESULT]),
    Case("last line end missing", JSON_EVENT + b"data: {}", [JSON_RESULT]),
    Case("only half of the first event", b"event: x\ndata: a\n", []),
    Case("cr at the very end completes a block", b"data: a\n\r", [message("a")]),
]  # fmt: skip

CASES = [*PLATFORM, *LINE_ENDS, *FIELDS, *COMMENTS, *IDS_AND_RETRY, *TEXT, *END_OF_STREAM]
