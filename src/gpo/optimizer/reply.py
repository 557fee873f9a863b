"""From an optimizer model's reply to the prompt in it: tags, lead-ins, quotes and fences are taken off.

Weak optimizer models keep to the reply form only nearly. Judging what was read: see `gpo.optimizer.candidates`.
"""

from __future__ import annotations

import re

from gpo.task.prompt import find_placeholders

# Replies are untrusted and may be long: no pattern here takes more than linear time, so none has two neighbouring
# parts that could share the same characters.
_TAGGED = re.compile(r"<START>(.*?)(?:<END>|</START>|$)", re.IGNORECASE | re.DOTALL)
_CLOSED = re.compile(r"<END>|</START>", re.IGNORECASE)
_LEAD = re.compile(
    r"^(?:(?:sure|certainly|okay|ok|here|here['’]s|is|are|the|a|an|my|your|this|new|improved|modified|better|revised|updated"
    r"|optimized|rewritten|final)[\s,.!:]+)*prompt\s*:\s*",
    re.IGNORECASE,
)
# "Justification: … Here's the modified prompt:", with the prompt behind it. What a prompt itself says of "the user
# prompt" is none, so one word has to say that it is another one.
_ANNOUNCED = re.compile(
    r"(?:^|(?<=[.!\n])\s{0,3})here(?:['’]s|[ ]is)[ ](?:the|an?|my|your)[ ]((?:\w{1,20}[ ]){1,3})prompt\b"
    r"[^.:\n]{0,80}:\s{1,9}(?=\S)",
    re.IGNORECASE,
)
_FENCE = re.compile(r"^```[a-z]*[ \t]*\n(.*?)\n?```$", re.IGNORECASE | re.DOTALL)
_RENEWED = frozenset(
    ("new", "improved", "modified", "revised", "updated", "better", "final", "rewritten", "optimized")
)
# The tags without their brackets, in capitals: on a line of their own, or the last word where the first tag is whole.
_BARE_START = re.compile(r"^START[ \t]*:?[ \t]*\n\s*")
_END_LINE = re.compile(r"(?<=\n)END$")
_END_WORD = re.compile(r"(?<=\s)END$")
# Half a tag, or one with letters too many.
_BROKEN_START = re.compile(r"^<?/?[A-Z]{0,3}START>\s*")
_BROKEN_END = re.compile(r"(?:</?END>?|(?<!\w)/?END>)$")
# What nobody sees and a model reads: controls, bidirectional marks, zero-width characters and fillers, the variation
# selectors but those of emoji, and the plane of tags, in which whole sentences can hide.
_CONTROL = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    r"\u3164\ufe00-\ufe0d\ufeff\uffa0\ufff0-\ufffb\ud800-\udfff\U000e0000-\U000e0fff]"
)
_QUOTES = {'"': '"', "'": "'", "`": "`", "“": "”", "‘": "’", "«": "»"}


def read_reply(raw: str) -> str:
    """The prompt in a reply: the text between <START> and <END>, or the whole reply where there are no tags, without
    the quotes, the code fence or the leading "Here is the new prompt:" around it."""
    tagged = _TAGGED.search(raw)
    text = _CONTROL.sub("", tagged.group(1) if tagged else raw.replace("<END>", "")).strip()
    end = _END_WORD if tagged else _END_LINE
    for _ in range(3):  # quotes inside a fence inside a "Prompt:", in any order
        before = text
        text = _BROKEN_END.sub("", _BROKEN_START.sub("", text)).strip()
        text = end.sub("", _BARE_START.sub("", text)).strip()
        fence = _FENCE.match(text)
        text = _LEAD.sub("", fence.group(1) if fence else text).strip()
        text = _cut_announcement(text)
        if len(text) > 1 and _QUOTES.get(text[0]) == text[-1] and text[0] not in text[1:-1]:
            text = text[1:-1].strip()
        if text == before:
            break
    return text


def _cut_announcement(text: str) -> str:
    """`text` behind the last line that announces a prompt; a placeholder before that is a part of the prompt."""
    for announced in reversed(list(_ANNOUNCED.finditer(text))):
        renewed = not _RENEWED.isdisjoint(announced[1].lower().split())
        if renewed and not find_placeholders(text[: announced.start()]):
            return text[announced.end() :].strip()
    return text


def is_closed(raw: str) -> bool:
    """Whether the reply says where its prompt ends."""
    return _CLOSED.search(raw) is not None
