"""The measurement of the terminal in its smallest form: every row is there and was measured. What it says is not judged."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.budgets import Figure, timed
from benchmarks.comments import make_corpus
from benchmarks.moment import Moment
from trainer.runs.run import Run

ROOT = Path(__file__).parents[2]
ROWS = {
    "starting": ("start to first paint", "heavy imports before first paint", "… in the app at all"),
    "opening": ("rows open to first page", "… as the app starts"),
    "filtering": ("filter keystroke to new page, p50", "… p95"),
    "asking": (
        "first prediction after start",
        "… without a word of what is loading",
        "keystroke to new bars, p50",
        "… p95",
    ),
    "watching": ("watching a run, Train", "… processor", "watching a run, Data", "watching a run, Train over SSH"),
    "idling": ("idle in Data", "idle in Train", "idle in Inspect", "idle in Inspect over SSH", "… processor"),
    "memory": ("memory with the large corpus open", "… after every place and view"),
    "quitting": ("quitting while tokens are counted", "quitting with all counted", "quitting with a model loaded"),
}


def measured(part: str, run: Run, folder: Path) -> list[dict[str, object]]:
    """The figures of one part, from a few hundred comments and one start."""
    corpus = make_corpus(folder / "comments", share=0.01)
    words = ["--json", "--only", part, "--starts", "1", "--seconds", "0.5"]
    command = [sys.executable, "-m", "benchmarks.ui", "--home", str(run.folder.parents[1]), "--corpus", str(corpus)]
    done = subprocess.run([*command, *words], cwd=ROOT, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    figures: list[dict[str, object]] = json.loads(done.stdout)["figures"]
    return figures


@pytest.mark.parametrize("part", ROWS)
def test_every_budget_is_measured(part: str, whole_run: Run, tmp_path: Path) -> None:
    figures = measured(part, whole_run, tmp_path)
    for row in ROWS[part]:
        assert any(str(figure["what"]).endswith(row) for figure in figures), row
    assert all(figure["value"] is not None for figure in figures)
    assert all(figure["verdict"] in ("ok", "ok alone", "MISSES", "") for figure in figures)


def test_waiting_for_a_core_is_told_apart() -> None:
    span = Moment(3.0, {1: 1.0, 2: 0.5}, lag=0.25) - Moment(1.0, {1: 0.25})
    assert (span.wall, span.alone) == (2.0, 1.0)
    assert timed("what", [span], 1.5).verdict == "ok alone"
    assert timed("what", [span], 2.5).verdict == "ok"
    assert timed("what", [span], 0.5).verdict == "MISSES"
    assert Figure("not measured", None, "", 0).verdict == "MISSES"
