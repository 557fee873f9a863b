"""Entry point of `benchmarks.proof.versus_table`, which says what it does."""

import sys

from benchmarks.proof.versus_table import main

if __name__ == "__main__":
    sys.exit(main())
