"""`python -m headrace.twin.github`: prints `listening URL`, and serves until interrupted."""

import sys

from headrace.twin.github.run import main

if __name__ == "__main__":
    sys.exit(main())
