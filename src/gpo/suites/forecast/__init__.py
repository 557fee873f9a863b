"""How large a suite is, before any call."""
