"""The scores of the best validation, one row an emotion, sorted by whichever column is asked for.

At most a few hundred rows, so Textual's own table serves; a click on a column's head or `o` sorts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.text import Text
from textual.binding import Binding
from textual.message import Message
from textual.widgets import DataTable

from goemo_tui.language import label, word
from goemo_tui.wording import count, limit, score

COLUMNS: tuple[tuple[str, str], ...] = (
    ("emotion", "emotion"),
    ("precision", "P"),
    ("recall", "R"),
    ("f1", "F1"),
    ("interval", "95%"),
    ("average_precision", "AP"),
    ("support", "support"),
    ("threshold", "threshold"),
)
"""Key in `per_label`, and the head of its column."""

SHORT = {"support": "n", "threshold": "limit"}
"""Heads where there is less room than `WIDE` cells: all columns are to be seen on a small screen."""
WIDE = 60
MORE = ("interval", "average_precision")
"""Columns that are there from `WITH_MORE` cells on; below the table they are told of the selected emotion at any width."""
WITH_MORE = 68
WIDE_WITH_MORE = 77


class ScoreTable(DataTable[Text]):
    """Per-emotion scores. `show()` takes the `per_label` of a validation event."""

    ABOUT = (
        "Scores of the best epoch on dev, an emotion a row. o sorts by the next column, O turns the order round, a click "
        "on a head does both. Enter or a click on an emotion lists the comments that it got wrong. 95% is where F1 lies in 95 of 100 "
        "resamples of the rows, AP the average precision, n the support, limit the threshold. Below: the selected emotion, with "
        "ECE, its calibration error."
    )
    BINDINGS = [
        Binding("home,g", "scroll_top", "First", show=False),
        Binding("end,G", "scroll_bottom", "Last", show=False),
    ]

    class Opened(Message):
        """What was got wrong for one emotion is asked for; `kind` is one kind of mistake, or empty for both."""

        def __init__(self, label: str, kind: str = "") -> None:
            super().__init__()
            self.label = label
            self.kind = kind

    class Sorted(Message):
        """The order has changed; `text` says to what."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, cursor_type="row", zebra_stripes=True)
        self.order = "f1"
        self.downwards = True
        self._scores: dict[str, Mapping[str, Any]] = {}
        self._shape = (False, False)
        self._more = True

    @property
    def columns_shown(self) -> tuple[tuple[str, str], ...]:
        """Key and head of the columns that there is room for."""
        return tuple(column for column in COLUMNS if column[0] not in MORE or self._shape_now[0])

    @property
    def _shape_now(self) -> tuple[bool, bool]:
        """Whether there is room for all columns, and whether heads are short."""
        more = self._more and self.size.width >= WITH_MORE
        return more, self.size.width < (WIDE_WITH_MORE if more else WIDE)

    @property
    def names(self) -> tuple[str, ...]:
        """The labels, in the order of the rows."""
        return tuple(str(row.key.value) for row in self.ordered_rows)

    def on_mount(self) -> None:
        """The columns, numbers to the right."""
        self._heads()

    def show(self, scores: Mapping[str, Mapping[str, Any]], more: bool = True) -> bool:
        """Fill the table. False where it shows these numbers already. `more` is whether intervals and AP are, or will be, known."""
        taken: dict[str, Mapping[str, Any]] = {name: dict(values) for name, values in scores.items()}
        if taken == self._scores and more == self._more:
            return False
        self._scores, self._more = taken, more
        self._fill()
        return True

    def on_resize(self) -> None:
        """Short heads where there is no room for long ones."""
        if self._scores and self._shape != self._shape_now:
            self._fill()

    def action_next_order(self) -> None:
        """Sort by the next column."""
        keys = [key for key, _ in self.columns_shown]
        self.sort_by(keys[(keys.index(self.order) + 1) % len(keys)] if self.order in keys else keys[0])

    def action_turn(self) -> None:
        """The same column the other way round."""
        self.sort_by(self.order)

    def sort_by(self, key: str) -> None:
        """Numbers fall and names rise at first; the same column again turns the order round."""
        self.downwards = not self.downwards if key == self.order else key != "emotion"
        self.order = key
        self._fill()
        said = word("sorted by {key}, highest first" if self.downwards else "sorted by {key}, lowest first")
        self.post_message(self.Sorted(said.format(key=word(key))))

    def on_data_table_header_selected(self, event: DataTable.HeaderSelected) -> None:
        """A click on a head."""
        event.stop()
        if event.column_key.value:
            self.sort_by(event.column_key.value)

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        """Enter, or a click on a row."""
        event.stop()
        if event.row_key.value is not None:
            self.post_message(self.Opened(event.row_key.value))

    def _heads(self) -> None:
        self._shape = self._shape_now
        short = self._shape[1]
        for key, head in self.columns_shown:
            head = word(SHORT.get(key, head) if short else head)
            arrow = (" ▼" if self.downwards else " ▲") if key == self.order else "" if short else "  "
            self.add_column(Text(head + arrow, justify="left" if key == "emotion" else "right"), key=key)

    def _fill(self) -> None:
        chosen = self.cursor_row
        self.clear(columns=True)
        self._heads()
        # what is alike stays in the order of the labels, whichever way the rest goes
        for name, values in sorted(self._scores.items(), key=self._rank, reverse=self.downwards):
            self.add_row(
                Text(label(name)),
                *(Text(_cell(key, values.get(key)), justify="right") for key, _ in self.columns_shown[1:]),
                key=name,
            )
        if self._scores:
            self.move_cursor(row=min(max(chosen, 0), len(self._scores) - 1))

    def _rank(self, item: tuple[str, Mapping[str, Any]]) -> Any:
        name, values = item
        if self.order == "emotion":
            return name
        value = values.get(self.order)
        if isinstance(value, tuple):  # an interval: the widest is the least sure
            value = value[1] - value[0]
        return value if isinstance(value, int | float) else -1.0


def _cell(key: str, value: Any) -> str:
    if isinstance(value, tuple):
        return f"{score(value[0])}–{score(value[1])}"
    if not isinstance(value, int | float):
        return "–"
    if key == "support":
        return count(int(value))
    return limit(value) if key == "threshold" else score(float(value))
