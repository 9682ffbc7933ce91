"""One row of the table of comments as the terminal gets it: cells cut and aligned, found words marked.

The table's own way through Rich costs a millisecond a row, and a filter keystroke draws a page of rows.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from goemo_tui.safe_text import cells

RIGHT = (True, False, False, True)
"""Which of the columns are numbers, and stand at the right."""


@lru_cache(maxsize=1024)
def _at(row: int, column: int) -> Style:
    """What tells the mouse which cell it is on."""
    return Style.from_meta({"row": row, "column": column})


def row_strip(
    texts: Sequence[str],
    widths: Sequence[int],
    place: int,
    style: Style,
    marked: re.Pattern[str] | None = None,
    mark: Style | None = None,
) -> Strip:
    """The shown row at `place`; each cell has a blank at both sides of its `widths`.

    What `marked` finds in the comment (the second of `texts`) has the style `mark` on top.
    """
    segments: list[Segment] = []
    for column, (text, width, right) in enumerate(zip(texts, widths, RIGHT, strict=True)):
        own = style + _at(place, column)
        shown = cells(text, width)
        blank = " " * (width - cell_len(shown))
        before, after = (f" {blank}", " ") if right else (" ", f"{blank} ")
        if column == 1 and marked is not None:
            segments += [Segment(before, own), *_with_marks(shown, own, marked, mark), Segment(after, own)]
        else:
            segments.append(Segment(before + shown + after, own))
    return Strip(segments)


def _with_marks(text: str, style: Style, marked: re.Pattern[str], mark: Style | None) -> list[Segment]:
    segments: list[Segment] = []
    end = 0
    for found in marked.finditer(text):
        if found.start() > end:
            segments.append(Segment(text[end : found.start()], style))
        segments.append(Segment(found.group(), style + mark if mark else style))
        end = found.end()
    return [*segments, Segment(text[end:], style)] if end < len(text) else segments
