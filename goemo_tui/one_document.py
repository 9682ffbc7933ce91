"""What `--json` promises: one document on stdout, also where a command ends in an error before it has printed any.

Looks at what is written and changes nothing of it. This module may not import textual.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from goemo_tui.safe_text import json_line


class Stdout:
    """A stream that knows whether anything was written to it. Everything else is the stream's own affair."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.written = False

    def write(self, text: str) -> int:
        """Write it."""
        self.written = self.written or bool(text)
        count: int = self._stream.write(text)
        return count

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def noticed() -> Iterator[Stdout]:
    """Stands in for `sys.stdout` meanwhile."""
    before = sys.stdout
    watched = Stdout(before)
    sys.stdout = watched
    try:
        yield watched
    finally:
        sys.stdout = before


def refusal(message: str) -> str:
    """The document of a command that came to nothing; its exit code says which kind of nothing."""
    return json_line({"error": message})
