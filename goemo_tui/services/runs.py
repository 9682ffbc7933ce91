"""The runs on this machine as screens draw them: one thread looks at their folders and posts what has changed.

A folder whose files did not grow costs one `stat`; where nothing changed nothing is posted, so that nothing is drawn.
No widget is known here, and nothing is ever written into a run's folder.
"""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from textual.message import Message

from goemo_tui import over_ssh
from goemo_tui.services import called
from goemo_tui.services.run_log import Told as Told
from goemo_tui.services.run_log import event_words as event_words
from goemo_tui.services.run_log import worker_log as worker_log
from goemo_tui.services.run_words import epoch_of as epoch_of
from goemo_tui.services.run_words import run_line as run_line
from goemo_tui.services.run_words import title_of as title_of
from goemo_tui.wording import percent, score
from trainer import paths
from trainer.config import TrainConfig
from trainer.errors import GoemoError
from trainer.runs import about, disk
from trainer.runs.about import About, read_about
from trainer.runs.events import LOG
from trainer.runs.run import LIVING, Look, Run
from trainer.runs.snapshot import Snapshot, number

INTERVAL = 1.0 if over_ssh.REMOTE else 0.5
"""Seconds between two looks while a run lives."""

IDLE_INTERVAL = 1.0
"""Seconds between two looks while none does."""

PATIENCE = 0.3
"""Seconds after which the runs that were read so far are told, where there are many that are read for the first time."""

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
    about: About = field(default_factory=About)
    """The name and the note that a person gave it."""
    created: float = 0.0
    """When it was made, in seconds since 1970."""
    pid: int | None = None
    """The living worker's process, None where none lives or it is another machine's."""

    @property
    def living(self) -> bool:
        """Whether a process works on it."""
        return self.state in LIVING

    @property
    def title(self) -> str:
        """What people call it: the name it was given, else its two words. As a file holds it: clean it."""
        return self.about.name or self.short

    @property
    def since(self) -> float:
        """When it ended, or, of one that has not, when it was made; seconds since 1970."""
        return self.snapshot.wall if self.state in SETTLED and self.snapshot.wall is not None else self.created

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
        self._unread = True
        self.together: Callable[[Callable[[], None]], object] = lambda tell: tell()
        """Calls what tells the listeners; an app lets its loop do so, that all draw in one frame what all have heard."""

    @property
    def all_read(self) -> bool:
        """Whether every run has been looked at; before, `runs` are the newest of them."""
        return not self._unread

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

    def every(self, seconds: float) -> None:
        """Look so often, in seconds, as long as a run lives."""
        self._interval = seconds

    def poke(self) -> None:
        """Look at once: something was just started, stopped or deleted."""
        self._wake.set()

    def look(self, patience: float = math.inf) -> RunsChanged | None:
        """Look once at every folder, tell the listeners what changed and return it; None where nothing did.

        What was not read within `patience` seconds, of runs never read before, is left to the next look.
        """
        with self._mutex:
            before = {run.id: run for run in self._runs}
            views = tuple(self._views(time.monotonic() + patience))
            changed = {run.id for run in views if before.get(run.id) != run}
            gone = before.keys() - {run.id for run in views}
            if not changed and not gone:
                return None
            self._runs = views
            named = [run for run in reversed(views) if run.about.name]  # of two runs with the same words, the newer one
            called.know({key: run.about.name for run in named for key in (run.short, run.id)})
        message = RunsChanged(views, frozenset(changed | gone))
        self._tell(message)
        return message

    def _tell(self, message: RunsChanged) -> None:
        def tell() -> None:
            for listener in tuple(self._listeners):
                listener(message)

        with suppress(RuntimeError):  # a loop that was closed meanwhile: nobody listens any more
            self.together(tell)

    def _watch(self) -> None:
        while not self._stopped:
            first, more = self._unread, False
            with suppress(GoemoError, OSError):  # whatever it was, the next look may find it gone
                told = self.look(PATIENCE)
                more = self._unread
                if told is None and first and not more:
                    self._tell(RunsChanged(self._runs, frozenset()))  # who waits for the runs hears that this is all
            if more:
                continue
            busy = any(run.living for run in self._runs)
            self._wake.wait(self._interval if busy else self._idle_interval)
            self._wake.clear()

    def _views(self, until: float) -> Iterable[RunView]:
        try:
            names = _run_folders(paths.runs_folder())
        except OSError:
            names = list(self._followed)  # a server that is away for a moment takes no run off the screen
        for gone in self._followed.keys() - set(names):
            del self._followed[gone]
        unread = False
        for name in sorted(set(names) - self._followed.keys(), reverse=True):
            if time.monotonic() > until:
                unread = True
                break
            try:
                followed = self._follow(name)
            except (GoemoError, OSError):
                continue  # a folder that is no run, that may not be read, or that is being deleted
            self._look_at(followed)
            self._followed[name] = followed
        order = sorted(self._followed.values(), key=lambda f: (f.run.id[:13], f.view.created, f.run.id), reverse=True)
        yield from [self._look_at(followed) for followed in order]
        self._unread = unread

    def _follow(self, name: str) -> _Followed:
        run = Run.open(paths.runs_folder() / name)
        config, trouble = _config_of(run)
        view = RunView(run.id, run.short, run.folder, "unknown", config, Snapshot(), trouble, created=run.created)
        return _Followed(run, view)

    def _look_at(self, followed: _Followed) -> RunView:
        view = followed.view
        stamp = _stamp(view.folder)
        if view.state in SETTLED and stamp == followed.stamp:
            return view
        if stamp[:2] != followed.stamp[:2]:
            view = replace(view, about=read_about(view.folder))
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
        new = replace(
            view,
            state=look.state,
            snapshot=look.snapshot,
            loading=loading,
            resumes_at=resumes_at,
            why=why,
            pid=look.pid,
        )
        if new != followed.view:
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
    for path in (
        folder / about.NAME,
        folder,
        folder / LOG,
        folder / "lock",
        folder / "control",
        folder / disk.CHECKPOINTS,
    ):
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
