"""The tables on docs/results.md are those of docs/suites, and none was lost in an edit of the text around them."""

from __future__ import annotations

from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"
SUITES = sorted(path.stem for path in (DOCS / "suites").glob("*.md"))
NOTHING = "–"


def first_table(text: str) -> dict[tuple[str, str], str]:
    """The entries of the first Markdown table in `text` by row and column."""
    block = next(block for block in text.split("\n\n") if block.lstrip().startswith("|"))
    lines = block.strip().splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split(" |")] for line in lines]
    return {
        (row[0], column): value
        for row in cells[2:]
        for column, value in zip(cells[0][1:], row[1:], strict=True)
    }


@pytest.mark.parametrize("name", SUITES)
def test_every_suite_stands_on_the_page_with_its_numbers(name: str) -> None:
    page = (DOCS / "results.md").read_text(encoding="utf-8")
    _, begin, rest = page.partition(f"<!-- {name}: begin -->")
    shown, end, _ = rest.partition(f"<!-- {name}: end -->")
    assert begin, f"docs/results.md has no place for {name}"
    assert end, f"docs/results.md has no end for {name}"
    made = first_table((DOCS / "suites" / f"{name}.md").read_text(encoding="utf-8"))
    columns = {column for (_, column), value in made.items() if value != NOTHING}
    assert columns, f"{name} has no numbers"
    assert first_table(shown) == {key: value for key, value in made.items() if key[1] in columns}
