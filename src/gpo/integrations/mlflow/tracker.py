"""Tracks a run in MLflow."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gpo.config.masking import url_secrets
from gpo.extras import require
from gpo.integrations.tracking import TrackedRun, Tracker
from gpo.storage.atomic_write import encode_text

_MOST_PARAMS = 100
"""That MLflow takes at once."""
_NOT_IN_NAMES = re.compile(r"[^\w/.\- ]")
"""What MLflow refuses in the name of a parameter, such as the brackets of `prompts.chat[0]`."""


class MlflowTracker(Tracker):
    """Pass it as `watcher=`, or write `gpo optimize --track mlflow`.

    `tracking_uri` and `experiment` are those of `mlflow.set_tracking_uri` and `mlflow.set_experiment`; where they are
    left out, what was set there or in `MLFLOW_TRACKING_URI` and `MLFLOW_EXPERIMENT_NAME` decides, and the experiment
    is "gpo" without any of it. `run_id` is a run of MLflow that is there already: it is added to and not ended.
    MLflow's active run is left alone. Raises `ConfigError` where MLflow is not installed.
    """

    name = "mlflow"

    def __init__(
        self,
        *,
        tracking_uri: str | None = None,
        experiment: str | None = None,
        run_id: str | None = None,
        report: bool = True,
    ) -> None:
        super().__init__(report=report, run_id=run_id)
        require("mlflow", "mlflow", "tracking in MLflow")
        self._uri, self._experiment = tracking_uri, experiment

    def open_run(self, run_id: str | None, name: str) -> TrackedRun:
        """See `Tracker`."""
        from mlflow import MlflowClient

        client = MlflowClient(tracking_uri=self._uri)
        if self._run_id is not None:
            return _MlflowRun(client, self._run_id, ends=False)
        if run_id is None:
            created = client.create_run(_experiment(client, self._experiment), run_name=name)
            run_id = created.info.run_id
        else:
            client.update_run(run_id, status="RUNNING")
        return _MlflowRun(client, run_id, ends=True)

    @property
    def secrets(self) -> tuple[str, ...]:
        """See `Tracker`."""
        uri = self._uri or os.environ.get("MLFLOW_TRACKING_URI", "")
        named = ("MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN")
        return (*url_secrets(uri), *(value for key in named if (value := os.environ.get(key))))


class _MlflowRun:
    """See `TrackedRun`."""

    def __init__(self, client: Any, run_id: str, *, ends: bool) -> None:
        self._client, self.id, self._ends = client, run_id, ends

    def log_params(self, params: Mapping[str, str | float | bool]) -> None:
        from mlflow.entities import Param

        several = [Param(_NOT_IN_NAMES.sub("_", key), str(value)) for key, value in params.items()]
        for start in range(0, len(several), _MOST_PARAMS):
            self._client.log_batch(self.id, params=several[start : start + _MOST_PARAMS])

    def log_step(self, step: int, metrics: Mapping[str, float]) -> None:
        self._log(metrics, step)

    def log_summary(self, metrics: Mapping[str, float], tags: Mapping[str, str]) -> None:
        self._log(metrics, 0)
        for key, value in tags.items():
            self._client.set_tag(self.id, key, value)

    def log_prompts(self, prompts: Mapping[str, str]) -> None:
        for name, prompt in prompts.items():
            self._client.log_text(self.id, encode_text(prompt).decode(), f"prompts/{name}.txt")

    def log_file(self, path: Path) -> None:
        self._client.log_artifact(self.id, str(path))

    def close(self, status: str) -> None:
        if self._ends:
            ended = {"complete": "FINISHED", "budget": "FINISHED", "interrupted": "KILLED"}
            self._client.set_terminated(self.id, ended.get(status, "FAILED"))

    def _log(self, metrics: Mapping[str, float], step: int) -> None:
        from mlflow.entities import Metric

        now = int(1000 * time.time())
        self._client.log_batch(
            self.id, metrics=[Metric(key, value, now, step) for key, value in metrics.items()]
        )


def _experiment(client: Any, name: str | None) -> str:
    """The id of the experiment called `name`, which is made where there is none."""
    if name is None and (chosen := os.environ.get("MLFLOW_EXPERIMENT_ID")):
        return chosen
    name = name or os.environ.get("MLFLOW_EXPERIMENT_NAME") or "gpo"
    found = client.get_experiment_by_name(name)
    return str(client.create_experiment(name) if found is None else found.experiment_id)
