"""Text for people on a terminal: lines that are too long are broken at blanks, not inside words. Nothing is done elsewhere.

What goes into a pipe or a file is left as it is, one thing a line.
"""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Sequence
from typing import IO

from goemo_tui.safe_text import clean


def wrapped(text: str, stream: IO[str] | None = None, indent: int = 0) -> str:
    """`text` cleaned, its lines as wide as the terminal that `stream` (stdout) is; what follows stands under `indent`."""
    text = clean(text, newlines=True)
    stream = sys.stdout if stream is None else stream
    if not stream.isatty():
        return text
    width = max(20 + indent, shutil.get_terminal_size().columns)
    return "\n".join(_wrapped(line, width, indent) for line in text.split("\n"))


def _wrapped(line: str, width: int, indent: int) -> str:
    if len(line) <= width:
        return line
    hanging = " " * max(indent, len(line) - len(line.lstrip(" ")))
    # a word that is longer than a line, a path most likely, is left to the terminal: so it can still be copied
    return textwrap.fill(
        line, width, subsequent_indent=hanging, break_long_words=False, break_on_hyphens=False, drop_whitespace=True,
        replace_whitespace=False,
    )  # fmt: skip


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A header and rows divided by tabs, for other programs."""
    return "\n".join("\t".join(clean(cell) for cell in row) for row in (header, *rows))
