"""Numbers as people and models write them: digits, other notations, words, and what multiplies them."""
