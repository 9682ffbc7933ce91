"""The table of comments: rows are looked up when they are drawn, so a filter costs only the filter.

The comment takes what the other columns leave; whoever wants other widths gives them by key or drags a head's edge.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual import events
from textual.binding import Binding
from textual.coordinate import Coordinate
from textual.geometry import Size
from textual.message import Message
from textual.strip import Strip
from textual_fastdatatable import DataTable

from goemo_tui.services.column_widths import EMOTIONS, NUMBER, TOK, Widths, dragged, laid_out
from goemo_tui.services.corpus import COLUMNS, Rows, SplitColumns
from goemo_tui.widgets.measured import Measured
from goemo_tui.widgets.table_line import row_strip
from goemo_tui.widgets.table_rows import SHOWN, RowsBackend

EMPTY = "no comment fits: Esc, then x shows every row"


class CommentTable(DataTable, Measured, inherit_bindings=False):
    """Rows of a split; `show` gives it others in a few milliseconds. Posts `Looked` when the cursor moves."""

    ABOUT = "The comments of this split. Enter shows one in full below."
    BINDINGS = [
        Binding("enter", "select_cursor", "Show this comment in full", show=False),
        Binding("up,k", "cursor_up", "One row up", show=False),
        Binding("down,j", "cursor_down", "One row down", show=False),
        Binding("pageup,ctrl+u", "page_up", "One page up", show=False),
        Binding("pagedown,ctrl+d", "page_down", "One page down", show=False),
        Binding("home,g", "cursor_table_start", "First row", show=False),
        Binding("end,G", "cursor_table_end", "Last row", show=False),
    ]
    DEFAULT_CSS = """
    CommentTable { height: 1fr; background: $surface; overflow-x: hidden; scrollbar-gutter: stable; }
    CommentTable:dark { background: $surface; }
    CommentTable > .datatable--header { background: $surface; color: $quiet; text-style: bold; }
    CommentTable > .datatable--header-hover { background: $boost; color: $accent; }
    CommentTable > .datatable--header-cursor { background: $surface; }
    CommentTable > .datatable--even-row { background: $surface; }
    CommentTable:dark > .datatable--even-row { background: $surface; }
    CommentTable > .datatable--cursor {
        background: $block-cursor-blurred-background; color: $block-cursor-blurred-foreground;
    }
    CommentTable:focus > .datatable--cursor {
        background: $block-cursor-background; color: $block-cursor-foreground; text-style: $block-cursor-text-style;
    }
    CommentTable > .datatable--hover { background: $boost; }
    CommentTable > .table--edge { color: $quiet; }
    CommentTable > .table--found { color: $accent; text-style: bold underline; }
    """

    COMPONENT_CLASSES = {"table--edge", "table--found"}

    class Widened(Message):
        """Somebody gave the columns other widths."""

        def __init__(self, widths: Widths) -> None:
            super().__init__()
            self.widths = widths

    class Looked(Message):
        """The cursor is on another row of the split (None: no row is shown)."""

        def __init__(self, row: int | None) -> None:
            super().__init__()
            self.row = row

    def __init__(self, *, id: str | None = None) -> None:
        self.shown = RowsBackend()
        self._marked: re.Pattern[str] | None = None
        self._drawn_until = 0
        self.sorting: tuple[int, bool] | None = None
        self.widths: Widths = (None, None, None)
        self._edge: int | None = None
        self._room = 0
        super().__init__(
            backend=self.shown,
            column_labels=[Text(name) for name in COLUMNS],
            column_widths=[1] * len(COLUMNS),
            max_column_content_width=SHOWN,
            cursor_type="row",
            cursor_background_priority="css",
            render_markup=False,
            id=id,
        )

    def show(
        self,
        columns: SplitColumns,
        rows: Rows,
        words: Sequence[str] = (),
        sorted_by: tuple[int, bool] | None = None,
        keep: bool = False,
    ) -> bool:
        """Show `rows`; `words` are marked in the comments. The cursor goes to the first row unless `keep`.

        True if another row is under the cursor now.
        """
        before = self.looked_at
        split_before = self.shown.columns_of_split
        if columns is not split_before:
            self._drawn_until = 0
        self.shown.columns_of_split, self.shown.rows, self.sorting = columns, rows, sorted_by
        self._marked = re.compile("|".join(map(re.escape, words)), re.IGNORECASE) if words else None
        for i, column in enumerate(self.ordered_columns):
            arrow = (" ▼" if sorted_by[1] else " ▲") if sorted_by is not None and sorted_by[0] == i else ""
            column.label = Text(COLUMNS[i] + arrow, justify="right" if i in (0, 3) else "left")
        self._lay_out()
        if not keep:
            with self.prevent(DataTable.RowHighlighted):
                self.cursor_coordinate = Coordinate(0, 0)
            if self.scroll_offset.y:
                self.scroll_to(0, 0, animate=False)
        return columns is not split_before or self.looked_at != before

    def go_to(self, place: int) -> None:
        """Put the cursor on the shown row at `place`, in sight."""
        self.move_cursor(row=place, animate=False)

    def refresh_cells(self, until: int) -> None:
        """Draw the visible cells anew: the rows before `until` have their token counts."""
        self._drawn_until = until
        self.notify_style_update()

    def waits_for(self, until: int) -> bool:
        """True if a visible row before `until` was drawn without its token count."""
        rows = self.shown.rows
        if rows is None:
            return False
        top = self.scroll_offset.y
        page = rows[top : top + self.size.height]
        return bool((page < until).any() and (self._drawn_until <= page).any())

    @property
    def looked_at(self) -> int | None:
        """The row of the split that the cursor is on."""
        rows = self.shown.rows
        return int(rows[self.cursor_row]) if rows is not None and 0 <= self.cursor_row < len(rows) else None

    # Widths

    def widen(self, widths: Widths) -> None:
        """Give number, emotions and tokens these widths (None: by the room there is); the comment takes the rest."""
        self.widths = widths
        self._lay_out()

    def give_comment(self, cells: int) -> None:
        """A comment column wider by `cells`, at the cost of the emotions."""
        self._drag_edge(1, cells)

    def _lay_out(self) -> None:
        """Give the comment what the other columns leave."""
        total = self.scrollable_content_region.width
        if total <= 0:  # not known yet: `_size_updated` comes with it
            return
        self._room = total
        columns = self.shown.columns_of_split
        digits = len(f"{int(columns.lines.max(initial=0))}") if columns is not None else 3
        sorted_by = None if self.sorting is None else self.sorting[0]
        for column, width in zip(self.ordered_columns, laid_out(total, digits, self.widths, sorted_by), strict=True):
            column.width, column.auto_width = width, False
        size = Size(total, self.row_count + self.header_height)
        if size != self.virtual_size:
            self.virtual_size = size
        self.notify_style_update()

    def _drag_edge(self, edge: int, cells: int) -> None:
        """Move the edge right of column `edge` by some cells to the right."""
        before, kept = self._drawn_widths, self.widths
        self.widths = dragged(before, kept, edge, cells)
        self._lay_out()
        number, _, emotions, tok = self._drawn_widths
        if (number, emotions, tok) == (before[0], before[2], before[3]):
            self.widths = kept  # at its end: what is kept is what is seen
            return
        wanted = self.widths
        self.widths = (
            number if wanted[NUMBER] else None,
            emotions if wanted[EMOTIONS] else None,
            tok if wanted[TOK] else None,
        )
        self.post_message(self.Widened(self.widths))

    @property
    def _drawn_widths(self) -> tuple[int, int, int, int]:
        number, comment, emotions, tok = (column.width for column in self.ordered_columns)
        return number, comment, emotions, tok

    def _edges(self) -> list[int]:
        """The cell of the head in which each column but the last ends."""
        ends: list[int] = []
        for column in self.ordered_columns[:-1]:
            ends.append((ends[-1] + 1 if ends else 0) + column.render_width - 1)
        return ends

    async def _on_mouse_down(self, event: events.MouseDown) -> None:
        """At an edge of the head a drag begins, which is no click on a column."""
        offset = event.get_content_offset(self)
        if offset is not None and offset.y == 0 and offset.x in self._edges():
            self._edge = self._edges().index(offset.x)
            self.capture_mouse()
            event.stop()
            event.prevent_default()

    def _on_mouse_move(self, event: events.MouseMove) -> None:
        if self._edge is None:
            return
        event.stop()
        event.prevent_default()
        moved = event.x - self._edges()[self._edge]
        if moved:
            self._drag_edge(self._edge, moved)

    async def _on_mouse_up(self, event: events.MouseUp) -> None:
        if self._edge is not None:
            self._edge = None
            self.release_mouse()
            event.stop()
            event.prevent_default()

    # Drawing

    def render_line(self, y: int) -> Strip:
        """A line of the table; the head shows where columns end, an empty table says why it is empty."""
        place = y - self.header_height + self.scroll_offset.y
        if y >= self.header_height and 0 <= place < self.row_count:
            return self._row_line(place)
        strip = super().render_line(y)
        if y == 0 and self.shown.columns_of_split is not None:
            style = self.get_component_rich_style("table--edge", partial=True)
            for x in self._edges():
                cell = strip.crop(x, x + 1)
                edge = Strip([Segment("│", (next(iter(cell)).style or self.rich_style) + style)]) if cell else cell
                strip = Strip.join([strip.crop(0, x), edge, strip.crop(x + 1)])
        if y == 1 and self.row_count == 0 and self.shown.columns_of_split is not None:
            style = self.rich_style + self.get_component_rich_style("table--edge", partial=True)
            return Strip([Segment(f" {EMPTY}", style)]).adjust_cell_length(self.size.width, self.rich_style)
        return strip

    def _row_line(self, place: int) -> Strip:
        """The shown row at `place`."""
        style, mark = self.base, self.get_component_rich_style("table--found", partial=True)
        if place == self.cursor_coordinate.row and self.show_cursor:
            cursor = self.get_component_rich_style("datatable--cursor")
            style, mark = style + cursor, mark + Style.from_color(cursor.color)
        elif place == self.hover_coordinate.row and self._show_hover_cursor:
            style += self.get_component_rich_style("datatable--hover", partial=True)
        widths = [column.width for column in self.ordered_columns]
        strip = row_strip(self.shown.texts(place), widths, place, style, self._marked, mark)
        return strip.adjust_cell_length(self.size.width, style)

    def _size_updated(self, size: Size, virtual_size: Size, container_size: Size, layout: bool = True) -> bool:
        """As Textual's; the columns fit the new size before anything is drawn in it, not at an event that comes after."""
        resized: bool = super()._size_updated(size, virtual_size, container_size, layout)
        if self.scrollable_content_region.width != self._room:
            self._lay_out()
        return resized

    def _set_tooltip_from_cell_at(self, coordinate: Coordinate) -> None:
        """No tooltips: the detail pane shows the whole comment."""

    def on_data_table_row_highlighted(self, event: DataTable.RowHighlighted) -> None:
        """The cursor moved."""
        event.stop()
        self.post_message(self.Looked(self.looked_at))
