"""Texts to unit vectors, for the trajectory that shows the most similar prompts.

There are two embedders; their files come from the hub or out of wheels.
"""

from __future__ import annotations

import asyncio
import logging
import os
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from gpo.errors import ModelError
from gpo.paths import home

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BGE = "BAAI/bge-small-en-v1.5"
MINILM = "sentence-transformers/all-MiniLM-L6-v2 (int8)"
_MINILM_TOKENS = 256  # the publisher's maximum sequence length


class Embedder(Protocol):
    """Maps texts to vectors. Equal texts get equal vectors, whatever is embedded beside them."""

    @property
    def name(self) -> str:
        """Which embedder it is; a run records it and goes on with the same one."""

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """One vector of length 1 for each text."""


class LocalEmbedder:
    """An embedder in this process: `encode` turns one text into a vector, in a worker thread."""

    def __init__(self, name: str, encode: Callable[[str], NDArray[np.float32]]) -> None:
        self._name = name
        self._encode = encode

    @property
    def name(self) -> str:
        """Which embedder it is."""
        return self._name

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """One vector of length 1 for each text."""
        # Text by text: int8 models scale by the batch, so a neighbour would change the last digits.
        return await asyncio.to_thread(lambda: [_unit(self._encode(_clean(text))) for text in texts])


async def open_embedder(prefer: str | None = None) -> Embedder:
    """BGE (the paper's) where it is cached or the hub answers, else MiniLM out of wheels on PyPI.

    With `prefer`, the recorded name of a run that goes on, that one or none. Raises `ModelError`.
    """
    return await asyncio.to_thread(_open, prefer)


def _open(prefer: str | None) -> Embedder:
    why: list[str] = []
    for name, opener in ((BGE, _open_bge), (MINILM, _open_minilm)):
        if prefer not in (None, name):
            continue
        try:
            return LocalEmbedder(name, opener())
        except ModelError as error:
            why.append(str(error))
    if prefer and not why:
        raise ModelError(f"this run was begun with the embedder {prefer!r}, which this version does not know")
    if prefer:
        raise ModelError(f"this run was begun with the embedder {prefer}: {why[0]}")
    raise ModelError(
        f"no embedder for `trajectory: relevance`: {'; '.join(why)}; "
        "get online once, or choose `trajectory: recency`"
    )


def _open_bge() -> Callable[[str], NDArray[np.float32]]:
    from gpo.model.local.download import first_line, hub_answers

    try:
        return _load_bge(local_files_only=True)
    except Exception as error:
        missing = first_line(error)
    if not hub_answers():
        raise ModelError(f"{BGE} is not cached and the Hugging Face hub does not answer")
    try:
        return _load_bge(local_files_only=False)
    except Exception as error:  # whatever fastembed and the hub's client raise, there is another embedder
        raise ModelError(f"{BGE} cannot be loaded ({first_line(error) or missing})") from None


def _load_bge(*, local_files_only: bool) -> Callable[[str], NDArray[np.float32]]:
    _turn_telemetry_off()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from fastembed import TextEmbedding
        from huggingface_hub.utils.tqdm import disable_progress_bars
        from loguru import logger

        logger.disable("fastembed")
        disable_progress_bars()
        logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
        model = TextEmbedding(
            BGE,
            cache_dir=os.environ.get("FASTEMBED_CACHE_PATH") or str(home() / "fastembed"),
            threads=1,  # many short texts: more threads wait for each other
            local_files_only=local_files_only,
        )

    def encode(text: str) -> NDArray[np.float32]:
        import numpy as np

        return np.asarray(next(iter(model.embed([text], batch_size=1))), dtype=np.float32)

    return encode


def _open_minilm() -> Callable[[str], NDArray[np.float32]]:
    from gpo.model.local.catalog import MINILM_ONNX, MINILM_TOKENIZER
    from gpo.model.local.weights import pull

    return _load_minilm(pull(MINILM_ONNX.name), pull(MINILM_TOKENIZER.name))


def _load_minilm(onnx: Path, tokenizer_file: Path) -> Callable[[str], NDArray[np.float32]]:
    _turn_telemetry_off()
    import onnxruntime  # type: ignore[import-untyped]
    from tokenizers import Tokenizer

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(onnx), options, providers=["CPUExecutionProvider"])
    wanted = {entry.name for entry in session.get_inputs()}
    tokenizer = Tokenizer.from_file(str(tokenizer_file))
    tokenizer.no_padding()
    tokenizer.enable_truncation(_MINILM_TOKENS)

    def encode(text: str) -> NDArray[np.float32]:
        import numpy as np

        tokens = tokenizer.encode(text)
        columns: dict[str, Any] = {
            "input_ids": tokens.ids,
            "attention_mask": tokens.attention_mask,
            "token_type_ids": tokens.type_ids,
        }
        feed = {name: np.array([ids], dtype=np.int64) for name, ids in columns.items() if name in wanted}
        states = np.asarray(session.run(None, feed)[0], dtype=np.float32)
        # One text without padding: the mean over its tokens is the model's mean pooling.
        pooled: NDArray[np.float32] = states[0].mean(axis=0) if states.ndim == 3 else states[0]
        return pooled

    return encode


def _turn_telemetry_off() -> None:
    """Keep onnxruntime from writing a device id and a database of events under the user's cache folder, which it
    otherwise does as soon as it is imported (from 1.31 on); it sends them to its maker."""
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"


def _unit(vector: NDArray[np.float32]) -> list[float]:
    import numpy as np

    values = vector.astype(np.float64)
    length = float(np.linalg.norm(values))
    return [float(value) for value in values / (length or 1.0)]


def _clean(text: str) -> str:
    # The tokenizers are Rust and take no lone surrogates.
    return text.encode("utf-8", "replace").decode("utf-8")
