"""Entry point of `benchmarks.proof.shots`, which says what it does."""

import sys

from benchmarks.proof.shots import main

if __name__ == "__main__":
    sys.exit(main())
