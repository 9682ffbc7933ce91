"""`python -m goemo_tui` is `goemo-tui`."""

from __future__ import annotations

import sys

from goemo_tui.cli import main

if __name__ == "__main__":
    sys.exit(main())
