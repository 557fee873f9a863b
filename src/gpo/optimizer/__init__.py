"""The paper: the four parts, the meta-prompt, the methods and the loop."""
