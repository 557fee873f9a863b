"""Entry point of `benchmarks.proof.versus`, which says what it does."""

import sys

from benchmarks.proof.versus import main

if __name__ == "__main__":
    sys.exit(main())
