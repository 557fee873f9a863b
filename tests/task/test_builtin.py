"""The builtin tasks from outside: every answer is worked out again from the text alone, by other means."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import random
import re
import subprocess
import sys
from collections import Counter
from importlib import resources
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpo.config.task import TaskConfig
from gpo.errors import ConfigError
from gpo.task.builtin import (
    boolean_expressions,
    describe,
    list_names,
    load,
    navigate,
    object_counting,
    tickets,
    tracking_shuffled_objects,
    word_sorting,
)

GENERATORS = {
    "navigate": navigate.generate,
    "object_counting": object_counting.generate,
    "word_sorting": word_sorting.generate,
    "tracking_shuffled_objects": tracking_shuffled_objects.generate,
    "boolean_expressions": boolean_expressions.generate,
}


def rows_of(name: str, n: int = 400, seed: int = 7) -> list[tuple[str, str]]:
    return [(str(row["input"]), str(row["target"])) for row in GENERATORS[name](random.Random(seed), n)]


def counts(rows: list[dict[str, object]]) -> Counter[str]:
    return Counter(str(row["target"]) for row in rows)


# --- the generators, each against an oracle that reads the text ---------------------------------------------


MOVE = re.compile(
    r"turn (?P<turn>left|right|around)"
    r"|(?P<n>\d+) [a-z]+ (?P<way>north|east|south|west|forward|back|to the left|to the right|straight ahead)\b"
)
TURNS = {"left": 1j, "right": -1j, "around": -1}
WAYS = {
    "north": 1j,
    "east": 1,
    "south": -1j,
    "west": -1,
    "forward": 1j,
    "back": -1j,
    "to the left": -1,
    "to the right": 1,
}


def walk_returns(text: str) -> bool:
    place: complex = 0
    heading: complex = 1j
    moves = text.split(":", 1)[1].split(".", 1)[0]
    for move in re.split(r", then |; |, ", moves.removesuffix(" (always facing the same way)")):
        found = MOVE.fullmatch(move.strip())
        assert found is not None, move
        if found["turn"]:
            heading *= TURNS[found["turn"]]
        elif found["way"] == "straight ahead":
            place += heading * int(found["n"])
        else:
            place += WAYS[found["way"]] * int(found["n"])
    return place == 0


def test_navigate_says_whether_the_walk_returns() -> None:
    rows = rows_of("navigate")
    assert Counter(target for _, target in rows) == {"Yes": 200, "No": 200}
    for text, target in rows:
        assert ("Yes" if walk_returns(text) else "No") == target, text


def test_navigate_gives_yes_and_no_walks_of_the_same_length() -> None:
    lengths: dict[str, list[int]] = {"Yes": [], "No": []}
    for text, target in rows_of("navigate", 2000):
        lengths[target].append(len(re.findall(r"\d+", text)))
    means = [sum(values) / len(values) for values in lengths.values()]
    assert abs(means[0] - means[1]) < 0.25


def test_object_counting_counts_the_sort_that_is_asked_for() -> None:
    worth = {"a": 1, "an": 1, "two": 2, "three": 3, "four": 4, "five": 5}
    rows = rows_of("object_counting", 480)
    for text, target in rows:
        listing, question = text.split(". ", 1)
        (asked,) = [sort for sort in object_counting.SORTS if sort in question]
        members = {word for pair in object_counting.SORTS[asked] for word in pair}
        # Every phrase of the listing is a number word and a noun; the opening holds no such pair of a sort.
        everything = {word for sort in object_counting.SORTS.values() for pair in sort for word in pair}
        pairs = re.findall(r"\b(an?|two|three|four|five) ([a-z]+)(?=,|$)", listing)
        assert len(pairs) == listing.count(",") + 1, listing
        assert all(noun in everything for _, noun in pairs), listing
        assert sum(worth[number] for number, noun in pairs if noun in members) == int(target), text
    assert Counter(int(target) for _, target in rows) == dict.fromkeys(range(3, 15), 40)


def test_object_counting_uses_each_noun_in_one_sort_and_the_right_article() -> None:
    nouns = [noun for sort in object_counting.SORTS.values() for pair in sort for noun in pair]
    assert len(nouns) == len(set(nouns))
    for text, _ in rows_of("object_counting"):
        assert not re.search(r"\ba [aeiou]|\ban [^aeiou]", text.split(". ")[0].replace("A theatre", "")), text


def test_word_sorting_sorts_the_words_that_are_given() -> None:
    known = {word for family in word_sorting.FAMILIES for word in family.split()}
    known |= set(word_sorting.SINGLES.split())
    assert all(re.fullmatch("[a-z]{3,10}", word) for word in known)
    for text, target in rows_of("word_sorting"):
        words = target.split()
        assert 4 <= len(words) <= 10
        assert len(set(words)) == len(words)
        assert words == sorted(words)
        given = re.search(r"(?:please:|dictionary:|words:|to Z[:.]|give to) (?P<words>.*?)(?:[.?]|$)", text)
        assert given is not None, text
        shown = re.split(r"[^a-z]+", given["words"])
        assert Counter(shown) == Counter(words), text
        assert shown != words


def test_tracking_follows_the_swaps() -> None:
    rows = rows_of("tracking_shuffled_objects", 399)
    for text, target in rows:
        story, *options = text.split("\n")
        start = story.split(": ", 1)[1].split(".")[0]
        held = {}
        for share in re.split(r", and |, ", start):
            who, what = share.replace(" takes ", " ").split(" ", 1)
            held[who] = what
        swaps = re.findall(r"([A-Z][a-z]+) and ([A-Z][a-z]+) swap", story)
        assert 2 <= len(swaps) <= 5
        for left, right in swaps:
            held[left], held[right] = held[right], held[left]
        question = re.split(r"swap [a-z]+\.", story)[-1]
        (asked,) = [who for who in held if who in question]
        assert f"{target} {held[asked]}" in options, text
        assert [option[:3] for option in options] == ["(A)", "(B)", "(C)"]
        assert {option[4:] for option in options} == set(held.values())
    assert Counter(target for _, target in rows) == {"(A)": 133, "(B)": 133, "(C)": 133}


def python_value(expression: str) -> bool:
    tree = ast.parse(expression, mode="eval")
    allowed = (ast.Expression, ast.BoolOp, ast.UnaryOp, ast.Not, ast.And, ast.Or, ast.Constant, ast.Load)
    assert all(isinstance(node, allowed) for node in ast.walk(tree)), expression
    value = eval(compile(tree, "expression", "eval"), {"__builtins__": {}})
    assert isinstance(value, bool)
    return value


def test_boolean_expressions_agree_with_python() -> None:
    rows = rows_of("boolean_expressions")
    for text, target in rows:
        found = re.search(r"(?:True|False|not|\()(?:[ ()]|True|False|not\b|and (?!prints)|or\b)*", text)
        assert found is not None
        assert str(python_value(found[0].strip())) == target, text
        assert 4 <= len(re.findall("True|False", found[0])) <= 8
    assert Counter(target for _, target in rows) == {"True": 200, "False": 200}


@pytest.mark.parametrize("name", GENERATORS)
def test_a_generator_repeats_itself_for_a_seed_and_never_repeats_an_input(name: str) -> None:
    first = rows_of(name, 1000, seed=3)
    assert first == rows_of(name, 1000, seed=3)
    assert first != rows_of(name, 1000, seed=4)
    assert len({text for text, _ in first}) == 1000


@given(name=st.sampled_from(sorted(GENERATORS)), seed=st.integers(), n=st.integers(0, 40))
@settings(max_examples=60, deadline=None)
def test_a_generator_makes_as_many_clean_rows_as_asked(name: str, seed: int, n: int) -> None:
    rows = rows_of(name, n, seed)
    assert len(rows) == n
    for text, target in rows:
        assert text == text.strip()
        assert text.isascii()
        assert text.replace("\n", "").isprintable()
        assert target
        assert not re.search("[{}]", text)


# --- the tickets --------------------------------------------------------------------------------------------


KEYWORDS = {
    "refund": r"refund|money back|return|cancel|reimburs",
    "delivery": r"deliver|ship(s|ped|ping|ment)?\b|parcel|package|courier|tracking|dispatch",
    "account": r"account|log in|logged (in|out)|login|sign(ed)? (in|out)|password|profile|username",
    "payment": r"\bpay|\bpaid|charge|\bcards?\b|invoice|\bbill|receipt|checkout|voucher|coupon",
    "product": r"product|\bitems?\b|\bmodels?\b|feature|broken|faulty|stock|\bsize|manual",
    "feedback": r"feedback|suggest|opinion|review|\bidea|complain|compliment|comment|recommend",
}


def test_the_tickets_file_is_clean_json_in_the_package() -> None:
    data = resources.files("gpo.task.builtin").joinpath("tickets.jsonl").read_bytes()
    assert data.endswith(b"\n")
    assert data.isascii()
    assert all(byte >= 32 or byte == 10 for byte in data)
    rows = [json.loads(line) for line in data.decode().splitlines()]
    assert len(rows) == 300
    assert rows == tickets.read_rows()
    for row in rows:
        assert list(row) == ["input", "target", "kind"]
        assert all(isinstance(value, str) and value.strip() == value and value for value in row.values())
        assert row["input"].isprintable()
        assert 5 <= len(row["input"].split()) <= 40
        assert not re.search(r"@|https?:|www\.", row["input"])


def test_the_tickets_are_balanced_and_differ() -> None:
    rows = tickets.read_rows()
    assert Counter(row["target"] for row in rows) == dict.fromkeys(tickets.LABELS, 50)
    assert Counter(row["kind"] for row in rows) == {"plain": 102, "indirect": 102, "distractor": 96}
    assert len({re.sub(r"\W+", " ", row["input"].lower()) for row in rows}) == 300


def test_no_two_tickets_are_nearly_the_same() -> None:
    from rapidfuzz import fuzz, process, utils

    texts = [row["input"] for row in tickets.read_rows()]
    alike = process.cdist(texts, texts, scorer=fuzz.ratio, processor=utils.default_process, score_cutoff=70)
    assert [(i, j) for i in range(300) for j in range(i) if alike[i][j] > 0] == []


def test_the_kind_of_a_ticket_says_which_keywords_it_holds() -> None:
    for row in tickets.read_rows():
        text, label = row["input"].lower(), row["target"]
        found = {queue for queue, words in KEYWORDS.items() if re.search(words, text)}
        if row["kind"] == "plain":
            assert found == {label}, text
        elif row["kind"] == "indirect":
            assert found == set(), text
        else:
            assert found - {label}, text


# --- names, splits, defaults --------------------------------------------------------------------------------


def test_every_name_is_described_in_one_line() -> None:
    assert list_names() == ("tickets", *GENERATORS)
    for name in list_names():
        line = describe(name)
        assert line
        assert line.isprintable()
        assert len(line) <= 110


@pytest.mark.parametrize("name", list_names())
def test_default_splits_are_disjoint_and_of_the_promised_sizes(name: str) -> None:
    splits, _ = load(name, seed=0, split=None)
    sizes = (50, 50, 200) if name == "tickets" else (48, 48, 144)
    assert {part: len(rows) for part, rows in splits.items()} == dict(
        zip(("train", "dev", "test"), sizes, strict=True)
    )
    inputs = [row["input"] for rows in splits.values() for row in rows]
    assert len(set(inputs)) == sum(sizes)
    assert all(list(row) == ["input", "target"] for rows in splits.values() for row in rows)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("name", [name for name in list_names() if name != "word_sorting"])
def test_every_split_has_the_same_mix_of_answers(name: str, seed: int) -> None:
    splits, _ = load(name, seed=seed, split=None)
    answers = {target for rows in splits.values() for target in counts(rows)}
    for rows in splits.values():
        found = counts(rows)
        for answer in answers:
            assert abs(found[answer] - len(rows) / len(answers)) <= 1


def test_small_splits_of_tickets_still_hold_every_queue_and_every_kind() -> None:
    kind_of = {row["input"]: row["kind"] for row in tickets.read_rows()}
    for seed in range(10):
        splits, _ = load("tickets", seed=seed, split={"train": 18, "dev": 24, "test": 60})
        for rows in splits.values():
            assert set(counts(rows)) == set(tickets.LABELS)
            kinds = Counter(kind_of[str(row["input"])] for row in rows)
            assert min(kinds.values()) >= len(rows) / 3 * 0.5


def test_rows_are_in_no_order_of_answers() -> None:
    splits, _ = load("tickets", seed=0, split=None)
    targets = [str(row["target"]) for row in splits["test"]]
    # Dealt round the queues, hardly any row would follow one of its own queue; shuffled, about one in six does.
    assert sum(a == b for a, b in pairwise(targets)) > 15


@pytest.mark.parametrize("name", list_names())
def test_format_and_demos_come_from_train(name: str) -> None:
    splits, _ = load(name, seed=1, split={"format": 5, "demos": 3})
    train = [row["input"] for row in splits["train"]]
    for part, size in (("format", 5), ("demos", 3)):
        inputs = [row["input"] for row in splits[part]]
        assert len(set(inputs)) == size
        assert set(inputs) <= set(train)


def test_another_seed_draws_other_rows() -> None:
    for name in list_names():
        assert load(name, seed=0, split=None) != load(name, seed=1, split=None)


@pytest.mark.parametrize("name", list_names())
def test_defaults_are_keys_of_the_task_section(name: str) -> None:
    splits, defaults = load(name, seed=0, split=None)
    prompt = defaults.pop("prompt")
    assert isinstance(prompt, str)
    assert prompt
    task = TaskConfig.model_validate({"data": f"gpo/{name}", **defaults})
    if task.answer.labels:
        assert set(task.answer.labels) == set(counts([row for rows in splits.values() for row in rows]))


def test_changing_the_returned_defaults_changes_no_later_load() -> None:
    _, defaults = load("navigate", seed=0, split=None)
    answer = defaults["answer"]
    assert isinstance(answer, dict)
    answer["kind"] = "text"
    again = load("navigate", seed=0, split=None)[1]["answer"]
    assert isinstance(again, dict)
    assert again["kind"] == "boolean"


def test_bad_requests_are_one_line() -> None:
    cases: list[tuple[str, dict[str, int] | None, str]] = [
        ("tickes", None, r"no builtin task 'tickes'; there are tickets, navigate, object_counting"),
        ("tickets", {"train": 101}, r"has 300 rows, but train, dev and test together ask for 351"),
        ("tickets", {"valid": 10}, r"unknown split 'valid'; there are train, dev, test, format, demos"),
        (
            "navigate",
            {"dev": 0},
            r"task\.split\.dev must be a whole number above 0 or a share below 1, not 0",
        ),
        ("navigate", {"train": 4, "format": 5}, r"task\.split\.format is 5, but .* train, which has 4"),
    ]
    for name, split, message in cases:
        with pytest.raises(ConfigError, match=message) as caught:
            load(name, seed=0, split=split)
        assert "\n" not in str(caught.value)
    with pytest.raises(ConfigError, match="no builtin task 'x'"):
        describe("x")


DIGEST = """
import hashlib, json
from gpo.task.builtin import list_names, load
everything = [load(name, seed=5, split={"train": 12, "dev": 12, "test": 30, "format": 4}) for name in list_names()]
print(hashlib.sha256(json.dumps(everything, sort_keys=True).encode()).hexdigest())
"""


def digest(hash_seed: str) -> str:
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    done = subprocess.run(
        [sys.executable, "-c", DIGEST], env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_the_rows_do_not_depend_on_the_hash_seed() -> None:
    assert digest("1") == digest("2")


GOLDEN = "8f5e747ff4c41450d3cbb50df1ebcbcbe6a732870006153aaddfdfc6eb200fbc"


def test_the_rows_are_the_same_on_every_python() -> None:
    """A change here changes every user's splits: it must be on purpose, and stand in the release notes."""
    everything = [
        load(name, seed=5, split={"train": 12, "dev": 12, "test": 30, "format": 4}) for name in list_names()
    ]
    assert hashlib.sha256(json.dumps(everything, sort_keys=True).encode()).hexdigest() == GOLDEN
