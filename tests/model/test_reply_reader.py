"""Reading HTTP replies from bytes: wherever they are cut, and however many there are."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpo.model.http.reply_reader import BrokenReplyError, HTTPReply, ReplyReader, ReplyTooLargeError
from tests.support.raw_server import answer, chunked

HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def read(reader: ReplyReader, data: bytes, cuts: list[int]) -> HTTPReply | str:
    """What comes of `data`, cut at `cuts`."""
    places = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    reader.begin()
    try:
        for start, end in itertools.pairwise(places):
            if reader.feed(data[start:end]):
                return reader.reply()
        return reader.reply() if reader.finish() else "cut"
    except (BrokenReplyError, ReplyTooLargeError) as error:
        return type(error).__name__


REPLIES = [
    answer("hi", "X: 1"),
    HEAD + chunked(b"hello world", 3),
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No\r\nX: y\r\n\r\n",
    b"HTTP/1.0 503 \r\nRetry-After: 3\r\n\r\nwait",
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    b"HTTP/1.1 20 OK\r\n\r\n",
]


@given(st.sampled_from(REPLIES), st.lists(st.integers(1, 150), max_size=6))
def test_where_the_bytes_are_cut_changes_nothing(data: bytes, cuts: list[int]) -> None:
    assert read(ReplyReader(10_000), data, cuts) == read(ReplyReader(10_000), data, [])


def test_what_was_read_is_what_was_sent() -> None:
    assert read(ReplyReader(999), REPLIES[1], []) == HTTPReply(
        200, [(b"Transfer-Encoding", b"chunked")], b"hello world"
    )
    interim = read(ReplyReader(999), REPLIES[2], [])
    assert interim == HTTPReply(204, [(b"X", b"y")], b"")
    told = read(ReplyReader(999), b"HTTP/1.1 200 OK\r\nA: 1\r\na: 2 \r\nB:\r\n\r\n", [])
    assert isinstance(told, HTTPReply)
    assert told.texts() == {"a": "1, 2", "b": ""}


@pytest.mark.parametrize(
    ("data", "reusable"),
    [
        (answer(), True),
        (answer("hi", "Connection: close"), False),
        (answer(version="1.0"), False),
        (answer("hi", "Connection: keep-alive", version="1.0"), True),
        (answer() + b"x", False),
        (answer() + answer(), False),
        (HEAD + chunked(b"x", 1), True),
        (HEAD + chunked(b"x", 1) + b"more", False),
    ],
)
def test_a_connection_is_reusable_where_reply_and_bytes_end_together(data: bytes, reusable: bool) -> None:
    reader = ReplyReader(9999)
    assert reader.feed(data)
    assert reader.reusable == reusable
    assert reader.reply().status == 200
    if reusable:
        assert read(reader, answer("next"), []) == read(ReplyReader(9999), answer("next"), [])


def test_small_chunks_count_with_what_is_around_them() -> None:
    reader = ReplyReader(60_000)
    assert not reader.feed(HEAD)
    for _ in range(99):
        reader.feed(b"1\r\nx\r\n" * 100)
    with pytest.raises(ReplyTooLargeError):
        reader.feed(b"1\r\nx\r\n" * 100)


@pytest.mark.parametrize("line", [b"a: b\r\n", b"X-Long: " + b"x" * 5000 + b"\r\n"])
def test_headers_have_a_largest_size_in_one_piece_and_in_many(line: bytes) -> None:
    head = b"HTTP/1.1 200 OK\r\n" + line * (2**17 // len(line))
    for cuts in ([], list(range(0, len(head), 1000))):
        assert read(ReplyReader(10**9), head + b"Content-Length: 2\r\n\r\nhi", cuts) == "BrokenReplyError"
