"""What a run will need, before any call: calls, tokens, dollars, and how long its requests are."""
