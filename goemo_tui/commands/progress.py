"""Follows a run on stderr: a bar on a terminal, plain lines elsewhere. Reads the run's folder and nothing else.

Looking on is free: leaving, by whatever way, never touches the run.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import TracebackType
from typing import Any, Protocol

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, ProgressColumn, TextColumn
from rich.text import Text

from goemo_tui import wording
from trainer.runs.run import LIVING, Look, Run
from trainer.runs.snapshot import Snapshot, number

POLL_SECONDS = 0.25
PLAIN_PARTS = 10
"""Without a terminal, one line for each of so many parts of the run."""


def say(text: str) -> None:
    """One message for people, cleaned, on stderr."""
    from goemo_tui.safe_text import clean

    print(clean(text, newlines=True), file=sys.stderr, flush=True)


def follow(run: Run, wait: Callable[[float], None] = time.sleep) -> Look:
    """Show how `run` goes until it has ended, and return the last look. Ctrl-c raises KeyboardInterrupt as always."""
    with _BarView(run) if sys.stderr.isatty() else _LineView(run) as view:
        told = _Told()
        while True:
            look = run.look()
            for line in told.news(look):
                view.tell(line)
            view.show(look)
            if look.state not in LIVING:
                return look
            wait(POLL_SECONDS)


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
    """What has been said already: each validation, warning and change to a state worth a word is said once."""

    def __init__(self) -> None:
        self.validations: set[int] = set()
        self.warnings: set[str] = set()
        self.waiting = ""
        self.state = ""

    def news(self, look: Look) -> Iterator[str]:
        for warning in look.snapshot.warnings:
            if warning not in self.warnings:
                self.warnings.add(warning)
                yield f"warning: {warning}"
        for validation in look.snapshot.validations:
            if validation["seq"] not in self.validations:
                self.validations.add(validation["seq"])
                yield validation_line(validation)
        waiting = waits_for(look.snapshot) if look.state == "waiting" else ""
        if waiting and waiting != self.waiting:
            yield waiting
        self.waiting = waiting
        if look.state != self.state and look.state in ("stalled", "stopping"):
            yield wording.STATES[look.state]
        self.state = look.state


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
            self.tell(f"{epoch_of(seen)}  {100 * (seen.fraction or 0):.0f}%  {figures(seen)}".strip())

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
        self.bars.console.print(Text(self.clean(line)), soft_wrap=True)

    def show(self, look: Look) -> None:
        seen = look.snapshot
        share = "" if seen.fraction is None else f"  {100 * seen.fraction:.0f}%"
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
