"""The Data screen's views that are not the table: counts, co-occurrence, lengths, duplicates, suspect labels.

What takes long on a large corpus is counted in a thread. numpy comes with what is drawn, never with this module.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from goemo_tui.services.beside import Done, beside
from goemo_tui.widgets.figure import Figure
from goemo_tui.widgets.figure_view import FigureView

if TYPE_CHECKING:
    from goemo_tui.services.corpus import SplitColumns
    from goemo_tui.services.suspects import Doubt, Judged
    from trainer.corpus.decisions import Verdict

GROUPINGS = ("emotions", "ekman", "sentiment")
"""What `c` goes through; the names are those of the setting `taxonomy`."""

_ABOUT = {
    "counts": "How many rows carry each label, in every split. Enter or a click shows these rows in the table.",
    "together": "Which labels stand on the same row. A cell is the share of its row's label that carries the column's "
    "label too; the diagonal is the label alone. Enter or a click shows these rows in the table.",
    "lengths": "How long the comments are, and what max_length cuts off. Enter or a click shows the comments of a bar.",
    "duplicates": "Texts that stand on several rows: ⇄ in several splits (a leak), ≠ with different labels, = the same. "
    "Enter or a click shows exactly these rows.",
    "suspects": "Rows of train whose labels a model that had not seen them most disbelieves: the given labels with the "
    "probability it gives them, and the labels it would give. Keys say whether the labels are fine, wrong, or the model's "
    "are right; the export writes the train rows without the suspects. Enter or a click shows the row in the table.",
}


class Figures(FigureView):
    """`show()` says what is drawn; it is drawn for the present width, and again when that changes."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.view = ""
        self.grouping = GROUPINGS[0]
        self.data = "sample"
        """What the corpus was asked for as, for a command."""
        self._columns: SplitColumns | None = None
        self._splits: dict[str, SplitColumns] = {}
        self._max_length = 0
        self._known: dict[tuple[str, int], tuple[object, Any]] = {}
        self._counting: set[tuple[str, int]] = set()
        self._left_at = (0, 0)
        """Which train split's suspects were looked at last, and where the cursor stood: who looks at a row comes back."""

    @property
    def ABOUT(self) -> str:
        """What help says of the view that is shown."""
        return _ABOUT.get(self.view, "The corpus in figures.")

    # What is shown

    def show(self, view: str, columns: SplitColumns, splits: dict[str, SplitColumns], max_length: int) -> None:
        """Draw `view` (counts, together, lengths, duplicates, suspects) of a split among its corpus's splits.

        The same view of the same split keeps the cursor: call it again when token counts have come in.
        """
        same = view == self.view and columns is self._columns
        if self.view == "suspects" and self.suspects is not None:
            self._left_at = (id(self._splits.get("train")), self.cursor)
        if splits is not self._splits:
            self._known.clear()
        self.view, self._columns, self._splits, self._max_length = view, columns, splits, max_length
        if not same:
            self.begin()
        if view == "suspects" and self.suspects is None:
            self._known.pop(("suspects", id(splits.get("train"))), None)  # they may have been found meanwhile
        self._draw()
        if view == "suspects" and not same and self.figure.stops and self._left_at[0] == id(splits.get("train")):
            self.call_after_refresh(self._go, min(self._left_at[1], len(self.figure.stops) - 1))

    # Suspects

    @property
    def suspects(self) -> Judged | None:
        """The suspects of the corpus, where they are known."""
        known = self._known.get(("suspects", id(self._splits.get("train"))))
        return None if known is None else known[1][0]

    @property
    def suspect(self) -> Doubt | None:
        """The suspect row at the cursor; None in any other view."""
        found = self.suspects
        if self.view != "suspects" or found is None or not self.figure.stops:
            return None
        return found.doubt(self.cursor + 1, int(found.suspects.order[self.cursor]))

    def decide(self, verdict: Verdict) -> None:
        """Keep a verdict on the row at the cursor and go on to the next; the same verdict again takes it back."""
        found, doubt = self.suspects, self.suspect
        if found is None or doubt is None:
            return
        before = found.decisions.get(doubt.row)
        again = before is not None and before.verdict == verdict
        found.decide(doubt.row, None if again else verdict)
        self._draw()
        if not again:
            self.action_move(0, 1)

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
            return corpus_views.lengths(columns, width, self._max_length, partial(self._words, columns))
        if self.view == "together":
            found = self._counted(columns, lambda: heat_map.count(columns))
            return (
                Figure.waiting("which go together", "counting …")
                if found is None
                else heat_map.draw(found, columns.labels, width, height)
            )
        splits = self._splits
        if self.view == "suspects":
            return self._suspects(width)
        found = self._counted(columns, lambda: corpus_views.repeats(splits))
        if found is None:
            return Figure.waiting("duplicates", "comparing the texts …")
        return corpus_views.duplicates(found, columns, splits, width)

    def _suspects(self, width: int) -> Figure:
        from goemo_tui.services import suspects
        from goemo_tui.widgets import suspect_view
        from trainer.config import TrainConfig

        train = self._splits.get("train")
        if train is None:
            return suspect_view.nothing("This corpus has no train rows, whose labels could be doubted.", "", width)
        data = self.data
        found = self._counted(
            train,
            lambda: (suspects.judged_columns(train), suspects.missing_columns(train, data), {}),
        )
        if found is None:
            return Figure.waiting(suspect_view.TITLE, "looking for suspects …")
        known, why, drawn = found
        if known is None:
            return suspect_view.nothing(why[0], why[1], width)
        return suspect_view.draw(known, train, width, TrainConfig().suspect_share, drawn)

    def _words(self, columns: SplitColumns) -> Any:
        from goemo_tui.services.corpus import MANY
        from trainer.corpus.stats import word_lengths

        if len(columns) < MANY:
            return word_lengths(columns.split)
        return self._counted(columns, lambda: word_lengths(columns.split))

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
