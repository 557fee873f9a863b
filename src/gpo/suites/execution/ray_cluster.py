"""Finding Ray, starting it here or connecting to a cluster. Ray is an extra: it is imported when it is asked for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from gpo.errors import ConfigError
from gpo.extras import install

_STARTS = 4


def import_ray() -> Any:
    """The `ray` package. Raises `ConfigError` where it is not installed."""
    # Ray reports usage to its makers unless told not to, and copies the project to each worker under `uv run`.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")
    try:
        import ray
    except ModuleNotFoundError as error:
        if error.name != "ray":
            raise
        raise ConfigError(f"--ray needs ray, which is not installed: {install('ray')}") from None
    return ray


def start_ray(ray: Any, address: str, **settings: Any) -> None:
    """`ray.init` without its talk. Raises what that raises.

    Started here, it is tried again: on a busy machine its processes may need longer than the half minute they get.
    """
    settings = {"log_to_driver": False, "logging_level": "ERROR", **settings}
    if address == "local":
        settings["include_dashboard"] = False
    for left in reversed(range(_STARTS if address == "local" else 1)):
        try:
            ray.init(address=address, **settings)
            return
        except Exception as error:
            ray.shutdown()
            if not left or "timed out" not in str(error):
                raise


@contextmanager
def connect(ray: Any, address: str) -> Iterator[None]:
    """Ray, initialised; shut down again where this began it. Raises `ConfigError` where it cannot be reached."""
    if ray.is_initialized():
        yield
        return
    try:
        start_ray(ray, address)
    except Exception as error:
        # Ray raises ConnectionError, ValueError, RuntimeError and more, each with a page of advice.
        advice = (
            "start one with: ray start --head" if address == "auto" else "does it run, in the same version?"
        )
        raise ConfigError(f"--ray {address}: cannot be reached ({first_line(error)}); {advice}") from None
    try:
        yield
    finally:
        ray.shutdown()


def first_line(error: Exception) -> str:
    """What `error` says first, in at most 200 characters."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:200]
