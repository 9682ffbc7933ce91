"""A widget made of ready rows that repaints only the rows that changed.

Everything that moves while a run goes on is drawn through it, so that an update costs the terminal the changed rows
and nothing else. It knows no data: a subclass says what its rows are.
"""

from __future__ import annotations

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

Span = tuple[str, str]
"""A piece of text and the component class that colours it ("" for the widget's own colour)."""

Row = tuple[Span, ...]


def row_width(row: Row) -> int:
    """Cells that a row takes."""
    return sum(cell_len(text) for text, _ in row)


def fit(row: Row, width: int) -> Row:
    """The row cut to at most `width` cells; what does not fit is left out, a cut text ends in an ellipsis."""
    if row_width(row) <= width:
        return row
    kept: list[Span] = []
    left = width
    for text, style in row:
        cells = cell_len(text)
        if cells < left:
            kept.append((text, style))
            left -= cells
            continue
        if left > 0:
            kept.append(
                (set_cell_size(text, left - 1) + "…" if cells > left or len(kept) + 1 < len(row) else text, style)
            )
        break
    return tuple(kept)


def _row(rows: list[Row], y: int) -> Row:
    return rows[y] if y < len(rows) else ()


def _difference(old: Row, new: Row, y: int, width: int) -> Region:
    """The cells of row `y` from the first that differs to the last; the whole row where characters are not one wide."""
    before = [(char, style) for text, style in old for char in text]
    after = [(char, style) for text, style in new for char in text]
    if len(before) != row_width(old) or len(after) != row_width(new) or max(len(before), len(after)) > width:
        return Region(0, y, width, 1)
    blank = [(" ", "")]
    before += blank * (width - len(before))
    after += blank * (width - len(after))
    differ = [x for x in range(width) if before[x] != after[x]]
    if not differ:
        return Region(0, y, width, 1)
    return Region(differ[0], y, differ[-1] - differ[0] + 1, 1)


def _unseen(one: Style | None, other: Style) -> bool:
    """Whether a blank looks the same in both."""
    return (
        one is not None
        and one.bgcolor == other.bgcolor
        and not any(style.underline or style.reverse or style.strike or style.overline for style in (one, other))
    )


class Lines(Widget, can_focus=False):
    """Rows of spans. A subclass gives `rows(width, height)`; `redraw()` asks for them and paints the difference."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._rows: list[Row] = []
        self._rows_for: tuple[int, int] | None = None
        self._base = Style()
        self._styles: dict[str, Style] = {}
        self._behind: tuple[Color, Color] | None = None

    def rows(self, width: int, height: int) -> list[Row]:
        """The rows to show in `width` x `height` cells. Plain data in, plain data out: no painting happens here."""
        raise NotImplementedError

    def redraw(self) -> int:
        """Work the rows out again and repaint those that differ. Returns how many did (0: nothing is sent)."""
        width, height = self.size
        if not width or not height:
            self._rows_for = None
            return 0
        new = self.rows(width, height)
        old, known = self._rows, self._rows_for == (width, height)
        self._rows, self._rows_for = new, (width, height)
        if not known:
            self.refresh()
            return len(new)
        changed = [y for y in range(max(len(old), len(new))) if old[y : y + 1] != new[y : y + 1]]
        if changed:
            self.refresh(*(_difference(_row(old, y), _row(new, y), y, width) for y in changed))
        return len(changed)

    def render_lines(self, crop: Region) -> list[Strip]:
        """The rows of a region. Colours are worked out once for all of them, and anew where what lies behind changed.

        Textual forgets them at every repaint, which took a third of what an update costs.
        """
        behind = self.background_colors
        if behind != self._behind:
            self.notify_style_update()
            self._behind = behind
        self._base = self.rich_style
        return super().render_lines(crop)

    def notify_style_update(self) -> None:
        """Other rules: other colours."""
        self._styles.clear()
        super().notify_style_update()

    def render_line(self, y: int) -> Strip:
        """One row as Textual wants it."""
        width, height = self.size
        if self._rows_for != (width, height):
            self._rows, self._rows_for = self.rows(width, height), (width, height)
        base = self._base
        if y >= len(self._rows):
            return Strip.blank(width, base)
        segments: list[Segment] = []
        for text, name in self._rows[y]:
            style = self.style_of(name, base)
            before = segments[-1] if segments else None
            # a change of colour costs more than a word: blanks take the colour that is there, where nobody sees it
            if before and (before.style == style or (text.isspace() and _unseen(before.style, style))):
                segments[-1] = Segment(before.text + text, before.style)
            elif text:
                segments.append(Segment(text, style))
        return Strip(segments).adjust_cell_length(width, base)

    def style_of(self, name: str, base: Style) -> Style:
        """The colour behind a span's name, mixed with what lies behind it."""
        if not name:
            return base
        if name not in self._styles:
            self._styles[name] = self.get_component_rich_style(name)
        return self._styles[name]
