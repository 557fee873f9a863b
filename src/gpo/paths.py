"""Where GPO keeps what outlives a run: the user-level call store, weights, embedders; where benchmarks lie.

`$GPO_HOME` wins; otherwise it is the platform's cache folder.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

CONFIG_FILE = Path("gpo.yaml")
"""The configuration where none is named."""


def home(environ: Mapping[str, str] | None = None, platform: str = sys.platform) -> Path:
    """The user-level folder: `$GPO_HOME`, or `gpo` in the user's cache folder. Not created here.

    Cache folders: `$XDG_CACHE_HOME` or ~/.cache (Linux and other Unix), ~/Library/Caches (macOS),
    %LOCALAPPDATA% (Windows).
    """
    env = os.environ if environ is None else environ
    if own := env.get("GPO_HOME"):
        return in_home(own)
    if platform == "darwin":
        return Path.home() / "Library" / "Caches" / "gpo"
    if platform == "win32":
        local = env.get("LOCALAPPDATA")
        return (Path(local) if local else Path.home() / "AppData" / "Local") / "gpo"
    # The XDG specification says that a relative path is to be ignored.
    cache = env.get("XDG_CACHE_HOME", "")
    return (Path(cache) if os.path.isabs(cache) else Path.home() / ".cache") / "gpo"


def data_dir(environ: Mapping[str, str] | None = None) -> Path | None:
    """The folder of benchmark rows that `$GPO_DATA_DIR` names, None where it is not set.

    Read by whoever starts a run (the command line, the Python functions) and passed on from there: what a run
    does must not depend on the environment of the code below.
    """
    env = os.environ if environ is None else environ
    own = env.get("GPO_DATA_DIR", "")
    return in_home(own) if own else None


def in_home(name: str | Path) -> Path:
    """`name` with a leading `~` or `~user` resolved; unchanged where there is no such user, so that whoever opens the
    file says that it is not there."""
    path = Path(name)
    try:
        return path.expanduser()
    except RuntimeError:
        return path
