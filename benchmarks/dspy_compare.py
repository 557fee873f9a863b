"""Entry point of `benchmarks.programs.compare`, which says what it does."""

import sys

from benchmarks.programs.compare import main

if __name__ == "__main__":
    sys.exit(main())
