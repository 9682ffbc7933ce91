"""The one family of errors that users are meant to read.

Each says what happened, where, and what to do next; the command line prints it and leaves with `exit_code`.
Everything else that escapes is a defect.
"""

from __future__ import annotations


class GoemoError(Exception):
    """An error with a message for people. `exit_code` is what the command line leaves with."""

    exit_code = 1


class ConfigError(GoemoError):
    """A setting that cannot be used. `key` names it, so that a form can show the message beside its field."""

    exit_code = 2

    def __init__(self, message: str, key: str | None = None) -> None:
        super().__init__(message)
        self.key = key


class NotFoundError(GoemoError):
    """A run, model, encoder, file or split that is not there. The message says what makes or fetches it."""

    exit_code = 3


class CorpusError(GoemoError):
    """A corpus that cannot be used: nothing usable, or too many bad rows."""


class DownloadError(CorpusError):
    """A corpus that did not come. `what` says why, without what to do next, which differs from place to place."""

    def __init__(self, what: str, next: str) -> None:
        super().__init__(f"{what} {next}")
        self.what = what


class RunError(GoemoError):
    """Something asked of a run that its state does not allow."""


class ModelError(GoemoError):
    """A model folder that cannot be loaded."""
