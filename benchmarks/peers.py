"""The other optimizers as contenders: how each of them scores a prompt on a set, in its own parallel way.

Caches off, no retries, the same turns on the wire. Where a contender has a choice it is the faster one, and where it
takes a metric it is the same cheap comparison.
"""

from __future__ import annotations

import asyncio
import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.clients import Prepare, Scoring, workers
from benchmarks.questions import LEAD, MAX_TOKENS, MODEL, SYSTEM, Question, right


@contextmanager
def dspy(url: str, concurrency: int, scratch: Path) -> Iterator[Prepare]:
    """`dspy.Evaluate` with as many threads, over a module that makes the call.

    The module is not a `Predict`, whose adapter would render other turns and parse fields out of the reply: this is
    less work than a program of users does.
    """
    model = _dspy_model(url, scratch)
    import dspy as library

    class Program(library.Module):  # type: ignore[misc, unused-ignore]
        def forward(self, user: str) -> Any:
            messages = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": user}]
            (text,) = model(messages=messages)
            return library.Prediction(answer=text)

    def metric(example: Any, prediction: Any, trace: Any = None) -> bool:
        return right(prediction.answer, example.expected)

    def prepare(asked: Sequence[Question]) -> Scoring:
        rows = [library.Example(user=i.user, expected=i.expected).with_inputs("user") for i in asked]
        evaluate = library.Evaluate(devset=rows, metric=metric, num_threads=concurrency, max_errors=1)
        return lambda: float(evaluate(Program()).score) / 100

    yield prepare


@contextmanager
def dspy_async(url: str, concurrency: int, scratch: Path) -> Iterator[Prepare]:
    """dspy's asynchronous way, `LM.acall`, which its `Evaluate` does not use."""
    model = _dspy_model(url, scratch)

    async def reply(item: Question) -> str:
        (text,) = await model.acall(messages=item.messages)
        return str(text)

    with asyncio.Runner() as runner:
        yield lambda asked: lambda: runner.run(workers(reply, asked, concurrency))


def _dspy_model(url: str, scratch: Path) -> Any:
    os.environ["DSPY_CACHEDIR"] = str(scratch)  # or it opens the user's own at import
    import dspy as library

    warnings.filterwarnings("ignore", message="Passing OpenAI-style message dictionaries")
    library.configure_cache(enable_disk_cache=False, enable_memory_cache=False)
    model = library.LM(
        f"openai/{MODEL}",
        api_base=url,
        api_key="none",
        cache=False,
        temperature=0.0,
        max_tokens=MAX_TOKENS,
        num_retries=0,
    )
    library.configure(lm=model)
    return model


@contextmanager
def gepa(url: str, concurrency: int, scratch: Path) -> Iterator[Prepare]:
    """The default adapter's batch evaluation, with as many LiteLLM workers as calls may be under way (not its 10)."""
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # or it asks the network at import
    import litellm  # noqa: F401 - the adapter would import it at the first call
    from gepa.adapters.default_adapter.default_adapter import DefaultAdapter, EvaluationResult

    def metric(data: Any, response: str) -> EvaluationResult:
        return EvaluationResult(float(right(response, data["answer"])), "")

    options = {"api_base": url, "api_key": "none", "temperature": 0.0, "max_tokens": MAX_TOKENS}
    adapter = DefaultAdapter(
        f"openai/{MODEL}",
        evaluator=metric,
        max_litellm_workers=concurrency,
        litellm_batch_completion_kwargs=options,
    )
    if adapter._lm is not None:
        adapter._lm.num_retries = 0

    def prepare(asked: Sequence[Question]) -> Scoring:
        batch: Any = [{"input": i.user, "additional_context": {}, "answer": i.expected} for i in asked]

        def score() -> float:
            scores = adapter.evaluate(batch, {"system_prompt": SYSTEM}).scores
            return float(sum(scores)) / len(scores)

        return score

    yield prepare


@contextmanager
def promptolution(url: str, concurrency: int, scratch: Path) -> Iterator[Prepare]:
    """A classification task evaluated over the API model, which brings its own loop and limit."""
    import pandas as pd
    from promptolution.llms.api_llm import APILLM
    from promptolution.predictors.first_occurrence_predictor import FirstOccurrencePredictor
    from promptolution.tasks.classification_tasks import ClassificationTask
    from promptolution.utils.prompt import Prompt

    model = APILLM(
        api_url=url,
        model_id=MODEL,
        api_key="none",
        max_concurrent_calls=concurrency,
        max_tokens=MAX_TOKENS,
        max_retries=0,
        client_kwargs={"max_retries": 0},
        call_kwargs={"temperature": 0},
    )
    predictor = FirstOccurrencePredictor(model, ["yes", "no"])

    def metric(expected: Sequence[str], predicted: Sequence[str]) -> float:
        return float(expected == predicted)

    def prepare(asked: Sequence[Question]) -> Scoring:
        frame = pd.DataFrame({"x": [i.text for i in asked], "y": [i.expected for i in asked]})
        task = ClassificationTask(frame, task_description="", metric=metric)
        prompt = Prompt(LEAD, downstream_template="<instruction>")
        return lambda: float(task.evaluate(prompt, predictor, system_prompts=SYSTEM).agg_scores[0])

    yield prepare
