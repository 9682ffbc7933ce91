"""The one way in which long work on a corpus ends early: because it was asked to.

May not be raised for anything that went wrong.
"""

from __future__ import annotations

from trainer.errors import GoemoError


class Cancelled(GoemoError):
    """Downloading or tokenizing was cancelled. What is on disk can be gone on from."""

    exit_code = 130
