"""What is packed, and what is unpacked of a journal that was packed elsewhere."""

from __future__ import annotations

import json
import zlib

from gpo.model.model import Reply
from gpo.storage.codec import pack_reply, unpack_reply

LONG = "Well, " * 200_000
"""1.2 MB, as a model that repeats itself writes."""


def test_a_long_reply_is_packed_small_and_comes_back() -> None:
    packed = pack_reply(Reply(texts=(LONG,), finish_reasons=("length",)))
    assert len(packed) < len(LONG) / 50
    assert unpack_reply(packed).text == LONG


def test_what_was_packed_harder_comes_back_as_well() -> None:
    packed = zlib.compress(json.dumps([[LONG], ["length"]]).encode(), 9)
    assert unpack_reply(packed).texts == (LONG,)
