"""gpo+: what comes after the paper, a component a file (`docs/beyond.md`); `search` puts them together."""
