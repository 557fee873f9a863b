"""Entry point of `benchmarks.programs.table`, which says what it does."""

import sys

from benchmarks.programs.table import main

if __name__ == "__main__":
    sys.exit(main())
