"""onnxruntime, which notes who runs what for its maker, is loaded without that. Looked for are the files."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

CALLS = {
    "bge": "embedder._load_bge(local_files_only=True)",
    "minilm": "embedder._load_minilm(Path('none.onnx'), Path('none.json'))",
}
PROGRAM = """
import sys
from pathlib import Path
from gpo.model import embedder
try:
    {call}
except Exception:
    pass
assert "onnxruntime" in sys.modules
"""


def files_of(program: str, home: Path) -> list[Path]:
    """What the program writes under its home, in which it has every folder of the user's."""
    home.mkdir()
    places = {
        name: str(home / name.lower()) for name in ("XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME")
    }
    # Only these: onnxruntime keeps still by itself where CI, GITHUB_ACTIONS or one of a dozen like them is set.
    environment = {
        name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "LANG") if name in os.environ
    }
    environment |= {"HOME": str(home), "GPO_HOME": str(home / "gpo"), "HF_HUB_OFFLINE": "1", **places}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True, timeout=100)
    return [path for path in home.rglob("*") if path.is_file()]


def test_left_to_itself_it_writes_a_device_id(tmp_path: Path) -> None:
    names = {path.name for path in files_of("import onnxruntime", tmp_path / "home")}
    if "deviceid" not in names:
        pytest.skip("this onnxruntime writes no device id here, so the tests below show nothing")


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_loaded_by_gpo_it_writes_nothing(call: str, tmp_path: Path) -> None:
    found = files_of(PROGRAM.format(call=call), tmp_path / "home")
    assert [path for path in found if "gpo" not in path.relative_to(tmp_path).parts] == []
