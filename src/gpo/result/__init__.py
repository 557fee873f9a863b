"""The outcome of a run and what it says: scores, the verdict, the words that changed."""

from gpo.result.result import Result


def _as_html(result: Result) -> str:
    # A notebook asks the object itself; what draws it is loaded then, and knows the object.
    from gpo.result.notebook import render_result

    return render_result(result)


Result.as_html = _as_html
