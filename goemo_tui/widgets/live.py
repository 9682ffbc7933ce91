"""A run as it goes: the loss and the dev score as curves, and how far it is.

Fed with whole snapshots; each part repaints only what differs from the picture before.
"""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Static

from goemo_tui.safe_text import clean
from goemo_tui.services.runs import RunView, epoch_of
from goemo_tui.widgets import plot
from goemo_tui.widgets.curve import Curve, Legend, step_end
from goemo_tui.widgets.progress_line import Progress, ProgressLine
from goemo_tui.widgets.trace import Trace
from goemo_tui.wording import STATES, count, duration, rate, score, small
from trainer.runs.snapshot import number

SMOOTHING = 0.9
ALARMING = ("failed", "died", "stalled")
"""States whose note is written in red."""


class Live(Vertical):
    """Two charts, the progress of one run, and in whole sentences why it does not go on."""

    DEFAULT_CSS = """
    Live { height: 1fr; }
    Live > #charts { height: 1fr; layout: vertical; }
    Live > #note { height: auto; max-height: 4; display: none; text-style: bold; }
    Live > #note.-alarm { color: $error; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._run: str | None = None
        self._loss = Trace(SMOOTHING)
        self._dev_loss = Trace()
        self._score = Trace()

    def compose(self) -> ComposeResult:
        """Charts above, figures below."""
        with Horizontal(id="charts"):
            yield Curve("loss", "step", "no step yet", id="loss-chart")
            yield Curve("macro-F1 (dev)", "epoch", "the first score comes after epoch 1", id="score-chart")
        yield ProgressLine(id="progress")
        yield Static(id="note", markup=False)

    def show(self, view: RunView) -> int:
        """Draw this run. Returns how many rows were painted again."""
        snapshot = view.snapshot
        if view.id != self._run:
            self._run = view.id
            for trace in (self._loss, self._dev_loss, self._score):
                trace.clear()
        self._loss.feed(snapshot.curve.step, snapshot.curve.loss)
        scored = [v for v in snapshot.validations if number(v.get("step")) is not None]
        self._dev_loss.feed([float(v["step"]) for v in scored], [number(v.get("loss")) for v in scored])
        timed = [v for v in snapshot.validations if number(v.get("epoch")) is not None]
        self._score.feed([float(v["epoch"]) for v in timed], [number(v.get("macro_f1")) for v in timed])
        painted = self._show_loss(view) + self._show_score(view) + self.query_one(ProgressLine).show(progress_of(view))
        return painted + self._show_note(view)

    def _show_note(self, view: RunView) -> int:
        """Sentences of any length, which a row of figures would cut."""
        place, text = self.query_one("#note", Static), Content(note(view))
        if place.content == text:
            return 0
        place.update(text)
        place.display = bool(text)
        place.set_class(view.state in ALARMING, "-alarm")
        return 1

    def _show_loss(self, view: RunView) -> int:
        legend = []
        if self._loss.smooth:
            legend.append(Legend("━", "train", score(self._loss.smooth[-1]), "plot--line"))
        if self._dev_loss.last is not None:
            legend.append(Legend("◆", "dev", score(self._dev_loss.last), "plot--mark"))
        layers = [
            plot.Layer(self._loss, "band", "plot--raw"),
            plot.Layer(self._loss, "line", "plot--line"),
            plot.Layer(self._dev_loss, "points", "plot--mark", "◆"),
        ]
        end = step_end(view.snapshot.step, view.snapshot.steps)
        return self.query_one("#loss-chart", Curve).show(layers, tuple(legend), end)

    def _show_score(self, view: RunView) -> int:
        legend: tuple[Legend, ...] = ()
        if view.best_f1 is not None:
            best = view.snapshot.best or {}
            legend = (Legend("●", "best", f"{score(view.best_f1)} (epoch {_epoch(best.get('epoch'))})", "plot--mark"),)
        layers = [plot.Layer(self._score, "marks", "plot--mark", "●")]
        epochs = max(view.snapshot.epochs, *(int(x) for x in self._score.x), 1)
        return self.query_one("#score-chart", Curve).show(layers, legend, float(epochs))


def _epoch(value: object) -> str:
    found = number(value)
    return "?" if found is None else f"{found:g}"


def progress_of(view: RunView) -> Progress:
    """The figures of a run, or in words why there are none."""
    s = view.snapshot
    if s.fraction is None and view.state == "waiting":
        return Progress()  # the note says all
    if s.fraction is None:
        return Progress(tail=STATES["starting" if view.state == "running" else view.state])
    if view.state == "waiting" or (view.loading and view.state in ("running", "starting")):
        return _before_it_goes_on(view)
    head = f"epoch {epoch_of(s)}/{s.epochs}" if s.epochs else ""
    tail = f"{count(s.step)}/{count(s.steps)}"
    measured = s.eta_s is not None or s.examples_per_s is not None
    begun = ""
    if view.state == "running" and measured:
        tail += f"  {duration(s.eta_s)} left"
    elif view.state == "running":
        begun = "resumed, the next step is under way" if s.step else "the first step is under way"
    facts = []
    if view.living and measured:
        facts += [("", f"{rate(s.examples_per_s)} ex/s"), ("", f"{rate(s.tokens_per_s)} tok/s")]
    facts += [("lr", small(s.lr)), ("grad", "–" if s.grad_norm is None else f"{s.grad_norm:.2f}")]
    last = s.validations[-1] if s.validations else {}
    scores = [("loss", score(s.loss))]
    if last:
        scores = [
            ("train", score(number(last.get("train_loss")))),
            ("dev", score(number(last.get("loss")))),
            ("F1", score(number(last.get("macro_f1")))),
        ]
    diagnosis = clean(str(last.get("diagnosis") or ""))
    return Progress(
        head,
        s.fraction,
        tail,
        tuple(facts),
        tuple(scores),
        begun or diagnosis,
        alarm=diagnosis.startswith("overfitting"),
    )


def _before_it_goes_on(view: RunView) -> Progress:
    """A run that is taken up again: the step it will go on from, and what keeps it from doing so yet."""
    s = view.snapshot
    where = f"resumes from step {count(view.resumes_at)}/{count(s.steps)}"
    why = "" if view.resumes_at else "no checkpoint: from the start"
    facts = (("", why),) if why else ()
    verdict = "" if view.state == "waiting" else STATES["starting"]
    return Progress("", min(1.0, view.resumes_at / s.steps), where, facts, verdict=verdict)


def note(view: RunView) -> str:
    """Why a run does not go on, and the next step; empty while it goes well."""
    end = view.snapshot.end or {}
    again = "r starts over, no checkpoint is left" if view.loses_steps else "r resumes"
    if view.state == "waiting":
        return clean(f"waits for {view.waits_for} · s takes it out of the queue")
    if view.state == "failed":
        what = clean(str(end.get("error") or "failed"))
        return f"{what} · Log tells more" if end.get("reason") == "input" else f"{what} · {again}, Log tells more"
    if view.state == "died":
        at = f" from step {count(view.resumes_at)}" if view.resumes_at else ""
        return f"died: {clean(view.why)} · {again}{at}"
    if view.state == "stopped":
        return f"stopped · {again}"
    if view.state == "stalled":
        return "no word from the worker for a while · Log tells more"
    if view.state == "stopping":
        return "stopping after this step"
    return ""
