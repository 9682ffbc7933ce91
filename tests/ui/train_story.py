"""What the Train screen's tests share: runs with a story, the opened app, and waiting for what shows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from textual.pilot import Pilot

from goemo_tui.app import GoemoApp
from goemo_tui.remembered import read_state, write_state
from goemo_tui.screens.train import TrainScreen
from trainer.config import TrainConfig
from trainer.runs.events import EventLog
from trainer.runs.lock import RunLock
from trainer.runs.run import Run

HOSTILE = "[/s] \x1b[2J [@click=app.quit]x[/]"
PER_LABEL = {
    "joy": {"precision": 0.9, "recall": 0.5, "f1": 0.643, "support": 30, "threshold": 0.4},
    "fear": {"precision": 0.3, "recall": 0.8, "f1": 0.436, "support": 1200, "threshold": 0.2},
    HOSTILE: {"precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 1, "threshold": 0.9},
}


def tell(log: EventLog, until_step: int, since: int = 0) -> None:
    if not since:
        log.append(
            "started", step=0, steps=100, epochs=2, rows={"train": 1120, "dev": 280}, device="cpu", parameters=5000
        )
    for step in range(since + 1, until_step + 1):
        log.append(
            "step", step=step, epoch=step / 50, loss=0.5 / step, lr=1.1e-4, grad_norm=0.7,
            examples_per_s=103.0, tokens_per_s=2100.0, eta_s=100.0,
        )  # fmt: skip


def validate(log: EventLog, step: int = 50, **more: Any) -> None:
    log.append(
        "validation", step=step, epoch=step // 50, loss=0.083, train_loss=0.08, macro_f1=0.502, micro_f1=0.6,
        weighted_f1=0.59, per_label=PER_LABEL, diagnosis="fits well", best=True, **more,
    )  # fmt: skip


def ended(**how: Any) -> Run:
    run = Run.create(TrainConfig())
    with RunLock(run.folder), EventLog(run.folder / "events.jsonl") as log:
        tell(log, 60)
        validate(log)
        log.append(how.pop("kind", "finished"), step=60, **how)
    return run


def kept(run: Run, size: int = 1000, step: int = 20) -> Run:
    """The run with a checkpoint of so many bytes."""
    fresh = run.folder / "checkpoints" / ".fresh"
    fresh.mkdir(parents=True)
    (fresh / "manifest.json").write_bytes(b"x" * size)
    fresh.rename(fresh.with_name(f"step-{step:06d}"))  # whole or not at all, as the worker does it
    return run


@asynccontextmanager
async def opened(
    size: tuple[int, int] = (120, 36), data: str | None = None
) -> AsyncIterator[tuple[GoemoApp, Pilot[int]]]:
    if data is None:
        write_state(replace(read_state(), place="train"))  # what the Data screen does is not what is looked at here
    app = GoemoApp(data)
    app.runs._interval = app.runs._idle_interval = 0.05
    async with app.run_test(size=size) as pilot:
        app.action_place("train")
        await until(pilot, lambda: isinstance(app.screen, TrainScreen) and app.screen.is_mounted)
        yield app, pilot


async def until(pilot: Pilot[int], condition: Callable[[], object]) -> None:
    for _ in range(1000):
        await pilot.pause()
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never came true")


def shown(app: GoemoApp) -> str:
    """The screen as text."""
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


def toasts(app: GoemoApp) -> str:
    """What the toasts say that are up now."""
    return "\n".join(note.message for note in app._notifications)
