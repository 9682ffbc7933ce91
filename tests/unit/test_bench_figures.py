"""How the benchmarks come to two of their figures: the end of a training's first step, and dev scored in parts."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import pytest

from benchmarks.beginning import _told
from benchmarks.quality.__main__ import seeds
from benchmarks.quality.cuts import fitted, halvings, honest, scored_in_parts
from benchmarks.quality.table import TABLE, newest, write
from trainer.model.metrics import scores
from trainer.runs.events import LOG, EventLog
from trainer.runs.tail import read_events


def test_the_first_step_is_timed_though_its_event_tells_of_the_second(tmp_path: Path) -> None:
    with EventLog(tmp_path / LOG) as log:
        log.append("started", batch_size=32, steps=10)
        log.append("step", step=2, loss=0.1, examples_per_s=64.0)
    told = read_events(tmp_path / LOG)[-1]["wall"]
    assert _told(tmp_path / LOG, time.time() + 5) == pytest.approx(told - 0.5)
    with pytest.raises(TimeoutError):
        _told(tmp_path / "nothing", time.time())


def test_no_part_of_dev_is_cut_by_thresholds_fitted_on_itself() -> None:
    chance = np.random.default_rng(0)
    truth = (chance.random((300, 3)) < 0.3).astype(np.float32)
    p = np.clip(truth * 0.3 + chance.random((300, 3)) * 0.6, 0.01, 0.99)
    part = np.arange(300) % 5
    said = np.zeros(truth.shape, dtype=bool)
    for one in range(5):
        said[part == one] = p[part == one] >= fitted(truth[part != one], p[part != one], "per_label")
    assert scored_in_parts(truth, p, part, "per_label").f1.tolist() == scores(truth, said).f1.tolist()
    halves = [scored_in_parts(truth, p, half, "global").macro_f1 for half in halvings(300)]
    assert honest(truth, p, ("global",))["global"]["macro_f1"] == pytest.approx(np.mean(halves))


def test_the_tables_are_those_of_the_rows_and_the_last_row_of_a_seed_counts(tmp_path: Path) -> None:
    write(tmp_path / "QUALITY.md")
    assert (tmp_path / "QUALITY.md").read_text("utf-8") == TABLE.read_text("utf-8"), (
        "python -m benchmarks.quality --table"
    )
    first, again, other = ({"recipe": "a", "seed": s, "limit": 0, "n": n} for n, s in enumerate((1, 1, 2)))
    assert newest([first, other, again]) == [again, other]


def test_seeds_are_numbers_and_spans_of_them() -> None:
    assert [seeds(text) for text in ("0", "0-2", "3,5", "0-1, 7")] == [[0], [0, 1, 2], [3, 5], [0, 1, 7]]
    for text in ("", "a", "0-", "-1", "1,"):
        with pytest.raises(argparse.ArgumentTypeError, match="names no seeds"):
            seeds(text)
