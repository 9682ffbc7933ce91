"""A run's progress in words: how far, how fast, how good by now, and why it does not go on.

From a view to plain texts; nothing is painted here.
"""

from __future__ import annotations

from goemo_tui.safe_text import clean
from goemo_tui.services.runs import RunView, epoch_of
from goemo_tui.widgets.progress_line import Progress
from goemo_tui.wording import STATES, count, duration, rate, score
from trainer.runs.snapshot import number


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
    facts: tuple[tuple[str, str], ...] = ()
    if view.living and measured:
        facts = (("", f"{rate(s.examples_per_s)} ex/s"), ("", f"{rate(s.tokens_per_s)} tok/s"))
    last = s.validations[-1] if s.validations else {}
    scores: tuple[tuple[str, str], ...] = ()
    if last:
        scores = (
            (f"epoch {_epoch(last.get('epoch'))}", ""),
            ("train", score(number(last.get("train_loss")))),
            ("dev", score(number(last.get("loss")))),
            ("F1", score(number(last.get("macro_f1")))),
        )
    elif s.loss is not None:
        scores = (("loss of the last steps", score(s.loss)),)
    diagnosis = clean(str(last.get("diagnosis") or ""))
    advice = "" if begun else advice_for(diagnosis)
    return Progress(
        head,
        s.fraction,
        tail,
        facts,
        scores,
        begun or diagnosis,
        alarm=diagnosis.startswith("overfitting"),
        advice=advice,
    )


def advice_for(diagnosis: str) -> str:
    """What a diagnosis means and what to do about it, in one sentence; empty for one that is not known."""
    if diagnosis.startswith("overfitting"):
        return (
            "The loss on dev rises while that on train falls: stop here (the best epoch is kept), or take fewer epochs, "
            "a lower lr or more weight_decay."
        )
    return {
        "still learning": "The loss on dev still falls: let it go on, and give the next run more epochs.",
        "fits well": "The loss on dev has levelled out and does not rise: more epochs would bring little.",
    }.get(diagnosis, "")


def _epoch(value: object) -> str:
    found = number(value)
    return "?" if found is None else f"{found:g}"


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
