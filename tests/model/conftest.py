"""What tests of the engine need."""

from __future__ import annotations

import pytest

from gpo.errors import ModelError
from gpo.model.local import weights


@pytest.fixture(scope="session")
def smollm2() -> weights.GGUF:
    """The weights of the smallest model, fetched where they are not here; the test is skipped where they cannot be."""
    try:
        return weights.resolve("local/smollm2-135m")
    except ModelError as error:
        pytest.skip(f"the 135M model cannot be fetched: {error}")
