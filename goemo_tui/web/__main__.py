"""The app of one visitor: `python -m goemo_tui.web [DATA]`, started by the server with pipes for a terminal."""

from __future__ import annotations

import os
import sys

from goemo_tui.web import DRIVER


def main() -> int:
    """Run the app until its tab is closed."""
    if os.environ.get("TEXTUAL_DRIVER") != DRIVER:
        print("goemo-tui: goemo-tui --web starts this; by itself it has nobody to talk to", file=sys.stderr)
        return 2
    from goemo_tui.app import run_app

    return run_app(sys.argv[1] if len(sys.argv) > 1 else None, in_browser=True)


if __name__ == "__main__":
    sys.exit(main())
