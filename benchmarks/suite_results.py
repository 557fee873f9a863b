"""Keep what a suite's runs came to as data, and render the tables of all that is kept.

`python -m benchmarks.suite_results SUITE.yaml OUT_DIR --data-dir DIR`: finished runs of OUT_DIR go into
results/suite-NAME.jsonl, one line each, beside those of earlier days; docs/suites/ gets the table and both figures,
docs/results.md the scores between its marks of that name. Questions are kept as hashes: rows of benchmarks stay where
they are. Only finished runs are read.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.results import RESULTS, ROOT, machine, say, versions
from gpo.suites.spec.grid import Grid, expand
from gpo.suites.spec.suite import Suite, load_suite
from gpo.suites.tables.figures import curve_figure, tradeoff_figure
from gpo.suites.tables.render import scores_markdown, to_csv, to_markdown
from gpo.suites.tables.report import notes
from gpo.suites.tables.run_outcome import TrialOutcome, read_outcome
from gpo.suites.tables.table import Table, build_table

DOCS = ROOT / "docs" / "suites"


def main() -> None:
    """Read, keep, render."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("suite")
    parser.add_argument("out", type=Path, help="what --out of gpo bench was")
    parser.add_argument("--data-dir", type=Path)
    arguments = parser.parse_args()
    for line in keep(arguments.suite, arguments.out, arguments.data_dir):
        say(line)


def keep(
    name: str, out: Path, data_dir: Path | None = None, *, results: Path = RESULTS, docs: Path = DOCS
) -> list[str]:
    """Bring the data of the suite in the file `name` up to date and render it; returns lines for a person."""
    suite = load_suite(name)
    trials = expand(suite, data_dir)
    path = results / f"suite-{suite.name}.jsonl"
    kept = {line["run_dir"]: line for line in _lines(path)}
    new = {line["run_dir"]: line for line in _finished(trials, out) if line["run_dir"] not in kept}
    order = [trial.run_dir for trial in trials.trials]
    if kept and not kept.keys() & set(order):
        raise SystemExit(
            f"{path}: no run of it is one of the suite; give the --data-dir that they were made with"
        )
    # Of runs that the suite no longer asks for nothing is kept.
    lines = [{**kept, **new}[name] for name in order if name in kept or name in new]
    path.write_text("".join(json.dumps(line, ensure_ascii=True) + "\n" for line in lines), encoding="utf-8")
    written = render(suite, trials, {line["run_dir"]: _outcome(line) for line in lines}, docs)
    return [
        *(f"written: {place}" for place in written),
        f"{len(new)} runs are new, {len(lines)} of {len(order)} are kept in {path}",
    ]


def render(suite: Suite, trials: Grid, outcomes: Mapping[str, TrialOutcome], folder: Path) -> list[Path]:
    """Write the table and the figures of `outcomes` by run directory; returns the
    files."""
    table = replace(build_table(suite.config, trials.slots, outcomes), notes=trials.notes)
    said = [*notes(suite.config, outcomes, len(trials.trials)), *table.notes]
    dev = suite.config.model_copy(update={"table": suite.config.table.model_copy(update={"metric": "dev"})})
    files = {
        f"{suite.name}.md": to_markdown(table, {}, said),
        f"{suite.name}.csv": to_csv(table),
        f"{suite.name}-tradeoff.svg": tradeoff_figure(table),
        f"{suite.name}-curve.svg": curve_figure(build_table(dev, trials.slots, outcomes)),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    page = folder.parent / "results.md"
    if page.exists():
        page.write_text(fill(page.read_text(encoding="utf-8"), suite.name, table), encoding="utf-8")
    return [folder / name for name in files]


def fill(page: str, name: str, table: Table) -> str:
    """`page` with the scores of `table` between the marks of `name`, without the columns that have none yet; as it
    is where there are no such marks."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    if begin not in page or end not in page:
        return page
    head, rest = page.split(begin, 1)
    tail = rest.split(end, 1)[1]
    full = tuple(
        column
        for column in table.columns
        if any(table.entry(row, column).mean is not None for row in table.rows)
    )
    shown = "\n\n".join(scores_markdown(replace(table, columns=full)))
    return f"{head}{begin}\n\n{shown}\n\n{end}{tail}"


def _lines(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _finished(trials: Grid, out: Path) -> Iterator[dict[str, Any]]:
    head = {
        "kept": datetime.now(UTC).date().isoformat(),
        "machine": machine(),
        "versions": versions(("gpo", "xllamacpp")),
    }
    for trial in trials.trials:
        found = read_outcome(trial.run_dir, out) if (out / trial.run_dir).is_dir() else None
        if found is not None:
            hashed = {example: _hash(question) for example, question in found.examples.items()}
            yield {**asdict(replace(found, examples=hashed)), **head}


def _hash(question: str) -> str:
    return hashlib.blake2b(question.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def _outcome(line: Mapping[str, Any]) -> TrialOutcome:
    names = TrialOutcome.__dataclass_fields__
    values = {key: value for key, value in line.items() if key in names}
    return TrialOutcome(**{**values, "steps": tuple(values["steps"])})


if __name__ == "__main__":
    main()
