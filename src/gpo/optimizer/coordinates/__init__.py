"""Several prompts as blocks of coordinates: a step changes one of them, and the others are frozen."""
