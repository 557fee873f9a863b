"""`gpo schema`: the JSON schema of the configuration."""

from __future__ import annotations


def schema() -> None:
    """Print the JSON schema of gpo.yaml, for editors: every key with its description."""
    import sys

    from gpo.config.json_schema import schema_text

    sys.stdout.write(schema_text())
