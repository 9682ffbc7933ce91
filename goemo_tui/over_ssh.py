"""Set what Textual reads at its import, over a slow line: no animations, fewer frames, no blinking cursor.

Importing this module is the act; it has to come before textual, which reads these variables once.
"""

from __future__ import annotations

import os

REMOTE = any(os.environ.get(name) for name in ("SSH_CONNECTION", "SSH_TTY"))
"""True where the terminal sits at the other end of an SSH connection."""

if REMOTE:
    os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")
    os.environ.setdefault("TEXTUAL_FPS", "15")


def interval(rate: float) -> float:
    """Seconds between two looks at a living run, for the setting `update_rate` (looks a second); over SSH at least one."""
    return max(1 / rate, 1.0) if REMOTE else 1 / rate
