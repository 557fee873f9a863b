"""The JSON schema of the configuration, for editors: made of the models, so that it says what they say."""

from __future__ import annotations

import json
from typing import Any

from gpo.config.schema import Config


def json_schema() -> dict[str, Any]:
    """Every key with its description, as JSON schema (draft 2020-12)."""
    schema = Config.model_json_schema()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "GPO configuration",
    }


def schema_text() -> str:
    """The same as the text of a file."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=True) + "\n"
