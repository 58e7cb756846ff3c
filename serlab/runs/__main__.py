"""What ``python -m serlab.runs`` does."""

import sys

from serlab.runs.command_line import main

if __name__ == "__main__":
    sys.exit(main())
