"""Entry point of `benchmarks.proof.pool`, which says what it does."""

import sys

from benchmarks.proof.pool import main

if __name__ == "__main__":
    sys.exit(main())
