"""`python -m tuneroom`."""

import sys

from tuneroom.cli import main

if __name__ == "__main__":
    sys.exit(main())
