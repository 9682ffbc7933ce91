"""What a figure of the corpus is made of: rows of spans, and the stops that a cursor can stand on.

Plain data between the modules that draw (corpus_views, heat_map) and the widget that shows (figures). Knows no corpus.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from goemo_tui.widgets.lines import Row


@dataclass(frozen=True)
class Stop:
    """A place for the cursor: `height` lines from body line `line`, `width` cells from cell `x` (0: the whole line).

    `filter` is the filter line that shows its rows ("" where there is none), `split` the split that has them ("": the
    one that is shown). `said` is the place in words. `sign` is drawn at `x` while the cursor is here.
    """

    line: int
    said: str
    filter: str = ""
    split: str = ""
    height: int = 1
    x: int = 0
    width: int = 0
    sign: str = "▸"


@dataclass(frozen=True)
class Figure:
    """`head` stays in sight above the `body`, which scrolls; `stops` go through the body line by line.

    `columns` stops stand side by side (1: a list). The first `frozen` cells of each body line, and all but the last
    `head_moves` rows of the head, stay where they are when the figure is scrolled sideways; `width` is its widest row.
    """

    title: str
    head: tuple[Row, ...] = ()
    body: tuple[Row, ...] = ()
    stops: tuple[Stop, ...] = ()
    columns: int = 1
    frozen: int = 0
    head_moves: int = 0
    width: int = 0
    empty: str = field(default="")
    """What stands in the place of the stops' words where there are none."""

    @classmethod
    def waiting(cls, title: str, said: str) -> Figure:
        """What stands there while it is worked out: the words where one looks first."""
        return cls(title, head=((), ((f"  {said}", "quiet"),)))

    @property
    def text(self) -> str:
        """Everything it says, without colours."""
        return "\n".join("".join(text for text, _ in row).rstrip() for row in (*self.head, *self.body))
