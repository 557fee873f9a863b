"""Entry point of `benchmarks.proof.replay`, which says what it does."""

import sys

from benchmarks.proof.replay import main

if __name__ == "__main__":
    sys.exit(main())
