"""The OpenAI wire: one client, its JSON, and what can go wrong on it."""
