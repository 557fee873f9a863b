"""A result as a notebook shows it. Styles are inline, since the page around it is not ours."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from gpo.result.result import Result
from gpo.result.verdict import few_rows, verdict
from gpo.result.word_diff import word_diff
from gpo.result.wording import cost_line, percent


def result_html(result: Result) -> str:
    """A fragment of HTML; every prompt is escaped."""
    scores = [
        (name, percent(own.dev), percent(own.test))
        for name, own in (("initial", result.scores.initial), ("best", result.scores.best))
    ]
    sentence = verdict(result)
    return Markup(
        _template().render(
            sentence=sentence,
            pieces=list(word_diff(result.initial_prompt, result.best_prompt)),
            best=result.best_prompt,
            scores=scores,
            cost=cost_line(result),
            warnings=[*(result.extra.get("reply_warnings") or ()), *filter(None, [few_rows(result)])],
        )
    )


@cache
def _template() -> Template:
    """Every value escaped."""
    own = Environment(
        loader=PackageLoader("gpo.result"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return own.get_template("notebook.html")
