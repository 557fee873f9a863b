"""Entry point of `benchmarks.proof.covariate`, which says what it does."""

import sys

from benchmarks.proof.covariate import main

if __name__ == "__main__":
    sys.exit(main())
