"""Rows from the Hugging Face hub through the `datasets` library.

Only files of rows are read (Parquet, Arrow, JSON, CSV): loading scripts, pickles and archives are refused.
"""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from types import ModuleType
from typing import Final

from gpo.errors import ConfigError
from gpo.extras import install, is_installed
from gpo.task.benchmarks.spec import Record

OLDEST: Final = 4
"""From this version on `datasets` has no means to run code that comes with a data set."""
SECONDS: Final = 5.0
"""How long the hub may take to say whether it has a data set."""
READABLE: Final = ("parquet", "arrow", "json", "csv")

_ADDRESS = re.compile(r"hf:([\w.-]+/[\w.-]+)(?:/([\w.-]+))?(?:@([\w./-]+))?")


def read_address(address: str) -> dict[str, list[Record]]:
    """All splits of `hf:org/name`, `hf:org/name/CONFIGURATION`, each with `@REVISION` or without.

    Raises `ConfigError` as `read`, and where the address is not of that form.
    """
    match = _ADDRESS.fullmatch(address)
    if match is None:
        raise ConfigError(
            f"task.data: {address!a} is not an address on the Hugging Face hub; write hf:org/name, "
            "hf:org/name/CONFIGURATION or hf:org/name@REVISION"
        )
    return read(match[1], match[2], match[3], public=False)


def read(
    repo: str, config: str | None, revision: str | None, *, public: bool = True
) -> dict[str, list[Record]]:
    """The rows of every split of a data set. `public` leaves the user's token at home.

    Raises `ConfigError` in one line where `datasets` is missing or too old, where the hub does not answer within a
    few seconds, where there is no such data set, and where it is not made of files of rows.
    """
    if not is_installed("datasets"):
        raise ConfigError(
            f"task.data: reading {repo} from the Hugging Face hub needs datasets, which is not installed: "
            f"{install('datasets')}; or give the rows as files (a benchmark: --data-dir DIR)"
        )
    from huggingface_hub.utils.tqdm import disable_progress_bars

    token = False if public else None
    _check_reachable(repo, revision, token)
    library = _library()  # imported late: that takes seconds
    if public:
        # A benchmark is small: its bars would only stand in the way of the run's own progress.
        library.disable_progress_bars()
        disable_progress_bars()
    try:
        builder = library.load_dataset_builder(repo, config, revision=revision, token=token)
        if builder.name not in READABLE:
            raise ConfigError(
                f"task.data: {repo} on the Hugging Face hub is of {builder.name!a} files; only "
                f"{', '.join(READABLE)} are read"
            )
        builder.download_and_prepare()
        data = builder.as_dataset()
        return {str(split): part.to_list() for split, part in data.items()}
    except ConfigError:
        raise
    except Exception as error:  # whatever a third-party client raises, a person gets one line
        raise ConfigError(_failure(repo, error)) from None


def _library() -> ModuleType:
    library = importlib.import_module("datasets")
    if int(str(library.__version__).partition(".")[0]) < OLDEST:
        raise ConfigError(
            f"task.data: datasets {library.__version__} may run code that comes with a data set; "
            f'pip install "datasets>={OLDEST}"'
        )
    return library


def _check_reachable(repo: str, revision: str | None, token: bool | None) -> None:
    """One short question to the hub, because the library would try again for half a minute.

    Where the user says that there is no network, the library's own cache may still have the rows.
    """
    from huggingface_hub import HfApi, constants
    from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError, RevisionNotFoundError

    from gpo.model.local.download import hub_answers

    if Path(repo).exists():
        raise ConfigError(
            f"task.data: a folder {repo} lies here and would be read in place of the hub's data set; "
            "start from another folder, or write the path without hf:"
        )
    if constants.is_offline_mode():
        return
    problem = "does not answer"
    if hub_answers():
        try:
            HfApi().dataset_info(repo, revision=revision, timeout=SECONDS, token=token)
            return
        except (RepositoryNotFoundError, RevisionNotFoundError):
            at = f" at {revision}" if revision else ""
            raise ConfigError(
                f"task.data: the Hugging Face hub has no data set {repo}{at}, or it is not for everyone "
                "(then set HF_TOKEN)"
            ) from None
        except HfHubHTTPError as error:
            problem = f"answers {error.response.status_code}"
        except Exception as error:  # a lost connection, a time-out, an answer that is no JSON
            problem = f"does not answer properly ({type(error).__name__})"
    raise ConfigError(
        f"task.data: the Hugging Face hub {problem}, and {repo} is not here; give the rows as files "
        "(a benchmark: --data-dir DIR or GPO_DATA_DIR)"
    )


def _failure(repo: str, error: Exception) -> str:
    line = " ".join(str(error).split())[:300]
    if "scripts are no longer supported" in line:
        return (
            f"task.data: {repo} is a loading script, and code of a data set is never run; the hub's own conversion "
            f"may exist: hf:{repo}@refs/convert/parquet"
        )
    return f"task.data: {repo} cannot be read from the Hugging Face hub: {type(error).__name__}: {line}"
