"""Train when a run does not go on: freeing disk, a run that waits for its turn, a worker that died, a start over."""

from __future__ import annotations

import pytest
from textual.widgets import Static

from goemo_tui.screens.confirm import Confirm
from goemo_tui.screens.train import TrainScreen
from goemo_tui.services import prune
from tests.ui.train_story import HOSTILE, ended, kept, opened, shown, tell, toasts, until
from trainer import surroundings
from trainer.config import TrainConfig
from trainer.errors import RunError
from trainer.runs.events import EventLog
from trainer.runs.lock import RunLock
from trainer.runs.run import Run

SIZES = [(80, 24), (120, 36)]


def spent(size: int = 3_000_000) -> Run:
    """A finished run with its model and a checkpoint of this size."""
    run = kept(ended(), size)
    (run.folder / "model").mkdir()
    (run.folder / "model" / "config.json").write_text("{}")
    return run


# -- prune


@pytest.mark.parametrize("size", SIZES)
async def test_pruning_shows_what_would_go_asks_and_frees_it(size: tuple[int, int]) -> None:
    first, second, open_run = spent(), spent(5_000_000), kept(ended(kind="stopped"))
    async with opened(size) as (app, pilot):
        await until(pilot, lambda: shown(app).count(" .502") >= 3)
        await pilot.press("p")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        question = str(app.screen.query_one("#box Static", Static).content)
        listed = [line.split() for line in question.splitlines() if line.startswith("  ")]
        assert listed == [[second.short, "5.0", "MB"], [first.short, "3.0", "MB"]]
        assert "Free 8.0 MB?" in shown(app) and "Free it" in shown(app) and open_run.short not in question
        await pilot.press("enter")  # the safe answer has the focus
        await until(pilot, lambda: isinstance(app.screen, TrainScreen))
        assert (first.folder / "checkpoints" / "step-000020").exists()
        await pilot.press("p")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("y")
        await until(pilot, lambda: "8.0 MB are free again" in toasts(app))
        for run, there in ((first, False), (second, False), (open_run, True)):
            assert (run.folder / "checkpoints" / "step-000020").exists() is there
        assert first.model is not None and second.model is not None
        await pilot.press("p")
        await until(pilot, lambda: "Nothing to free" in toasts(app))
        assert isinstance(app.screen, TrainScreen)


async def test_a_long_list_fits_on_a_small_screen() -> None:
    for n in range(12):
        spent(1_000_000 * (n + 1))
    async with opened((80, 24)) as (app, pilot):
        await until(pilot, lambda: app.runs.runs)
        await pilot.press("p")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await until(pilot, lambda: "Free it" in shown(app) and "Keep it" in shown(app))
        text = shown(app)
        assert "Free 78 MB?" in text and "4 more" in text and "10 MB" in text and "y yes" in text


async def test_what_could_not_be_freed_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    spent()
    monkeypatch.setattr("trainer.runs.prune.prune", lambda item: (_ for _ in ()).throw(RunError(f"no {HOSTILE}")))
    async with opened() as (app, pilot):
        await until(pilot, lambda: "F1 .502" in shown(app))
        await pilot.press("p")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("y")
        await until(pilot, lambda: "no [/s] ␛[2J" in toasts(app) and "0 B are free again" in toasts(app))


async def test_pruning_is_offered_only_where_a_run_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run.create(TrainConfig())
    with RunLock(run.folder), EventLog(run.folder / "events.jsonl") as log:
        tell(log, 5)
        async with opened((120, 36)) as (app, pilot):
            await until(pilot, lambda: "5/100" in shown(app))
            assert "Prune" not in shown(app)
            monkeypatch.setattr(prune, "look", lambda: pytest.fail("it was asked"))
            await pilot.press("p")
            await pilot.pause()
            log.append("finished", step=100)
            await until(pilot, lambda: "Prune" in shown(app))


# -- a run that waits


@pytest.mark.parametrize("size", SIZES)
async def test_a_waiting_run_says_what_for_and_can_be_stopped(size: tuple[int, int]) -> None:
    run = Run.create(TrainConfig(epochs=2))
    with RunLock(run.folder), EventLog(run.folder / "events.jsonl") as log:
        log.append("waiting", on=f"run calm-otter to end {HOSTILE}")
        async with opened(size) as (app, pilot):
            await until(pilot, lambda: "waits for run calm-otter to end" in shown(app))
            text = shown(app)
            assert "[/s] ␛[2J" in text and "Stop" in text
            assert "s takes it out of the queue" in " ".join(text.replace("│", " ").split())
            assert "it waits for its turn" not in text, "it is said once, and what for"
            assert "waiting" in app.run_line and "Resume" not in text
            await pilot.press("v", "v", "v")
            await until(pilot, lambda: "following" in shown(app))
            await until(pilot, lambda: "waits for run calm-otter to end" in shown(app))
            await pilot.press("v")
            log.append("started", step=0, steps=100, epochs=2)
            await until(pilot, lambda: "the first step is under way" in shown(app))
            assert "waits for" not in shown(app)


# -- a worker that died


@pytest.mark.parametrize("size", SIZES)
async def test_a_died_run_says_why_and_where_it_would_go_on(
    size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Run, "why_died", lambda self: "the worker (pid 4711) was killed by SIGKILL, \x1b[2Jas it seems")
    run = Run.create(TrainConfig(epochs=2))
    with RunLock(run.folder), EventLog(run.folder / "events.jsonl") as log:
        tell(log, 28)
        log.append("checkpoint", step=20)
    kept(run)
    async with opened(size) as (app, pilot):
        await until(pilot, lambda: "killed by SIGKILL" in shown(app))
        said = str(app.screen.query_one("#note", Static).content)
        assert "␛[2Jas it seems" in said and said.endswith("r resumes from step 20")
        words = " ".join(shown(app).replace("│", " ").split())
        assert "as it seems" in words and "from step 20" in words, "no word of it is cut"
        kept(run, step=24)
        await until(pilot, lambda: str(app.screen.query_one("#note", Static).content).endswith("from step 24"))


async def test_a_resume_without_a_checkpoint_says_that_it_starts_over(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr("trainer.runs.process.resume", lambda run: asked.append(run.id))
    run = kept(ended(kind="stopped"))
    async with opened() as (app, pilot):
        await until(pilot, lambda: "stopped · r resumes" in shown(app))
        await pilot.press("r")
        await until(pilot, lambda: asked == [run.id])
        assert "starts over" not in shown(app) + toasts(app)
        (run.folder / "checkpoints" / "step-000020" / "manifest.json").unlink()
        (run.folder / "checkpoints" / "step-000020").rmdir()
        await until(pilot, lambda: "r starts over, no checkpoint is left" in shown(app))
        await pilot.press("r")
        await until(pilot, lambda: asked == [run.id] * 2)
        await until(pilot, lambda: "has no checkpoint: it starts over from step 0" in toasts(app))


async def test_a_resume_warns_as_a_start_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trainer.runs.process.resume", lambda run: None)
    monkeypatch.setattr(surroundings, "logout", lambda: surroundings.Logout(True, f"logout ends it {HOSTILE}"))
    monkeypatch.setenv("SLURM_JOB_ID", "4711")
    ended(kind="stopped")
    async with opened() as (app, pilot):
        await until(pilot, lambda: "stopped · r" in shown(app))
        await pilot.press("r")
        await until(pilot, lambda: "logout ends it [/s] ␛[2J" in toasts(app) and "SLURM job 4711" in toasts(app))
