"""The scores of the best validation, one row an emotion, sorted by whichever column is asked for.

At most a few hundred rows, so Textual's own table serves; a click on a column's head or `o` sorts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.text import Text
from textual.message import Message
from textual.widgets import DataTable

from goemo_tui.safe_text import clean
from goemo_tui.wording import count, score

COLUMNS: tuple[tuple[str, str], ...] = (
    ("emotion", "emotion"),
    ("precision", "P"),
    ("recall", "R"),
    ("f1", "F1"),
    ("support", "support"),
    ("threshold", "threshold"),
)
"""Key in `per_label`, and the head of its column."""


class ScoreTable(DataTable[Text]):
    """Per-emotion scores. `show()` takes the `per_label` of a validation event."""

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

    def on_mount(self) -> None:
        """The columns, numbers to the right."""
        self._heads()

    def show(self, scores: Mapping[str, Mapping[str, Any]]) -> bool:
        """Fill the table. False where it shows these numbers already."""
        taken: dict[str, Mapping[str, Any]] = {name: dict(values) for name, values in scores.items()}
        if taken == self._scores:
            return False
        self._scores = taken
        self._fill()
        return True

    def action_next_order(self) -> None:
        """Sort by the next column."""
        keys = [key for key, _ in COLUMNS]
        self.sort_by(keys[(keys.index(self.order) + 1) % len(keys)])

    def action_turn(self) -> None:
        """The same column the other way round."""
        self.sort_by(self.order)

    def sort_by(self, key: str) -> None:
        """Numbers fall and names rise at first; the same column again turns the order round."""
        self.downwards = not self.downwards if key == self.order else key != "emotion"
        self.order = key
        self._fill()
        self.post_message(self.Sorted(f"sorted by {key}, {'highest' if self.downwards else 'lowest'} first"))

    def on_data_table_header_selected(self, event: DataTable.HeaderSelected) -> None:
        """A click on a head."""
        event.stop()
        if event.column_key.value:
            self.sort_by(event.column_key.value)

    def _heads(self) -> None:
        for key, head in COLUMNS:
            arrow = (" ▼" if self.downwards else " ▲") if key == self.order else "  "
            self.add_column(Text(head + arrow, justify="left" if key == "emotion" else "right"), key=key)

    def _fill(self) -> None:
        chosen = self.cursor_row
        self.clear(columns=True)
        self._heads()
        for name, values in sorted(self._scores.items(), key=self._rank, reverse=self.downwards):
            self.add_row(
                Text(clean(name)),
                *(Text(_cell(key, values.get(key)), justify="right") for key, _ in COLUMNS[1:]),
                key=name,
            )
        if self._scores:
            self.move_cursor(row=min(max(chosen, 0), len(self._scores) - 1))

    def _rank(self, item: tuple[str, Mapping[str, Any]]) -> tuple[Any, ...]:
        name, values = item
        if self.order == "emotion":
            return (name,)
        value = values.get(self.order)
        return (value if isinstance(value, int | float) else -1.0, name)


def _cell(key: str, value: Any) -> str:
    if not isinstance(value, int | float):
        return "–"
    if key == "support":
        return count(int(value))
    return f"{value:.2f}" if key == "threshold" else score(float(value))
