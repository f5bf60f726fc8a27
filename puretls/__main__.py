"""`python -m puretls`."""

import sys

from puretls.cli import main

if __name__ == "__main__":
    sys.exit(main())
