"""The short form of `make torture`: real runs, killed again and again, end with the weights of a run left alone."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.torture.footprint import Footprint, place
from tests.torture.session import Plan, Session
from tests.torture.tally import NEEDED, Tally
from tests.torture.variant import VARIANTS
from tests.torture.verdict import restart_faults, story_faults

KILLS = 32


@pytest.mark.skipif(sys.platform != "linux", reason="signals go to processes by their pidfd")
def test_runs_that_are_killed_again_and_again_end_as_if_nobody_had_touched_them(
    goemo_home: Path, tmp_path: Path
) -> None:
    session = Session(Plan(VARIANTS[:3], KILLS, kills_a_run=11, seed=1, jobs=2), tmp_path, print)
    session.run()
    print(session.tally.table())
    assert session.complaints == []
    tally = session.tally
    assert session.control_noticed  # with one random state left out the same comparison fails
    assert tally.total >= KILLS and tally.real >= 2
    assert all(tally.at(where) for where in NEEDED)
    starts = tally.starts.total()
    assert starts >= KILLS - 3
    assert tally.starts["mid-epoch"] + tally.starts["boundary"] >= starts / 2
    assert tally.starts["mid-epoch"] >= starts / 4


def lines(*events: dict[str, Any]) -> bytes:
    return b"".join(json.dumps({"v": 1, "wall": 0.0, "mono": 0.0, **event}).encode() + b"\n" for event in events)


def step(seq: int, number: int) -> dict[str, Any]:
    return {"seq": seq, "kind": "step", "step": number}


STARTED: dict[str, Any] = {"seq": 1, "kind": "started", "steps": 20, "epochs": 2}


@pytest.mark.parametrize(
    ("log", "fault"),
    [
        (lines(STARTED, step(2, 1), step(4, 2)), "event 3 has the number 4"),
        (lines(STARTED, step(2, 1), step(2, 2)), "event 3 has the number 2"),
        (lines(STARTED, step(2, 1)) + b'{"v":1,"se\n' + lines(step(3, 2)), "line 3 is no event"),
        (lines(STARTED, step(2, 1)) + b'{"v":1,"se', "the last line is torn"),
        (lines(STARTED, step(2, 2), step(3, 1)), "do not rise"),
    ],
)
def test_what_is_wrong_with_a_log_is_seen(log: bytes, fault: str, tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(log)
    (found,) = story_faults(path, whole=True)
    assert fault in found


def test_a_log_that_is_well_is_called_well(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(
        lines(STARTED, step(2, 5), step(3, 9), {**STARTED, "seq": 4, "kind": "resumed", "step": 5}, step(5, 6))
    )
    assert story_faults(path, whole=True) == []


def test_a_checkpoint_that_was_told_and_then_lost_is_seen() -> None:
    told = [STARTED, {"seq": 2, "kind": "checkpoint", "step": 7}]
    assert restart_faults(told, [{**STARTED, "kind": "resumed", "step": 7}]) == []
    assert restart_faults(told, [{**STARTED, "kind": "resumed", "step": 5}])
    assert restart_faults(told, [STARTED])


def test_starting_over_from_zero_each_time_does_not_pass() -> None:
    tally = Tally()
    for _ in range(20):
        for where in NEEDED:
            tally.killed(where, real=True)
            tally.started_again({**STARTED, "step": 0})
    assert len(tally.shortcomings(80)) == 2
    for _ in range(100):
        tally.started_again({**STARTED, "kind": "resumed", "step": 10})  # always between two epochs
    (left,) = tally.shortcomings(80)
    assert "mid-epoch" in left


@pytest.mark.parametrize(
    ("new", "half", "late", "where"),
    [
        ([], "", 0.5, "loading"),
        ([STARTED], "", 0.5, "just started"),
        ([STARTED, step(2, 3)], "", 0.5, "in a step"),
        ([STARTED, step(2, 3)], "", 0.0002, "at an event"),
        ([STARTED, step(2, 3)], "checkpoints/.step-000003-77", 0.0002, "in a checkpoint"),
        ([STARTED, step(2, 10)], "", 0.5, "in a validation"),
        ([STARTED, step(2, 10)], ".model-new", 0.5, "saving the model"),
        ([STARTED, {"seq": 2, "kind": "finished"}], "", 0.5, "after the end"),
    ],
)
def test_where_a_worker_was_is_told_from_what_it_left(
    new: list[dict[str, Any]], half: str, late: float, where: str, tmp_path: Path
) -> None:
    (tmp_path / "checkpoints" / ".step-000001-76").mkdir(parents=True)  # of another that was killed before
    before = Footprint.of(tmp_path)
    (tmp_path / "events.jsonl").write_bytes(lines(*new))
    if half:
        (tmp_path / half).mkdir()
    assert place(before, Footprint.of(tmp_path), killed_at=late) == where
