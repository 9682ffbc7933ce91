"""The scores of a run's best epoch: a line for the whole, and the table of the emotions below it."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from goemo_tui.safe_text import clean
from goemo_tui.services.runs import RunView
from goemo_tui.widgets.score_table import ScoreTable
from goemo_tui.wording import score
from trainer.runs.snapshot import number

FIGURES = (
    ("macro-F1", "macro_f1"),
    ("micro", "micro_f1"),
    ("weighted", "weighted_f1"),
    ("at .3", "macro_f1_at_0.3"),
)
NEXT_STEP = {
    "failed": "It failed before its first validation: Log tells why, r tries again.",
    "died": "It died before its first validation: r goes on with it, Log tells more.",
    "stopped": "It was stopped before its first validation: r goes on with it.",
    "waiting": "It waits for its turn; the first validation comes at the end of epoch 1.",
    "unknown": "Its log cannot be read from here: Log tells more.",
}


class Evaluation(Vertical):
    """`show()` takes a run."""

    def compose(self) -> ComposeResult:
        """Line and table."""
        yield Static(id="scores", markup=False)
        yield ScoreTable(id="score-table")

    def show(self, view: RunView) -> None:
        """Draw the best epoch of this run, or say when there will be one."""
        best = view.snapshot.best
        table = self.query_one(ScoreTable)
        if best is None:
            head = NEXT_STEP.get(view.state, "No validation yet: the first comes at the end of epoch 1.")
        else:
            said = "  ".join(f"{name} {score(number(best.get(key)))}" for name, key in FIGURES)
            head = f"best: epoch {best.get('epoch', '?')}  {said}\no O sort · Enter lists what it got wrong"
        line, text = self.query_one("#scores", Static), Content(clean(head, newlines=True))
        if line.content != text:
            line.update(text)
        per_label = (best or {}).get("per_label")
        table.show(per_label if isinstance(per_label, dict) else {})
        table.display = best is not None
