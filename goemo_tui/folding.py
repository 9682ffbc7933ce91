"""Lines for a terminal, broken between words. What is no terminal gets them whole.

A word that is longer than the terminal is wide (a path, an id) stays whole, so that it can be copied.
"""

from __future__ import annotations

import os
import textwrap
from typing import TextIO


def folded(text: str, stream: TextIO) -> str:
    """`text` as `stream` should be given it. Lines that are indented hold something to be copied and stay as they are."""
    try:
        width = os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):  # no terminal, or closed
        return text
    if width < 20:  # a terminal that does not know how wide it is says 0
        return text
    return "\n".join(line if line.startswith(" ") else _fold(line, width) for line in text.split("\n"))


def _fold(line: str, width: int) -> str:
    if len(line) <= width:
        return line
    return textwrap.fill(
        line, width, break_long_words=False, break_on_hyphens=False, subsequent_indent="  ", replace_whitespace=False
    )
