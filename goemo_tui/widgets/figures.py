"""The Data screen's views that are not the table: counts, co-occurrence, lengths, duplicates.

What takes long on a large corpus is counted in a thread. numpy comes with what is drawn, never with this module.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from goemo_tui.services.beside import Done, beside
from goemo_tui.widgets.figure import Figure
from goemo_tui.widgets.figure_view import FigureView

if TYPE_CHECKING:
    from goemo_tui.services.corpus import SplitColumns

GROUPINGS = ("emotions", "ekman", "sentiment")
"""What `c` goes through; the names are those of the setting `taxonomy`."""

_ABOUT = {
    "counts": "How many rows carry each label, in every split. Enter or a click shows these rows in the table.",
    "together": "Which labels stand on the same row. A cell is the share of its row's label that carries the column's "
    "label too; the diagonal is the label alone. Enter or a click shows these rows in the table.",
    "lengths": "How long the comments are, and what max_length cuts off. Enter or a click shows the comments of a bar.",
    "duplicates": "Texts that stand on several rows: ⇄ in several splits (a leak), ≠ with different labels, = the same. "
    "Enter or a click shows exactly these rows.",
}


class Figures(FigureView):
    """`show()` says what is drawn; it is drawn for the present width, and again when that changes."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.view = ""
        self.grouping = GROUPINGS[0]
        self._columns: SplitColumns | None = None
        self._splits: dict[str, SplitColumns] = {}
        self._max_length = 0
        self._known: dict[tuple[str, int], tuple[object, Any]] = {}
        self._counting: set[tuple[str, int]] = set()

    @property
    def ABOUT(self) -> str:
        """What help says of the view that is shown."""
        return _ABOUT.get(self.view, "The corpus in figures.")

    # What is shown

    def show(self, view: str, columns: SplitColumns, splits: dict[str, SplitColumns], max_length: int) -> None:
        """Draw `view` (counts, together, lengths, duplicates) of a split among its corpus's splits.

        The same view of the same split keeps the cursor: call it again when token counts have come in.
        """
        same = view == self.view and columns is self._columns
        if splits is not self._splits:
            self._known.clear()
        self.view, self._columns, self._splits, self._max_length = view, columns, splits, max_length
        if not same:
            self.begin()
        self._draw()

    def next_grouping(self) -> None:
        """Counts by the labels themselves, by Ekman's emotions, by sentiment; a corpus with labels of its own says no."""
        columns = self._columns
        if columns is None or self.view != "counts":
            self.notify("Only the counts are grouped: v goes on to them.", timeout=3)
        elif not columns.labels.official:
            self.notify(
                "Ekman's emotions and sentiments group the official 28 labels only; this corpus has labels of its own.",
                severity="warning",
            )
        else:
            self.grouping = GROUPINGS[(GROUPINGS.index(self.grouping) + 1) % len(GROUPINGS)]
            self.begin()
            self._draw()

    def _draw(self) -> None:
        """Work the figure out for the present size."""
        columns = self._columns
        if columns is None or self.size.width < 10:
            return
        self.put(self._figure(columns))

    def _figure(self, columns: SplitColumns) -> Figure:
        from goemo_tui.widgets import corpus_views, heat_map

        width, height = self.scrollable_content_region.size
        if self.view == "counts":
            grouping = self.grouping if columns.labels.official else GROUPINGS[0]
            return corpus_views.counts(self._splits, grouping, width)
        if self.view == "lengths":
            return corpus_views.lengths(columns, width, self._max_length)
        if self.view == "together":
            found = self._counted(columns, lambda: heat_map.count(columns))
            return (
                Figure("which go together", empty="counting …")
                if found is None
                else heat_map.draw(found, columns.labels, width, height)
            )
        splits = self._splits
        found = self._counted(columns, lambda: corpus_views.repeats(splits))
        if found is None:
            return Figure("duplicates", empty="comparing the texts …")
        return corpus_views.duplicates(found, columns, splits, width)

    def _counted(self, columns: SplitColumns, work: Callable[[], Any]) -> Any:
        """What `work` counts, if it is known; else it is counted in a thread, and drawn when it is there."""
        key = (self.view, id(columns))
        if key in self._known:
            return self._known[key][1]
        if key not in self._counting:
            self._counting.add(key)
            beside("figures", lambda: (key, columns, work()), self.post_message)
        return None

    def on_done(self, message: Done) -> None:
        """Something was counted."""
        if message.name != "figures" or not isinstance(message.value, tuple):
            return
        message.stop()
        key, columns, value = message.value
        self._counting.discard(key)
        if any(columns is there for there in self._splits.values()):
            self._known[key] = (columns, value)  # kept with its columns, so that the id in the key stays theirs
            self._draw()

    def on_resize(self) -> None:
        """Another size, another drawing."""
        self._draw()

    def notify_style_update(self) -> None:
        """Another theme or language."""
        super().notify_style_update()
        self._draw()
