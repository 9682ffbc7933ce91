"""How long work is listened to, and the one way in which it ends early: because it was asked to.

May not be raised for anything that went wrong.
"""

from __future__ import annotations

from collections.abc import Callable

from trainer.errors import GoemoError

Stop = Callable[[], bool] | None
"""Asked between batches; True ends the work with Cancelled."""

Tell = Callable[[int], None] | None
"""Hears after each batch how many rows are done."""


class Cancelled(GoemoError):
    """Downloading or tokenizing was cancelled. What is on disk can be gone on from."""

    exit_code = 130
