"""Entry point of `benchmarks.proof.headroom`, which says what it does."""

import sys

from benchmarks.proof.headroom import main

if __name__ == "__main__":
    sys.exit(main())
