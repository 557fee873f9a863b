"""What a command shows on stderr while it works."""
