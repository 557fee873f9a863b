"""The four parts of a method, an option each: what is known, what came before, how far to go, and how."""
