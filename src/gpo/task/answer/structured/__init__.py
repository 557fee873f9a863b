"""Answers that are JSON: reading them, and the schema that they fit."""
