"""The terminal's own size, and no other.

A shell that exports COLUMNS and LINES (readline sets them too) tells the size that some window had once; Python, Rich
and Textual believe that before they ask the terminal, and draw for it until somebody drags an edge.
"""

from __future__ import annotations

import os
import sys

TOLD = ("COLUMNS", "LINES")


def believe_the_terminal() -> None:
    """Forget what the environment tells, where the terminal knows; one on a serial line may say 0, and be told."""
    try:
        known = all(os.get_terminal_size(sys.stdout.fileno()))
    except (OSError, ValueError):  # no terminal, or closed
        return
    if known:
        for name in TOLD:
            os.environ.pop(name, None)
