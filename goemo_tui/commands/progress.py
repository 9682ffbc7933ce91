"""Follows a run on stderr: a bar on a terminal, plain lines elsewhere. Reads the run's folder and nothing else.

Looking on is free: leaving, by whatever way, never touches the run.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from types import TracebackType
from typing import Any, Protocol

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, ProgressColumn, TextColumn
from rich.text import Text

from goemo_tui import wording
from goemo_tui.folding import folded
from trainer.runs.events import LOG
from trainer.runs.run import LIVING, Look, Run
from trainer.runs.snapshot import Snapshot, number
from trainer.runs.tail import EventTail

POLL_SECONDS = 0.25
PLAIN_PARTS = 10
"""Without a terminal, one line for each of so many parts of the run."""
LAST_VALIDATIONS = 3
"""So many of those that are there already are told; a long run has more than a screen has rows."""


LEAVE_SECONDS = 10.0
"""How long a worker that has told its end is given to be gone; its interpreter takes a moment to close."""


def say(text: str) -> None:
    """One message for people, cleaned, on stderr."""
    from goemo_tui.safe_text import clean

    print(folded(clean(text, newlines=True), sys.stderr), file=sys.stderr, flush=True)


def follow(run: Run, wait: Callable[[float], None] = time.sleep) -> Look:
    """Show how `run` goes until it has ended, and return the last look. Ctrl-c raises KeyboardInterrupt as always."""
    with _BarView(run) if sys.stderr.isatty() else _LineView(run) as view:
        told = _Told(run)
        while True:
            look = run.look()
            for line in told.news(look):
                view.tell(line)
            view.show(look)
            if look.state not in LIVING:
                return _left(run, look, wait)
            wait(POLL_SECONDS)


def _left(run: Run, look: Look, wait: Callable[[float], None]) -> Look:
    """The look once the worker has let go of the run: whoever is told of the end may resume, remove or score it at once."""
    for _ in range(round(LEAVE_SECONDS / POLL_SECONDS)):
        if look.pid is None or look.state in LIVING:
            break
        wait(POLL_SECONDS)
        look = run.look()
    return look


@contextmanager
def fetching() -> Iterator[Callable[[str, int, int], None]]:
    """A callback (file, bytes done, bytes in all) that shows a download on stderr; silent if it is never called."""
    from goemo_tui.safe_text import clean

    if not sys.stderr.isatty():
        seen: set[str] = set()

        def line(file: str, done: int, total: int) -> None:
            if file and file not in seen:
                seen.add(file)
                say(f"fetching {file} ({wording.size(done)} of {wording.size(total)} are here)")

        yield line
        return
    columns = (TextColumn("fetching {task.description}", markup=False), BarColumn(), DownloadColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        tasks: list[Any] = []

        def bar(file: str, done: int, total: int) -> None:
            if not tasks:
                tasks.append(bars.add_task(clean(file), total=total))
            bars.update(tasks[0], description=clean(file), completed=done, total=total)

        yield bar


def validation_line(validation: dict[str, Any]) -> str:
    """`epoch 2: macro-F1 .502 on dev (micro .571) · loss train .083 dev .085 · fits well · best so far`."""
    get = {key: number(validation.get(key)) for key in ("epoch", "macro_f1", "micro_f1", "train_loss", "loss")}
    epoch = "?" if get["epoch"] is None else f"{get['epoch']:g}"
    parts = [
        f"epoch {epoch}: macro-F1 {wording.score(get['macro_f1'])} on dev (micro {wording.score(get['micro_f1'])})",
        f"loss train {wording.score(get['train_loss'])} dev {wording.score(get['loss'])}",
    ]
    if validation.get("diagnosis"):
        parts.append(str(validation["diagnosis"]))
    if validation.get("best") is True:
        parts.append("best so far")
    return " · ".join(parts)


def earlier(count: int) -> str:
    """`… 26 earlier ones`."""
    return f"… {count} earlier one{'s' if count != 1 else ''}"


def collapsed(warnings: Iterable[str]) -> list[str]:
    """Each once: equal ones with how often they came, of those that differ only in numbers the last.

    `the disk is full (5 times)`, `step 140: not saved (and 4 like it)`.
    """
    groups: dict[str, list[str]] = {}
    for text in warnings:
        pattern = re.sub(r"\d+(?:[.,]\d+)*", "0", text)
        groups[pattern] = [*groups.pop(pattern, []), text]  # behind the others: its last one is told
    return [_one_of(group) for group in groups.values()]


def _one_of(group: list[str]) -> str:
    if len(group) == 1:
        return group[0]
    if len(set(group)) == 1:
        return f"{group[0]} ({len(group)} times)"
    return f"{group[-1]} (and {len(group) - 1} like it)"


def taken_up(event: dict[str, Any]) -> str:
    """`taken up again from step 140: the worker (pid 5) was killed by SIGKILL`."""
    step = int(number(event.get("step")) or 0)
    return f"taken up again from step {step:,}" + (f": {event['after']}" if event.get("after") else "")


def epoch_of(snapshot: Snapshot) -> str:
    """`epoch 2/3`, or nothing before the first."""
    if not snapshot.epoch:
        return ""
    return f"epoch {snapshot.epoch:g}" + (f"/{snapshot.epochs}" if snapshot.epochs else "")


def figures(snapshot: Snapshot) -> str:
    """`812/1,357  loss .080  103 ex/s  eta 1m40s`, as far as it is known."""
    parts = []
    if snapshot.steps:
        parts.append(f"{wording.count(snapshot.step)}/{wording.count(snapshot.steps)}")
    if snapshot.loss is not None:
        parts.append(f"loss {wording.score(snapshot.loss)}")
    if snapshot.examples_per_s is not None:
        parts.append(f"{wording.rate(snapshot.examples_per_s)} ex/s")
    if snapshot.eta_s is not None and snapshot.end is None:
        parts.append(f"eta {wording.duration(snapshot.eta_s)}")
    return "  ".join(parts)


def waits_for(snapshot: Snapshot) -> str:
    """`waits for run calm-otter to end`; nothing for a run that does not wait."""
    if snapshot.waiting is None:
        return ""
    return f"waits for {snapshot.waiting.get('on') or 'its turn'}"


class _View(Protocol):
    def tell(self, line: str) -> None: ...
    def show(self, look: Look) -> None: ...


class _Told:
    """What has been said already: each restart, validation, warning and change to a state worth a word is said once.

    Of what was there before one looked, only the end is said.
    """

    def __init__(self, run: Run) -> None:
        self.restarts = _Restarts(run)
        self.validations: set[int] = set()
        self.warnings: set[str] = set()
        self.waiting = self.preparing = ""
        self.state = ""
        self.first = True

    def news(self, look: Look) -> Iterator[str]:
        first, self.first = self.first, False
        again = self.restarts.news()
        warnings = [text for text in look.snapshot.warnings if text not in self.warnings]
        self.warnings.update(warnings)
        for text in collapsed(warnings) if first else dict.fromkeys(warnings):
            yield f"warning: {text}"
        for event in again[-1:] if first else again:
            yield taken_up(event)
        validations = [v for v in look.snapshot.validations if v["seq"] not in self.validations]
        self.validations.update(v["seq"] for v in validations)
        if first and len(validations) > LAST_VALIDATIONS:
            yield earlier(len(validations) - LAST_VALIDATIONS)
            validations = validations[-LAST_VALIDATIONS:]
        for validation in validations:
            yield validation_line(validation)
        waiting = waits_for(look.snapshot) if look.state == "waiting" else ""
        if waiting and waiting != self.waiting:
            yield waiting
        self.waiting = waiting
        if look.snapshot.preparing and look.snapshot.preparing != self.preparing:
            yield look.snapshot.preparing
        self.preparing = look.snapshot.preparing
        if look.state != self.state and look.state in ("stalled", "stopping"):
            yield wording.STATES[look.state]
        self.state = look.state


class _Restarts:
    """The events with which a worker took the run up again: all that resume, and each start but an untroubled first."""

    def __init__(self, run: Run) -> None:
        self.tail = EventTail(run.folder / LOG)
        self.begun = False

    def news(self) -> list[dict[str, Any]]:
        """Those that came since the last time."""
        found: list[dict[str, Any]] = []
        with suppress(OSError):  # a look at the run says so
            while True:
                found += [event for event in self.tail.poll(1 << 20) if self._is_one(event)]
                if not self.tail.behind:
                    break
        return found

    def _is_one(self, event: dict[str, Any]) -> bool:
        if event["kind"] not in ("started", "resumed"):
            return False
        before, self.begun = self.begun, True
        return before or event["kind"] == "resumed" or bool(event.get("after"))


class _LineView(AbstractContextManager["_LineView"]):
    """Plain lines: the end of each part of the run."""

    def __init__(self, run: Run) -> None:
        self.name = run.short
        self.part = -1

    def tell(self, line: str) -> None:
        say(f"{self.name}  {line}")

    def show(self, look: Look) -> None:
        seen = look.snapshot
        part = int((seen.fraction or 0) * PLAIN_PARTS)
        if seen.loss is not None and part != self.part:
            self.part = part
            self.tell(f"{epoch_of(seen)}  {wording.percent(seen.fraction or 0)}  {figures(seen)}".strip())

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None


class _BarView(AbstractContextManager["_BarView"]):
    """One bar that is redrawn in place; lines go above it."""

    def __init__(self, run: Run) -> None:
        from goemo_tui.safe_text import cells, clean

        self.clean, self.cells = clean, cells
        columns: tuple[ProgressColumn, ...] = (
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=None),
            TextColumn("{task.fields[figures]}", markup=False),
        )
        self.bars = Progress(*columns, console=Console(stderr=True), auto_refresh=False, expand=True)
        self.name = clean(run.short)
        self.task = self.bars.add_task(self.name, total=None, figures="")

    def __enter__(self) -> _BarView:
        self.bars.start()
        return self

    def tell(self, line: str) -> None:
        self.bars.console.print(Text(folded(self.clean(line), sys.stderr)), soft_wrap=True)

    def show(self, look: Look) -> None:
        seen = look.snapshot
        share = "" if seen.fraction is None else f"  {wording.percent(seen.fraction)}"
        self.bars.update(
            self.task,
            description=f"{self.name}  {epoch_of(seen) or look.state}{share}",
            completed=seen.step,
            total=seen.steps or None,
            figures=self.cells(waits_for(seen), max(10, self.bars.console.width // 2)) or figures(seen),
        )
        self.bars.refresh()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.bars.stop()
