"""What a configuration that is about to be written needs and this machine has not: said before the run that would fetch
or miss it. Fetches nothing."""

from __future__ import annotations

from collections.abc import Sequence

from gpo.extras import install, is_installed
from gpo.model.local.catalog import CATALOG
from gpo.model.local.weights import PREFIX, find

_GPO = "gpo"
_RECENCY = "{trajectory: recency}"


def starter_method() -> str:
    """The method that runs here as it is, as it stands in YAML: that of the paper, or, without what compares prompts by
    their embeddings, the same with the latest prompts in place of the most similar ones."""
    return _GPO if is_installed("fastembed") else _RECENCY


def method_lines(method: str) -> list[str]:
    """What a person should know of a `starter_method`."""
    if method == _GPO:
        return []
    return [
        f"{'method':<9}{method}, as the embedder of the default (method: gpo) is not installed: {install('embed')}"
    ]


def weights_lines(models: Sequence[str], config: str) -> list[str]:
    """What the next run fetches for `models` with its size, what they need installed, and how to name another one in
    the file `config`; nothing where all is here. Raises `ConfigError` for a local/NAME that is not registered."""
    lines: list[str] = []
    local = [name for name in dict.fromkeys(models) if name.startswith(PREFIX)]
    for name in local:
        bare = name.removeprefix(PREFIX)
        if find(bare) is None:
            lines.append(f"{'fetches':<9}{name} on its first run: {_size(CATALOG[bare].size)}, once")
    if local and not is_installed("xllamacpp"):
        lines.append(f"{'needs':<9}{install('local')}, which runs models on this machine")
    if lines:
        another = f"write it under models in {config}, or gpo init FILE --model NAME --base-url URL"
        lines.append(f"{'or':<9}another model: {another} (--out DIR for a second gpo.yaml)")
    return lines


def _size(count: int) -> str:
    """Bytes as decimal units."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:,.0f} MB"
