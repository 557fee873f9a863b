"""Sums that a small model cannot do in its head: it may call a calculator and look up prices before it answers."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Mapping
from typing import Any

PRICES = {"apple": 37, "egg": 31, "lamp": 1799, "pen": 149, "rope": 518, "towel": 973}
"""In cents."""
TOOLS = """You have two tools:
calc(EXPRESSION) does a sum, such as calc(417 * 23)
price(THING) looks up what a thing costs, such as price(chair)"""
OPERATIONS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul}
TURNS = 4


def calculate(expression: str) -> str:
    """The value of a sum of whole numbers. What a model wrote is parsed, and never run."""

    def value(node: ast.AST) -> int:
        if isinstance(node, ast.Constant) and type(node.value) is int and abs(node.value) < 10**9:
            return node.value
        if isinstance(node, ast.BinOp) and type(node.op) in OPERATIONS:
            result: int = OPERATIONS[type(node.op)](value(node.left), value(node.right))
            return result
        raise ValueError

    try:
        return str(value(ast.parse(expression.strip()[:60], mode="eval").body))
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return "cannot be computed"


def look_up(thing: str) -> tuple[str, int | None]:
    """A thing's name, and what it costs in cents (None: it has no price)."""
    name = thing.strip(" '\"").lower().removesuffix("s")
    return name, PRICES.get(name)


def use_tool(reply: str) -> str | None:
    """What the first call in `reply` gives, None where there is none. A sum may look up prices itself."""
    call = re.search(r"\b(calc|price)\(((?:[^()]|\([^()]*\))*)\)", reply)
    if call is None:
        return None
    name, argument = call.groups()
    if name == "price":
        thing, cost = look_up(argument)
        return f"{thing} costs {cost}" if cost else f"{thing} has no price"
    filled = re.sub(r"\bprice\(([^()]*)\)", lambda found: str(look_up(found[1])[1] or found[0]), argument)
    return f"{filled.strip()} = {calculate(filled)}"


async def run(prompts: Mapping[str, str], row: Mapping[str, Any], model: Any) -> str:
    """The last reply: the model is asked again after each call of a tool, four times at most."""
    turns = [{"role": "user", "content": f"{TOOLS}\n\n{row['question']}\n{prompts['act']}"}]
    reply = ""
    for _ in range(TURNS):
        reply = await model(turns)
        seen = use_tool(reply)
        if seen is None:
            break
        turns += [
            {"role": "assistant", "content": reply},
            {"role": "user", "content": f"{seen}\n{prompts['go_on']}"},
        ]
    return reply


def metric(output: str, row: Mapping[str, Any]) -> tuple[float, str]:
    """1 where the last number of the last reply is the expected one."""
    numbers = re.findall(r"\d+", output.replace(",", ""))
    if numbers and int(numbers[-1]) == row["answer"]:
        return 1.0, ""
    said = f"it said {numbers[-1]}" if numbers else "it said no number"
    return 0.0, f"{row['answer']} is right, {said}"


metric.binary = True  # type: ignore[attr-defined]
