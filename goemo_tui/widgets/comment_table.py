"""The table of comments: rows are looked up when they are drawn, so a filter costs only the filter.

Each cell passes through safe_text here; the table itself never reads markup.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.text import Text
from textual import events
from textual.binding import Binding
from textual.coordinate import Coordinate
from textual.geometry import Size
from textual.message import Message
from textual_fastdatatable import DataTable
from textual_fastdatatable.backend import DataTableBackend

from goemo_tui.safe_text import clean
from goemo_tui.services.corpus import COLUMNS, Rows, SplitColumns

SHOWN = 600
"""Characters of a comment that a cell may hold; the detail pane shows the rest."""

NOT_YET = "…"
"""Stands for a token count that is still being made."""


class RowsBackend(DataTableBackend[Any]):
    """Reads the chosen rows of a split; nothing is copied and nothing can be edited."""

    def __init__(self) -> None:
        self.columns_of_split: SplitColumns | None = None
        self.rows: Rows | None = None
        self.marked: re.Pattern[str] | None = None
        self.mark_style = "bold underline"
        self._render_markup = False

    @classmethod
    def from_pydict(
        cls, data: Mapping[str, Sequence[Any]], max_rows: int | None = None, column_names: Sequence[str] | None = None
    ) -> RowsBackend:
        """Not how this backend is filled."""
        raise TypeError("RowsBackend reads a split: set columns_of_split and rows")

    @property
    def source_data(self) -> Any:
        """The split's columns."""
        return self.columns_of_split

    @property
    def source_row_count(self) -> int:
        """Rows of the split, filtered or not."""
        return len(self.columns_of_split) if self.columns_of_split is not None else 0

    @property
    def row_count(self) -> int:
        """Rows that are shown."""
        return len(self.rows) if self.rows is not None else 0

    @property
    def column_count(self) -> int:
        """Always the same four."""
        return len(COLUMNS)

    @property
    def columns(self) -> Sequence[str]:
        """Their names."""
        return COLUMNS

    @property
    def column_content_widths(self) -> Sequence[int]:
        """Nothing is measured: the table sets its widths by the room there is."""
        return [1] * len(COLUMNS)

    def get_cell_at(self, row_index: int, column_index: int) -> Text:
        """One cell, cleaned."""
        if self.columns_of_split is None or self.rows is None:
            raise IndexError(row_index)
        row = int(self.rows[row_index])
        if column_index == 0:
            return Text(f"{self.columns_of_split.lines[row]}", justify="right")
        if column_index == 1:
            text = Text(clean(self.columns_of_split.split.text[row], limit=SHOWN), no_wrap=True, overflow="ellipsis")
            if self.marked is not None:
                text.highlight_regex(self.marked, self.mark_style)
            return text
        if column_index == 2:
            return Text(clean(self.columns_of_split.emotions(row)), no_wrap=True, overflow="ellipsis")
        count = int(self.columns_of_split.tokens[row])
        return Text(f"{count}" if count >= 0 else NOT_YET, justify="right")

    def get_row_at(self, index: int) -> Sequence[Text]:
        """One row, cleaned."""
        return [self.get_cell_at(index, column) for column in range(len(COLUMNS))]

    def get_column_at(self, index: int) -> Sequence[Text]:
        """One column of the shown rows."""
        return [self.get_cell_at(row, index) for row in range(self.row_count)]

    def append_column(self, label: str, default: Any | None = None) -> int:
        """Read only."""
        raise TypeError("comments are read only")

    def append_rows(self, records: Iterable[Iterable[Any]]) -> list[int]:
        """Read only."""
        raise TypeError("comments are read only")

    def drop_row(self, row_index: int) -> None:
        """Read only."""
        raise TypeError("comments are read only")

    def update_cell(self, row_index: int, column_index: int, value: Any) -> None:
        """Read only."""
        raise TypeError("comments are read only")

    def sort(self, by: Any) -> None:
        """The screen sorts the rows it gives."""
        raise TypeError("sort the rows before they are shown")


class CommentTable(DataTable, inherit_bindings=False):
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
    CommentTable { height: 1fr; background: $surface; overflow-x: hidden; }
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
    """

    class Looked(Message):
        """The cursor is on another row of the split (None: no row is shown)."""

        def __init__(self, row: int | None) -> None:
            super().__init__()
            self.row = row

    def __init__(self, *, id: str | None = None) -> None:
        self.shown = RowsBackend()
        self._drawn_until = 0
        self.sorting: tuple[int, bool] | None = None
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
        self.shown.marked = re.compile("|".join(map(re.escape, words)), re.IGNORECASE) if words else None
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

    def refresh_cells(self, until: int) -> None:
        """Draw the visible cells anew: the rows before `until` have their token counts."""
        self._drawn_until = until
        self.notify_style_update()

    def notify_style_update(self) -> None:
        """Another theme, or other rows: nothing that was drawn holds any more."""
        self.shown.mark_style = f"bold underline {self.app.theme_variables.get('accent', '')}".strip()
        super().notify_style_update()

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
        return int(rows[self.cursor_row]) if rows is not None and self.cursor_row < len(rows) else None

    def _lay_out(self) -> None:
        """Give the comment what the other columns leave."""
        total = self.scrollable_content_region.width
        if total < 20:
            return
        columns = self.shown.columns_of_split
        number = max(3, len(f"{int(columns.lines.max(initial=0))}")) if columns is not None else 3
        emotions = 8 if total < 46 else 13 if total < 64 else 18 if total < 100 else 28 if total < 150 else 40
        tok = 3 if self.sorting is None or self.sorting[0] != 3 else 5
        comment = max(4, total - number - emotions - tok - 8)
        for column, width in zip(self.ordered_columns, (number, comment, emotions, tok), strict=True):
            column.width, column.auto_width = width, False
        size = Size(total, self.row_count + self.header_height)
        if size != self.virtual_size:
            self.virtual_size = size
        self.notify_style_update()

    def _on_resize(self, event: events.Resize) -> None:
        super()._on_resize(event)
        self._lay_out()

    def _set_tooltip_from_cell_at(self, coordinate: Coordinate) -> None:
        """No tooltips: the detail pane shows the whole comment."""

    def on_data_table_row_highlighted(self, event: DataTable.RowHighlighted) -> None:
        """The cursor moved."""
        event.stop()
        self.post_message(self.Looked(self.looked_at))
