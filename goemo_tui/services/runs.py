"""The runs on this machine as screens draw them: one thread looks at their folders and posts what has changed.

A folder whose files did not grow costs one `stat`; where nothing changed nothing is posted, so that nothing is drawn.
No widget is known here, and nothing is ever written into a run's folder.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from textual.message import Message

from goemo_tui import over_ssh
from goemo_tui.wording import MARKS, duration, percent, score
from trainer import paths
from trainer.config import TrainConfig
from trainer.errors import GoemoError
from trainer.runs import disk
from trainer.runs.events import LOG
from trainer.runs.run import LIVING, Look, Run
from trainer.runs.snapshot import Snapshot, number
from trainer.runs.tail import EventTail

INTERVAL = 1.0 if over_ssh.REMOTE else 0.5
"""Seconds between two looks while a run lives."""

IDLE_INTERVAL = 1.0
"""Seconds between two looks while none does."""

SETTLED = frozenset({"finished", "failed", "stopped", "died"})
"""States that do not change as long as the run's files do not."""


@dataclass(frozen=True)
class RunView:
    """One run as it now is. `config` is None where its `config.toml` cannot be read; `trouble` says why."""

    id: str
    short: str
    folder: Path
    state: str
    config: TrainConfig | None
    snapshot: Snapshot
    trouble: str = ""
    loading: bool = False
    """A worker took it up (for the first time or again) and has not begun: the snapshot is of what was before."""
    resumes_at: int = 0
    """While nobody trains it: the step from which a worker would go on, 0 where no checkpoint is left."""
    why: str = ""
    """What is known about the end of a worker that died."""

    @property
    def living(self) -> bool:
        """Whether a process works on it."""
        return self.state in LIVING

    @property
    def best_f1(self) -> float | None:
        """The highest cross-fitted macro-F1 on dev so far."""
        best = self.snapshot.best
        return number(best.get("macro_f1")) if best else None

    @property
    def waits_for(self) -> str:
        """What a waiting run waits for, such as "run calm-otter to end"; empty for any other."""
        return str((self.snapshot.waiting or {}).get("on") or "its turn") if self.state == "waiting" else ""

    @property
    def loses_steps(self) -> bool:
        """Whether a resume would do all steps again, for no checkpoint is left."""
        return self.snapshot.step > 0 and not self.resumes_at

    @property
    def figure(self) -> str:
        """The one thing to say of it in a list: how far it is, how good it got, or why it ended."""
        share = self.snapshot.fraction
        if self.state == "starting":
            return "starting"
        if self.living:
            if self.state == "running" and self.loading:
                return "loading"
            return self.state if self.state != "running" or share is None else percent(share)
        if self.state == "failed":
            return "NaN loss" if (self.snapshot.end or {}).get("reason") == "nan" else "failed"
        if self.best_f1 is not None:
            return f"F1 {score(self.best_f1)}"
        return self.state


class RunsChanged(Message):
    """Runs came, went or moved on. `runs` are all of them, newest first; `changed` the ids that are not as before."""

    def __init__(self, runs: tuple[RunView, ...], changed: frozenset[str]) -> None:
        super().__init__()
        self.runs = runs
        self.changed = changed


Listener = Callable[[RunsChanged], object]


@dataclass
class _Followed:
    run: Run
    view: RunView
    stamp: tuple[int, ...] = ()


class RunWatch:
    """Follows every run's folder. Listeners are called from its thread, which `post_message` of a screen allows."""

    def __init__(self, interval: float = INTERVAL, idle_interval: float = IDLE_INTERVAL) -> None:
        self._interval = interval
        self._idle_interval = idle_interval
        self._followed: dict[str, _Followed] = {}
        self._runs: tuple[RunView, ...] = ()
        self._listeners: list[Listener] = []
        self._mutex = threading.Lock()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._stopped = False

    @property
    def runs(self) -> tuple[RunView, ...]:
        """All runs as they were at the last look, newest first."""
        return self._runs

    def subscribe(self, listener: Listener) -> None:
        """Call `listener` at every change, and once now with what is known."""
        self._listeners.append(listener)
        listener(RunsChanged(self._runs, frozenset(run.id for run in self._runs)))

    def unsubscribe(self, listener: Listener) -> None:
        """Do not call it any more."""
        if listener in self._listeners:
            self._listeners.remove(listener)

    def start(self) -> None:
        """Begin to look. The thread ends with `stop` or with the process."""
        if self._thread is None and not self._stopped:
            self._thread = threading.Thread(target=self._watch, name="runs", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._stopped = True
        self._wake.set()

    def poke(self) -> None:
        """Look at once: something was just started, stopped or deleted."""
        self._wake.set()

    def look(self) -> RunsChanged | None:
        """Look once at every folder, tell the listeners what changed and return it; None where nothing did."""
        with self._mutex:
            before = {run.id: run for run in self._runs}
            views = tuple(self._views())
            changed = {run.id for run in views if before.get(run.id) != run}
            gone = before.keys() - {run.id for run in views}
            if not changed and not gone:
                return None
            self._runs = views
        message = RunsChanged(views, frozenset(changed | gone))
        for listener in tuple(self._listeners):
            listener(message)
        return message

    def _watch(self) -> None:
        while not self._stopped:
            with suppress(GoemoError, OSError):  # whatever it was, the next look may find it gone
                self.look()
            busy = any(run.living for run in self._runs)
            self._wake.wait(self._interval if busy else self._idle_interval)
            self._wake.clear()

    def _views(self) -> Iterable[RunView]:
        try:
            names = _run_folders(paths.runs_folder())
        except OSError:
            names = list(self._followed)  # a server that is away for a moment takes no run off the screen
        for gone in self._followed.keys() - set(names):
            del self._followed[gone]
        for name in names:
            if name not in self._followed:
                try:
                    self._followed[name] = self._follow(name)
                except (GoemoError, OSError):
                    continue  # a folder that is no run, that may not be read, or that is being deleted
        order = sorted(self._followed.values(), key=lambda f: (f.run.id[:13], f.run.created, f.run.id), reverse=True)
        yield from [self._look_at(followed) for followed in order]

    def _follow(self, name: str) -> _Followed:
        run = Run.open(paths.runs_folder() / name)
        config, trouble = _config_of(run)
        return _Followed(run, RunView(run.id, run.short, run.folder, "unknown", config, Snapshot(), trouble))

    def _look_at(self, followed: _Followed) -> RunView:
        view = followed.view
        stamp = _stamp(view.folder)
        if view.state in SETTLED and stamp == followed.stamp:
            return view
        followed.stamp = stamp  # taken before the look: what comes in between is seen the next time
        try:
            look = followed.run.look()
            loading = _is_loading(look)
            idle = loading or look.state in SETTLED or look.state == "waiting"
            resumes_at = disk.resumes_at(view.folder) if idle else view.resumes_at
            why = followed.run.why_died() if look.state == "died" else ""
        except (GoemoError, OSError) as error:
            followed.view = replace(view, state="unknown", trouble=str(error))
            return followed.view
        new = replace(view, state=look.state, snapshot=look.snapshot, loading=loading, resumes_at=resumes_at, why=why)
        if new != view:
            followed.view = new
        return followed.view


def _is_loading(look: Look) -> bool:
    """Whether the worker that has it now has not said `started` or `resumed` yet."""
    if look.state == "starting":
        return True
    if look.state not in LIVING or look.holder is None:
        return False
    # `end` is dropped by the first thing that the new worker does; a worker that died left none, only its last event
    return look.snapshot.end is not None or look.snapshot.seq <= look.holder.seq


def _stamp(folder: Path) -> tuple[int, ...]:
    """Sizes and times of what changes when a run goes on."""
    found: list[int] = []
    for path in (folder, folder / LOG, folder / "lock", folder / "control", folder / disk.CHECKPOINTS):
        try:
            stat = path.stat()
            found += [stat.st_mtime_ns, stat.st_size]
        except OSError:
            found.append(0)
    return tuple(found)


def _run_folders(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return [e.name for e in entries if not e.name.startswith(".") and not e.is_symlink()]
    except FileNotFoundError:
        return []


def _config_of(run: Run) -> tuple[TrainConfig | None, str]:
    try:
        return run.config, ""
    except GoemoError as error:
        return None, str(error)


def run_line(runs: Iterable[RunView], compact: bool = False) -> tuple[str, str | None]:
    """What the header says of the newest living run, and its id; ("", None) where none lives.

    One that waits comes after all that do not. `compact` is for a narrow terminal.
    """
    living = sorted((run for run in runs if run.living), key=lambda run: run.state == "waiting")
    run = living[0] if living else None
    if run is None:
        return "", None
    s = run.snapshot
    parts = [f"{MARKS[run.state]} {run.short}"]
    if run.state != "running" or run.loading:
        parts.append(run.state if run.state != "running" else "loading")
    if run.loading or run.state == "waiting":
        return (" " if compact else "  ").join(parts), run.id  # the figures are of the worker before
    if s.epochs:
        parts.append(f"{'' if compact else 'epoch '}{epoch_of(s)}/{s.epochs}")
    if s.fraction is not None:
        parts.append(percent(s.fraction))
    if s.eta_s is not None and run.state == "running":
        parts.append(f"{duration(s.eta_s)} left")
    return (" " if compact else "  ").join(parts), run.id


def epoch_of(snapshot: Snapshot) -> int:
    """The epoch being trained, counted from 1. (Events count whole epochs or fractions of them.)"""
    if snapshot.steps and snapshot.epochs:
        return min(snapshot.epochs, int(snapshot.step * snapshot.epochs / snapshot.steps) + 1)
    return max(1, int(snapshot.epoch))


def worker_log(folder: Path, limit: int = 64_000) -> str:
    """The last `limit` bytes of what the worker printed; empty where it printed nothing."""
    try:
        with (folder / "worker.log").open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - limit))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ""
    return text.partition("\n")[2] if size > limit else text


class Told:
    """The events of one run in words, all but the steps; reads only what came since the last time."""

    def __init__(self, folder: Path) -> None:
        self._tail = EventTail(folder / LOG)
        self._lines: deque[tuple[float | None, str]] = deque(maxlen=300)

    def lines(self) -> tuple[tuple[float | None, str], ...]:
        """Time (unix seconds) and words, the latest at the end."""
        try:
            events = self._tail.poll(1 << 20)
        except OSError as error:
            return ((None, f"the event log cannot be read: {error}"),)
        self._lines.extend((number(e.get("wall")), event_words(e)) for e in events if e["kind"] != "step")
        return tuple(self._lines)


def event_words(event: dict[str, Any]) -> str:
    """One event in words, for the log."""
    kind = event.get("kind")
    if kind == "started":
        rows = event.get("rows")
        known = ", ".join(f"{v:,} {k}" for k, v in rows.items()) if isinstance(rows, dict) else "?"
        return f"started on {event.get('device', '?')}: {known} rows, {event.get('steps', '?')} steps{_after(event)}"
    if kind == "validation":
        values = (number(event.get("macro_f1")), number(event.get("loss")))
        kept = ", kept as the best" if event.get("best") else ""
        return f"epoch {event.get('epoch')}: dev macro-F1 {score(values[0])}, dev loss {score(values[1])}{kept}"
    if kind == "checkpoint":
        return f"checkpoint at step {event.get('step')}"
    if kind == "warning":
        return f"warning: {event.get('text', '')}"
    if kind == "finished":
        why = f" ({event['reason']})" if event.get("reason") else ""
        return f"finished after {duration(number(event.get('seconds')))}{why}"
    if kind == "failed":
        return f"failed: {event.get('error', '')}"
    if kind == "stopped":
        return f"stopped at step {event.get('step')}"
    if kind == "resumed":
        return f"resumed at step {event.get('step')}{_after(event)}"
    if kind == "waiting":
        return f"waits for {event.get('on', 'its turn')}"
    return str(kind)


def _after(event: dict[str, Any]) -> str:
    return f", since {event['after']}" if event.get("after") else ""
