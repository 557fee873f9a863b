"""The outcome of a run, as `result.json` has it."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, ClassVar, Literal, cast, get_args

from gpo.errors import RunError
from gpo.storage.typed import Record, build
from gpo.text import shorten

Status = Literal["complete", "budget", "interrupted"]
_LONGEST = 1e10  # seconds
_WAY_OUT = "remove it and run the same command again"


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitScores:
    """Mean scores of one prompt (0 to 1); None where the split was not evaluated."""

    dev: float | None = None
    test: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """The initial prompt's and the best prompt's scores."""

    initial: SplitScores = SplitScores()
    best: SplitScores = SplitScores()


@dataclass(frozen=True, slots=True, kw_only=True)
class Improvement:
    """Best minus initial prompt on test (0 to 1), paired by example; None where test was not evaluated.

    `ci_low` to `ci_high` is the 95 % interval, `verdict` what `gpo.evaluation.statistics.decide` says, `rows` how many
    examples were compared, and `detectable` the smallest gain that so many could have shown (None: none at all).
    """

    test: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    p_value: float | None = None
    verdict: str | None = None
    rows: int | None = None
    detectable: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleUsage:
    """`calls` sent with their tokens (`reasoning_tokens` are a part of `completion_tokens`), `cached` ones answered by
    the user's store, dollars (None: unknown)."""

    calls: int = 0
    cached: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    usd: float | None = None
    reasoning_tokens: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunUsage:
    """Usage by role."""

    task: RoleUsage = RoleUsage()
    optimizer: RoleUsage = RoleUsage()
    judge: RoleUsage | None = None
    """None: no model of a run's configuration grades."""
    embedder: RoleUsage | None = None
    """None: no model of a run's configuration embeds."""

    @property
    def roles(self) -> dict[str, RoleUsage]:
        """Those that there are, by name."""
        found = {name: getattr(self, name) for name in ("task", "optimizer", "judge", "embedder")}
        return {name: used for name, used in found.items() if used is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a run found and what it cost.

    `seconds` is wall time over all processes of the run. `steps` and `extra` hold plain JSON values; `extra`
    is for what is not in the fixed contract (embedder, warnings, the method's parts) and stands beside it.
    """

    status: Status
    initial_prompt: str
    best_prompt: str
    scores: Scores = Scores()
    improvement: Improvement = Improvement()
    steps: tuple[Mapping[str, Any], ...] = ()
    usage: RunUsage = RunUsage()
    seconds: float = 0.0
    seed: int = 0
    versions: Mapping[str, str] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)
    as_html: ClassVar[Callable[[Result], str]]
    """Set by the package, since what a result looks like is made of more than a result knows."""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values under the keys of `result.json`. A number that is not finite becomes None.

        Raises `ValueError` where `extra` names a key of the contract.
        """
        names = [item.name for item in fields(self) if item.name != "extra"]
        if taken := set(names) & set(self.extra):
            raise ValueError(f"extra keys of a result are keys of the contract: {', '.join(sorted(taken))}")
        plain = {name: getattr(self, name) for name in names}
        for name in ("scores", "improvement", "usage"):
            plain[name] = asdict(plain[name])
        if self.usage.judge is None:
            del plain["usage"]["judge"]
        finite: dict[str, Any] = _plain({**plain, **self.extra})
        return finite

    @property
    def best_prompts(self) -> dict[str, str]:
        """The best prompts by their names; of a run of one prompt without a name that one, as `prompt`."""
        named = self.extra.get("best_prompts")
        return dict(named) if isinstance(named, Mapping) else {"prompt": self.best_prompt}

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the run has to say of itself, a line each: replies that were cut, parameters left out, few test rows."""
        return tuple(self.extra.get("warnings", ()))

    def messages(self, row: Mapping[str, Any], reply: str | None = None) -> list[dict[str, str]]:
        """What is sent with the best prompt for `row`, which has the columns of the data: {"role", "content"} a turn.

        With the model's first `reply`, the second round, where the task has one. A base model's text is one turn with
        the role "text". Raises `ConfigError` for a column that `row` lacks and where there is no second round, and
        `RunError` for a result of a GPO that kept no template.
        """
        from gpo.result.messages import fill_messages

        return fill_messages(self.extra, row, reply)

    def __repr__(self) -> str:
        """Status, scores and the beginning of the best prompt."""
        initial, best = self.scores.initial, self.scores.best
        scores = "; ".join(
            f"{name} {_points(old)} → {_points(new)}"
            for name, old, new in (("dev", initial.dev, best.dev), ("test", initial.test, best.test))
            if (old, new) != (None, None)
        )
        return f"Result({self.status}; {scores or 'no scores'}; best prompt {_beginning(self.best_prompt)})"

    def _repr_html_(self) -> str:
        """How a notebook shows a result: prompts, scores, cost."""
        return type(self).as_html(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], source: str = "result") -> Result:
        """The inverse of `to_dict`; unknown keys go to `extra`. Raises `RunError` naming `source` and the key where one
        is missing or of another type."""
        record = Record(source, "", data, _WAY_OUT)
        for name in ("status", "initial_prompt", "best_prompt", "scores", "improvement", "steps", "usage"):
            if name not in data:
                record.refuse(name, "is missing")
        status = record.text("status")
        if status not in get_args(Status):
            record.refuse("status", f"must be one of {', '.join(get_args(Status))}")
        scores, usage = record.record("scores"), record.record("usage")
        return cls(
            status=cast(Status, status),
            initial_prompt=record.text("initial_prompt"),
            best_prompt=record.text("best_prompt"),
            scores=Scores(**{name: _scores(scores.record(name)) for name in ("initial", "best")}),
            improvement=_improvement(record.record("improvement")),
            steps=tuple(_step(step) for step in record.records("steps")),
            usage=RunUsage(
                **{role: build(RoleUsage, usage.record(role)) for role in ("task", "optimizer")},
                **{
                    role: build(RoleUsage, usage.record(role))
                    for role in ("judge", "embedder")
                    if usage.data.get(role) is not None
                },
            ),
            seconds=record.number("seconds", 0, _LONGEST) or 0.0,
            seed=int(record.number("seed") or 0),
            versions={name: record.record("versions").text(name) for name in record.record("versions").data},
            extra=_extra(record, {item.name for item in fields(cls)}),
        )

    def to_json(self) -> str:
        """`result.json`: indented, readable, valid JSON in valid UTF-8."""
        data = self.to_dict()
        text = json.dumps(data, ensure_ascii=False, indent=2, allow_nan=False)
        try:
            text.encode()
        except UnicodeEncodeError:  # lone surrogates: JSON can hold them only as escapes
            text = json.dumps(data, ensure_ascii=True, indent=2, allow_nan=False)
        return text + "\n"

    @classmethod
    def read(cls, path: Path) -> Result:
        """Read a `result.json`. Raises `RunError` with one line."""
        try:
            return cls.parse(path.read_bytes(), path)
        except OSError as error:
            raise RunError(f"{path}: cannot be read ({error.strerror})") from None

    @classmethod
    def parse(cls, content: bytes, path: Path) -> Result:
        """The result in the `content` of `path`. Raises `RunError` with one line that names the file and the key."""
        try:
            data = json.loads(content.decode("utf-8"))
        except (ValueError, RecursionError):
            raise RunError(f"{path}: is damaged; remove it and run the same command again") from None
        if not isinstance(data, dict):
            raise RunError(f"{path}: is no result of GPO; remove it and run the same command again")
        try:
            return cls.from_dict(data, str(path))
        except RecursionError:
            raise RunError(f"{path}: is damaged; remove it and run the same command again") from None


def _points(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f}"


def _beginning(prompt: str) -> str:
    return repr(shorten(prompt, 60))


def _scores(record: Record) -> SplitScores:
    return SplitScores(dev=record.share("dev"), test=record.share("test"))


def _improvement(record: Record) -> Improvement:
    record.number("test", -1, 1)
    for name in ("ci_low", "ci_high"):  # limits of few rows may lie beyond what a difference can be
        record.number(name, -100, 100)
    for name in ("p_value", "detectable"):
        record.share(name)
    return build(Improvement, record)


def _step(record: Record) -> dict[str, Any]:
    for name in ("step", "edit_limit", "edit_distance", "candidates_scored", "candidates_rejected"):
        record.count(name)
    for name in ("dev", "best_dev"):
        record.share(name)
    record.text("prompt")
    return {**record.data}


def _extra(record: Record, names: set[str]) -> dict[str, Any]:
    """What stands beside the contract. Checked is what a report reads."""
    for name in ("cached_tokens", "lost_attempts", "rows"):
        for key in record.record(name).data:
            record.record(name).count(key)
    for name in ("warnings", "reply_warnings"):
        if any(not isinstance(line, str) for line in record.items(name)):
            record.refuse(name, "must be a list of texts")
    record.text_or_none("embedder")
    record.number("optimism", -1, 1)
    for name in ("best_prompts", "initial_prompts"):
        for key in record.record(name).data:
            record.record(name).text(key)
    record.record("judge")
    return {key: value for key, value in record.data.items() if key not in names}


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
