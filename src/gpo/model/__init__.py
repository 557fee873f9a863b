"""Talking to LLMs behind one protocol."""
