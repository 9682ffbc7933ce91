"""What the table of comments reads: the chosen rows of a split, looked up when they are drawn. Nothing is copied.

Each cell passes through safe_text here, and labels are called as the screen calls them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.text import Text
from textual_fastdatatable.backend import DataTableBackend

from goemo_tui.language import label
from goemo_tui.safe_text import clean
from goemo_tui.services.corpus import COLUMNS, Rows, SplitColumns

SHOWN = 600
"""Characters of a comment that a cell may hold; the detail pane shows the rest."""

NOT_YET = "…"
"""Stands for a token count that is still being made."""


def shown_labels(columns: SplitColumns, row: int) -> str:
    """The names of a row's labels as the screen calls them, ready to be drawn."""
    names = [label(columns.labels.names[i]) for i in columns.split.labels[row]]
    return (", " if any(" " in name for name in names) else " ").join(names)


class RowsBackend(DataTableBackend[Any]):
    """Reads the chosen rows of a split; nothing is copied and nothing can be edited."""

    def __init__(self) -> None:
        self.columns_of_split: SplitColumns | None = None
        self.rows: Rows | None = None
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

    def texts(self, place: int) -> tuple[str, str, str, str]:
        """The cells of the shown row at `place`, cleaned."""
        if self.columns_of_split is None or self.rows is None:
            raise IndexError(place)
        columns, row = self.columns_of_split, int(self.rows[place])
        count = int(columns.tokens[row])
        return (
            str(columns.lines[row]),
            clean(columns.split.text[row], limit=SHOWN),
            shown_labels(columns, row),
            str(count) if count >= 0 else NOT_YET,
        )

    def get_cell_at(self, row_index: int, column_index: int) -> Text:
        """One cell, cleaned."""
        return Text(self.texts(row_index)[column_index])

    def get_row_at(self, index: int) -> Sequence[Text]:
        """One row, cleaned."""
        return [Text(text) for text in self.texts(index)]

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
