"""What a model thinks before it answers, taken off its text: only the answer goes on.

It is found by the marks that models and chat templates put around it. Texts are untrusted: nothing here takes more than
linear time.
"""

from __future__ import annotations

import re
from bisect import bisect
from dataclasses import replace

from gpo.model.finish import CUT
from gpo.model.model import Reply

_NAMES = (
    r"(?:think(?:ing)?|thoughts?|reason(?:ing)?(?:[_ ]content)?|antthinking|analysis|chain[_ ]of[_ ]thought|cot"
    r"|inner[_ ]?(?:thoughts?|monologue)|scratch[_ ]?pad)"
)
_OPEN = (
    rf"<\s{{0,3}}(?:[a-z]{{1,12}}:\s{{0,3}})?{_NAMES}(?:\s[^<>\n]{{0,80}})?>"
    rf"|<\s{{0,3}}[|｜]\s{{0,3}}(?:begin[_▁ ]of[_▁ ]|start[_ ])?{_NAMES}\s{{0,3}}[|｜]\s{{0,3}}>"
    r"|<\|inner_prefix\|>|<\|channel>\s{0,3}(?:thought|analysis)[^\S\n]*"
    rf"|\[\s{{0,3}}think(?:ing)?\s{{0,3}}\]|◁\s{{0,3}}{_NAMES}\s{{0,3}}▷"
)
_CLOSE = (
    rf"<\s{{0,3}}/\s{{0,3}}(?:[a-z]{{1,12}}:\s{{0,3}})?{_NAMES}\s{{0,3}}>"
    rf"|<\s{{0,3}}[|｜]\s{{0,3}}(?:end[_▁ ]of[_▁ ]|end[_ ]|/\s{{0,3}}){_NAMES}\s{{0,3}}[|｜]\s{{0,3}}>"
    r"|<\|inner_suffix\|>|<channel\|>"
    rf"|\[\s{{0,3}}/\s{{0,3}}think(?:ing)?\s{{0,3}}\]|◁\s{{0,3}}/\s{{0,3}}{_NAMES}\s{{0,3}}▷"
)
_TAG = re.compile(rf"(?P<open>{_OPEN})|(?P<close>{_CLOSE})", re.IGNORECASE)
_LEADING = re.compile(rf"\s*(?:{_OPEN})", re.IGNORECASE)
# Most replies hold none of these words, which is quickly seen.
_WORDS = ("think", "thought", "reason", "analysis", "cot", "monologue", "scratch", "inner", "channel")
_ANY = re.compile(
    r"[<\[◁/]\s{0,3}[|｜/]?\s{0,3}(?:[a-z]{1,12}:\s{0,3})?(?:[a-z]{1,12}[_▁ ]){0,2}"
    rf"(?:{_NAMES}|inner_|channel)",
    re.I,
)
# What some templates put around the answer that comes after the thoughts.
_ANSWER = re.compile(
    r"^\s*(?:<\s*(?P<tag>response|output|final(?:_answer)?)\s*>|<\|begin_of_solution\|>|<\|START_RESPONSE\|>)",
    re.I,
)
_ANSWER_END = re.compile(
    r"(?:<\s*/\s*(?:response|output|final(?:_answer)?)\s*>|<\|end_of_solution\|>|<\|END_RESPONSE\|>)\s*$",
    re.I,
)
_HARMONY = re.compile(
    r"\s*(?:<\|start\|>\s*(?:assistant)?\s*)?<\|channel\|>\s*(?:analysis|commentary|final)\b", re.I
)
_SEGMENT = re.compile(r"<\|channel\|>\s*(?P<name>[a-z]+)[^<]*?(?:<\|constrain\|>[^<]*)?<\|message\|>", re.I)
_SEGMENT_END = re.compile(r"<\|(?:end|return|call|start|channel)\|>", re.I)
# The same where a server strips the marks and leaves their words.
_BARE_HARMONY = re.compile(r"\s*analysis(?=\S)(?P<thoughts>.*?)assistantfinal(?P<answer>.*)", re.DOTALL)
_GRANITE = re.compile(
    r"\s*here(?: is|['’]s) my thought process:(?P<thoughts>.*?)here(?: is|['’]s) my response:(?P<answer>.*)",
    re.DOTALL | re.IGNORECASE,
)
_SPEAKER = re.compile(r"^\s*(?:<\|(?:im_start|start)\|>\s*)?assistant\s*\n(?=\s*[<\[◁])", re.I)
_QUOTES = "'\"`“”‘’«»"


def split_reasoning(text: str) -> tuple[str, str, bool]:
    """(answer, thoughts, ended) of a completion.

    Thoughts are a block in tags at the beginning (`<think>…</think>` and its relatives, in any spelling) or on lines of
    its own, all that stands before a closing tag that nothing opened (a template had written the opening one), and the
    channels of harmony markup other than the final one. A block that never ends leaves no answer: `ended` is False.
    Tags that stand in a sentence, in quotes, in code or in a form that a prompt asks for are text like any other.
    """
    if "<|channel|>" in text.lower()[:200] and _HARMONY.match(text):
        return _harmony(text)
    head = text[:400].lstrip()
    if head.startswith("analysis") and (found := _BARE_HARMONY.match(text)):
        return found["answer"].strip(), found["thoughts"].strip(), True
    if head[:4].lower() == "here" and (found := _GRANITE.match(text)):
        return found["answer"].strip(), found["thoughts"].strip(), True
    lower = text.lower()
    if not any(word in lower for word in _WORDS) or _ANY.search(text) is None:
        return text, "", True
    return _tagged(text)


def without_reasoning(reply: Reply) -> Reply:
    """`reply` with what was thought moved from its texts to its `reasoning`; one that broke off in its thoughts has an
    empty text, and its finish reason says that it was cut."""
    split = [split_reasoning(text) for text in reply.texts]
    if all(answer is text for text, (answer, _, _) in zip(reply.texts, split, strict=True)):
        return reply
    told = reply.reasoning or ("",) * len(reply.texts)
    reasons = reply.finish_reasons or ("",) * len(reply.texts)
    return replace(
        reply,
        texts=tuple(answer for answer, _, _ in split),
        reasoning=tuple(
            "\n\n".join(part for part in (known, thoughts) if part)
            for known, (_, thoughts, _) in zip(told, split, strict=True)
        ),
        finish_reasons=tuple(
            reason if ended else CUT for reason, (_, _, ended) in zip(reasons, split, strict=True)
        ),
    )


def _tagged(text: str) -> tuple[str, str, bool]:
    thoughts: list[str] = []
    rest = _SPEAKER.sub("", text, count=1)
    while found := _LEADING.match(rest):
        end = _end_of_block(rest, found.end())
        if end is None:
            return "", "\n\n".join([*thoughts, rest[found.end() :].strip()]).strip(), False
        thoughts.append(rest[found.end() : end.start()].strip())
        rest = rest[end.end() :]
    if (orphan := _orphan(rest)) is not None:
        thoughts.append(_TAG.sub("", rest[: orphan.start()]).strip())
        rest = rest[orphan.end() :]
    rest, inner = _blocks_on_lines(rest)
    thoughts += inner
    if rest is text:
        return text, "", True
    if start := _ANSWER.match(rest):
        rest = _ANSWER_END.sub("", rest[start.end() :])
    return rest.strip(), "\n\n".join(part for part in thoughts if part), True


def _end_of_block(text: str, start: int) -> re.Match[str] | None:
    """The closing tag of a block that began before `start`: its own, or the last one where thoughts mention tags."""
    depth, last = 1, None
    for tag in _TAG.finditer(text, start):
        if _is_quoted(text, tag):
            continue
        if tag["open"]:
            depth += 1
            continue
        depth, last = depth - 1, tag
        if not depth:
            return tag
    return last


def _orphan(text: str) -> re.Match[str] | None:
    """The last closing tag that ends thoughts whose beginning is not in the text."""
    depth, found = 0, None
    kept = _Kept(text)
    for tag in _TAG.finditer(text):
        if tag["open"]:
            depth += 1
        elif depth:
            depth -= 1
        elif not _is_quoted(text, tag) and not _in_sentence(text, tag) and not kept.holds(tag.start()):
            found = tag
    return found


def _blocks_on_lines(text: str) -> tuple[str, list[str]]:
    """`text` without the blocks whose tags stand at the ends of lines, as a model writes that thinks again in between;
    a form that a prompt asks for ("like this:") is kept, and so is what stands in code or in reply tags."""
    tags = list(_TAG.finditer(text))
    kept = _Kept(text) if tags else None
    parts: list[str] = []
    thoughts: list[str] = []
    place = 0
    for index, tag in enumerate(tags[:-1]):
        end = tags[index + 1]
        if tag["close"] or end["open"] or not _starts_line(text, tag.start()) or kept is None:
            continue
        asked_for = text[max(0, tag.start() - 80) : tag.start()].rstrip().endswith((":", "："))
        behind = text[end.end() : end.end() + 80]
        if asked_for or kept.holds(tag.start()) or not behind.startswith(("\n", "\r")) or not behind.strip():
            continue
        parts.append(text[place : tag.start()])
        thoughts.append(text[tag.end() : end.start()].strip())
        place = end.end()
    return ("".join([*parts, text[place:]]), thoughts) if thoughts else (text, [])


def _starts_line(text: str, place: int) -> bool:
    near = text[max(0, place - 80) : place]
    return not near.rpartition("\n")[2].strip() and ("\n" in near or place <= 80)


def _is_quoted(text: str, tag: re.Match[str]) -> bool:
    before, after = text[tag.start() - 1 : tag.start()], text[tag.end() : tag.end() + 1]
    return bool(before and before in _QUOTES and after and after in _QUOTES)


def _in_sentence(text: str, tag: re.Match[str]) -> bool:
    """Whether words go on around a closing tag on its line, as where somebody talks about it."""
    before, after = text[tag.start() - 1 : tag.start()], text[tag.end() : tag.end() + 1]
    if _starts_line(text, tag.start()):
        return after in (".", ",", ";", ":", ")")
    if before in (" ", "\t", "(") or before in tuple(_QUOTES):
        return after not in ("\n", "\r")
    return after in (",", ";", ")") or after in tuple(_QUOTES)


class _Kept:
    """Where a text holds tags as text: in fenced code, and in the reply tags of an optimizer model."""

    def __init__(self, text: str) -> None:
        self._fences = [found.start() for found in re.finditer("```", text)]
        lower = text.lower()
        self._first, self._last = lower.find("<start>"), lower.rfind("<start>")
        self._end = max(lower.rfind("<end>"), lower.rfind("</start>"))

    def holds(self, place: int) -> bool:
        number = bisect(self._fences, place)
        fenced = number % 2 == 1 and number < len(self._fences)
        return fenced or (0 <= self._first < place < self._end and self._last < place)


def _harmony(text: str) -> tuple[str, str, bool]:
    answers: list[str] = []
    thoughts: list[str] = []
    for found in _SEGMENT.finditer(text):
        end = _SEGMENT_END.search(text, found.end())
        body = text[found.end() : end.start() if end else len(text)].strip()
        (answers if found["name"].lower() == "final" else thoughts).append(body)
    return "\n\n".join(answers), "\n\n".join(part for part in thoughts if part), bool(answers)
