"""The published protocols of the baselines, as their papers and their authors' code have them."""
