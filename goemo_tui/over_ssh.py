"""Set what Textual reads at its import, over a slow line: no animations, fewer frames, no blinking cursor.

Importing this module is the act; it has to come before textual, which reads these variables once.
"""

from __future__ import annotations

import os

REMOTE = bool(os.environ.get("SSH_CONNECTION"))
"""True where the terminal sits at the other end of an SSH connection."""

if REMOTE:
    os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")
    os.environ.setdefault("TEXTUAL_FPS", "15")
