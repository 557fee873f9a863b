"""A result as a notebook shows it. Styles are inline, since the page around it is not ours."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from gpo.result.part_changes import match_parts
from gpo.result.result import Result
from gpo.result.verdict import describe_verdict, warn_of_few_rows
from gpo.result.wording import describe_cost, format_percent


def render_result(result: Result) -> str:
    """A fragment of HTML; every prompt is escaped."""
    scores = [
        (name, format_percent(own.dev), format_percent(own.test))
        for name, own in (("initial", result.scores.initial), ("best", result.scores.best))
    ]
    sentence = describe_verdict(result)
    return Markup(
        _template().render(
            sentence=sentence,
            parts=match_parts(result.initial_prompt, result.best_prompt),
            scores=scores,
            cost=describe_cost(result),
            warnings=[*(result.extra.get("reply_warnings") or ()), *filter(None, [warn_of_few_rows(result)])],
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
