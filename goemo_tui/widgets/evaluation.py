"""The scores of a run's best epoch: a line for the whole, the table of the emotions with the selected one below it, and
behind `m` the same at Ekman's level and as sentiment, the reliability plot, and what is confused most.

The table is of the run's last words and there at once; the rest is counted from its stored scores, beside the screen.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import DataTable, Static

from goemo_tui.language import word
from goemo_tui.safe_text import clean
from goemo_tui.services.beside import Done, beside
from goemo_tui.services.runs import RunView
from goemo_tui.widgets import evaluation_pages as pages
from goemo_tui.widgets.reliability import ReliabilityPlot
from goemo_tui.widgets.score_table import ScoreTable

if TYPE_CHECKING:
    from goemo_tui.services.evaluation import RunEvaluation

NEXT_STEP = {
    "failed": "It failed before its first validation: Log tells why, r tries again.",
    "died": "It died before its first validation: r goes on with it, Log tells more.",
    "stopped": "It was stopped before its first validation: r goes on with it.",
    "waiting": "It waits for its turn; the first validation comes at the end of epoch 1.",
    "unknown": "Its log cannot be read from here: Log tells more.",
}
VIEWS = ("emotions", "levels", "calibration", "confusions")
HINTS = {
    "emotions": "o O sort · Enter its mistakes · m more figures",
    "levels": "whole rows, Ekman, sentiment · m calibration",
    "calibration": "calibration · m confusions",
    "confusions": "what was said instead · m emotions",
}
COUNTING = "counting intervals, calibration and confusions …"
KEPT = 8
"""Runs whose figures are kept while others are looked at."""


class EvaluationPage(VerticalScroll, can_focus=True):
    """A text of the run that scrolls."""

    ABOUT = "Figures of the best epoch on dev, cross-fitted as in the table. m goes on to the next."


class EmotionLines(Static):
    """The selected emotion in words; what it got wrong can be clicked."""

    def action_mistakes(self, kind: str) -> None:
        """The comments on which it was missed or said wrongly."""
        evaluation = next(node for node in self.ancestors if isinstance(node, Evaluation))
        self.post_message(ScoreTable.Opened(evaluation.selected, kind))


class Evaluation(Vertical):
    """`show()` takes a run; `next_view()` goes on."""

    DEFAULT_CSS = """
    Evaluation #emotion { height: auto; max-height: 4; border-top: solid $border-blurred; padding: 0 0 0 1; }
    EvaluationPage { height: 1fr; padding: 0 0 0 1; }
    EvaluationPage Static { height: auto; }
    Evaluation ReliabilityPlot { margin: 0 0 0 1; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.view = VIEWS[0]
        self._run: RunView | None = None
        self._known: dict[tuple[str, object], RunEvaluation | str] = {}
        self._asked: set[tuple[str, object]] = set()

    def compose(self) -> ComposeResult:
        """Line, table and the selected emotion; plot and page behind them."""
        yield Static(id="scores", markup=False)
        yield ScoreTable(id="score-table")
        yield EmotionLines(id="emotion", markup=False)
        yield ReliabilityPlot(id="reliability")
        with EvaluationPage(id="evaluation-page"):
            yield Static(id="evaluation-text", markup=False)

    def show(self, view: RunView) -> None:
        """Draw the best epoch of this run, or say when there will be one."""
        self._run = view
        best = view.snapshot.best
        if best is None:
            head = word(NEXT_STEP.get(view.state, "No validation yet: the first comes at the end of epoch 1."))
        else:
            self._ask(view, best)
            head = f"{pages.head(best, self.found, max(30, self.size.width - 1))}\n{word(HINTS[self.view])}"
        line, text = self.query_one("#scores", Static), Content(clean(head, newlines=True))
        if line.content != text:
            line.update(text)
        per_label = (best or {}).get("per_label")
        hopeless = isinstance(self._known.get(self._key), str)
        self.query_one(ScoreTable).show(self._with_more(per_label if isinstance(per_label, dict) else {}), not hopeless)
        self._arrange()

    @property
    def found(self) -> RunEvaluation | None:
        """What was counted of the run that is shown; None until it is."""
        known = self._known.get(self._key) if self._run is not None else None
        return None if isinstance(known, str) else known

    @property
    def _key(self) -> tuple[str, object]:
        best = self._run.snapshot.best if self._run is not None else None
        return (self._run.id if self._run is not None else "", (best or {}).get("epoch"))

    # Counting beside the screen

    def _ask(self, view: RunView, best: Mapping[str, Any]) -> None:
        from goemo_tui.services.evaluation import evaluation_of

        key = (view.id, best.get("epoch"))
        if key in self._known or key in self._asked:
            return
        self._asked.add(key)

        def count() -> tuple[tuple[str, object], RunEvaluation]:
            return key, evaluation_of(view.folder)

        beside(f"{view.id}|{best.get('epoch')}", count, self.post_message)

    @on(Done)
    def _counted(self, message: Done) -> None:
        message.stop()
        key = next((asked for asked in self._asked if f"{asked[0]}|{asked[1]}" == message.name), None)
        if key is None:
            return
        self._asked.discard(key)
        value = cast("tuple[tuple[str, object], RunEvaluation] | None", message.value)
        self._known[key] = str(message.error) if value is None else value[1]
        while len(self._known) > KEPT:
            self._known.pop(next(iter(self._known)))
        if self._run is not None and key == self._key:
            self.show(self._run)

    def _with_more(self, per_label: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
        """The event's scores, with what was counted since."""
        found = self.found
        taken = {name: dict(told) for name, told in per_label.items() if isinstance(told, Mapping)}
        if found is None:
            return dict(taken)
        from trainer.scoring.bootstrap import intervals

        ends = intervals(found.scores.resampled.per_label) if found.scores.resampled is not None else None
        for name, told in taken.items():
            k = found.column(name)
            if k is not None:
                if not found.scores.counts.support[k]:
                    continue  # of an emotion without rows there is neither
                told["average_precision"] = float(found.scores.average_precision[k])
                if ends is not None:
                    told["interval"] = (ends[k].low, ends[k].high)
        return dict(taken)

    # What is seen

    def next_view(self) -> None:
        """Emotions, levels, calibration, confusions, and round again."""
        here = self.screen.focused
        inside = here is not None and self in here.ancestors
        self.view = VIEWS[(VIEWS.index(self.view) + 1) % len(VIEWS)]
        if self._run is not None:
            self.show(self._run)
        if inside:
            self.query_one(
                {"emotions": "#score-table", "calibration": "#reliability"}.get(self.view, "#evaluation-page")
            ).focus()

    def _arrange(self) -> None:
        there = self._run is not None and self._run.snapshot.best is not None
        found, known = self.found, self._known.get(self._key)
        emotions = self.view == "emotions"
        plotted = self.view == "calibration" and found is not None
        self.query_one(ScoreTable).display = there and emotions
        self.query_one("#emotion").display = there and emotions
        self.query_one(ReliabilityPlot).display = there and plotted
        self.query_one(EvaluationPage).display = there and not emotions and not plotted
        if not there:
            return
        waiting = Content.styled(clean(known, newlines=True) if isinstance(known, str) else word(COUNTING), "$quiet")
        if emotions:
            self._write_emotion(found, known)
        elif plotted:
            self.query_one(ReliabilityPlot).show(found, self.selected)
        else:
            width = max(30, self.query_one(EvaluationPage).scrollable_content_region.width or self.size.width - 3)
            write = pages.levels if self.view == "levels" else pages.confusions
            text = waiting if found is None else write(found, width)
            self._write("#evaluation-text", text)

    def _write_emotion(self, found: RunEvaluation | None, known: RunEvaluation | str | None) -> None:
        if found is not None:
            self._write("#emotion", pages.emotion(found, self.selected, max(20, self.size.width - 3)))
        elif isinstance(known, str):
            self._write("#emotion", Content.styled(word("no intervals and confusions: m tells why"), "$quiet"))
        else:
            self._write("#emotion", Content.styled(word(COUNTING), "$quiet"))

    def _write(self, where: str, text: Content) -> None:
        static = self.query_one(where, Static)
        if static.content != text:
            static.update(text)

    @property
    def selected(self) -> str:
        """The emotion under the table's cursor."""
        table = self.query_one(ScoreTable)
        return table.names[table.cursor_row] if 0 <= table.cursor_row < len(table.names) else ""

    def on_resize(self) -> None:
        """Lines are as long as there is room."""
        if self._run is not None:
            self.show(self._run)

    @on(DataTable.RowHighlighted)
    def _looked(self, message: DataTable.RowHighlighted) -> None:
        message.stop()
        if self._run is not None:
            self._arrange()

    @on(ReliabilityPlot.Stepped)
    def _step(self, message: ReliabilityPlot.Stepped) -> None:
        message.stop()
        table = self.query_one(ScoreTable)
        if table.row_count:
            table.move_cursor(row=(table.cursor_row + message.by) % table.row_count)
