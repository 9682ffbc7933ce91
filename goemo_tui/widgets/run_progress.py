"""A run's progress in words: how far, how fast, how good by now, and why it does not go on.

From a view to plain texts; nothing is painted here.
"""

from __future__ import annotations

from goemo_tui.safe_text import clean
from goemo_tui.services.runs import RunView, epoch_of
from goemo_tui.widgets.progress_line import Progress
from goemo_tui.wording import STATES, count, duration, rate, score
from trainer.runs.snapshot import Snapshot, number

NO_NUMBER = "the loss of the last steps is no number (NaN)"


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
    doing = _doing(s, measured) if view.state == "running" else ""
    if view.state == "running" and measured:
        tail += f"  {duration(s.eta_s)} left"
    facts: tuple[tuple[str, str], ...] = ()
    if (seconds := number((s.end or {}).get("seconds"))) is not None:
        facts = (("took", duration(seconds)),)
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
    lost = NO_NUMBER if s.loss is None and s.curve.step else ""
    return Progress(
        head,
        s.fraction,
        tail,
        facts,
        scores,
        lost or doing or diagnosis,
        alarm=bool(lost) or (not doing and diagnosis.startswith("overfitting")),
        advice="" if lost or doing else advice_for(diagnosis, view.living),
    )


def _doing(s: Snapshot, measured: bool) -> str:
    """What a running worker is at where that is no step that can be seen; else empty."""
    if not measured:
        return "resumed, the next step is under way" if s.step else "the first step is under way"
    each = s.steps // s.epochs if s.epochs else 0
    if not each or not s.step or s.step % each:
        return ""
    scored = max((number(v.get("step")) or 0 for v in s.validations), default=0)
    return f"epoch {s.step // each} is done, dev is being scored" if scored < s.step else ""


def advice_for(diagnosis: str, living: bool) -> str:
    """What a diagnosis means and what to do about it, in one sentence; empty for one that is not known.

    Who has ended is neither stopped nor left to go on: of it the advice is for the next run.
    """
    if diagnosis.startswith("overfitting"):
        cure = "fewer epochs, a lower lr or more weight_decay."
        if living:
            return (
                f"The loss on dev rises while that on train falls: stop here (the best epoch is kept), or take {cure}"
            )
        return f"The loss on dev rose while that on train fell; the best epoch is kept. Give the next run {cure}"
    if diagnosis == "still learning" and living:
        return "Dev still gets better: let it go on, and give the next run more epochs."
    return {
        "still learning": "Dev still got better at the end: give the next run more epochs.",
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
    if view.state in ("starting", "running"):
        return clean(view.snapshot.preparing)
    return ""


def warning_of(view: RunView) -> str:
    """The newest warning of a run that goes on; empty where it warned of nothing, or has ended and says so itself."""
    warnings = view.snapshot.warnings if view.state in ("running", "stalled") else ()
    return clean(f"! {warnings[-1]}") if warnings else ""
