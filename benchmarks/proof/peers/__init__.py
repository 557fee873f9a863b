"""The other optimizers, each through its own package; start prompt, splits and reader are those of all arms."""
