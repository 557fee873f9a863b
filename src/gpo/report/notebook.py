"""A result as a notebook shows it. Knows a `Result`; styles are inline, since the page around it is not ours."""

from __future__ import annotations

from markupsafe import Markup

from gpo.report.page import environment, percent
from gpo.report.terminal import cost_line
from gpo.report.verdict import few_rows, verdict
from gpo.report.words import word_diff
from gpo.run.result import Result


def result_html(result: Result) -> str:
    """A fragment of HTML; every prompt is escaped."""
    scores = [
        (name, percent(own.dev), percent(own.test))
        for name, own in (("initial", result.scores.initial), ("best", result.scores.best))
    ]
    text: str = (
        environment()
        .get_template("notebook.html")
        .render(
            sentence=verdict(result)
            if result.status == "complete"
            else f"{result.status}: {verdict(result)}",
            warning=few_rows(result),
            pieces=list(word_diff(result.initial_prompt, result.best_prompt)),
            best=result.best_prompt,
            scores=scores,
            cost=cost_line(result),
        )
    )
    return Markup(text)
