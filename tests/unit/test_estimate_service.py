"""The child that measures as its asker knows it: answers, errors, and that nothing of it stays."""

from __future__ import annotations

import os
import threading

import pytest

from goemo_tui.services import estimate
from goemo_tui.services.estimate import Measurement
from goemo_tui.services.runs import RunView
from tests.unit import scripted_estimate
from tests.unit.fake_worker import until
from trainer import paths
from trainer.config import TrainConfig
from trainer.errors import ConfigError, GoemoError
from trainer.runs.forecast import Measured, forecast, room
from trainer.runs.snapshot import Snapshot

MEASURED = Measured.from_dict(scripted_estimate.MEASURED)


def gone(pid: int | None) -> bool:
    assert pid is not None
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.mark.parametrize("how", ["measures", "babbles"])
def test_the_answer_comes_with_what_the_child_was_busy_with(how: str) -> None:
    said: list[str] = []
    measurement = Measurement(TrainConfig(batch_size=16), scripted_estimate.command(how))
    found = measurement.result(said.append)
    assert found is not None and found.batch_seconds == 0.25 and found.notes == ()
    assert said == ["warming up"] and gone(measurement.pid)


def test_what_the_training_would_refuse_is_refused() -> None:
    measurement = Measurement(TrainConfig(), scripted_estimate.command("refuses"))
    with pytest.raises(ConfigError, match="no CUDA device") as caught:
        measurement.result()
    assert caught.value.key == "device" and gone(measurement.pid)


def test_a_child_that_dies_says_its_last_words() -> None:
    with pytest.raises(GoemoError, match="without a result: Killed for good"):
        Measurement(TrainConfig(), scripted_estimate.command("crashes")).result()
    with pytest.raises(GoemoError, match="could not be started"):
        Measurement(TrainConfig(), ("/nowhere/python",)).result()


def test_a_measurement_can_be_cancelled_at_any_time() -> None:
    measurement = Measurement(TrainConfig(), scripted_estimate.command("hangs"))
    said: list[str] = []
    found: list[object] = []
    thread = threading.Thread(target=lambda: found.append(measurement.result(said.append)))
    thread.start()
    until(lambda: said)
    measurement.cancel()
    thread.join(30)
    assert found == [None] and gone(measurement.pid)
    measurement.cancel()
    early = Measurement(TrainConfig(), scripted_estimate.command("hangs"))
    early.cancel()
    assert early.result() is None and early.pid is None


def test_times_and_sizes_in_words() -> None:
    assert [estimate.about(s) for s in (1, 42, 99, 660, 12_600, 180_000)] == [
        "≈ 5 s", "≈ 40 s", "≈ 100 s", "≈ 11 min", "≈ 3.5 h", "≈ 2.1 days",
    ]  # fmt: skip
    config = TrainConfig(epochs=2)
    found, disk = forecast(config, MEASURED, 48 * 10**9), room(config, 1_000_000, 48 * 10**9)
    assert estimate.words(found, disk) == "≈ 20 s · 56 MB of disk (48 GB free) · 1.7 steps/s on cpu (8 timed)"
    slow = forecast(TrainConfig(accumulation=4, patience=1, epochs=2), MEASURED, None)
    assert estimate.speed(slow) == "2.1 s a step" and "may stop early" in estimate.words(slow, disk)


def test_runs_on_the_same_device_are_told() -> None:
    def view(name: str, state: str, device: str, started: str | None = None) -> RunView:
        snapshot = Snapshot(started={"device": started} if started else None)
        return RunView(name, name, paths.runs_folder() / name, state, TrainConfig(device=device), snapshot)

    runs = [
        view("calm-otter", "running", "auto"), view("odd-lynx", "running", "auto", "cpu"),
        view("late-fox", "waiting", "cuda:0"), view("old-bee", "finished", "cuda:0"), view("keen-ant", "stalled", "cuda"),
    ]  # fmt: skip
    assert estimate.trained_on(runs, "cuda:0", "cuda:0") == ["calm-otter", "keen-ant"]
    assert estimate.trained_on(runs, "auto", "cuda:0") == ["calm-otter", "keen-ant"]
    assert estimate.trained_on(runs, "cpu", "cuda:0") == ["odd-lynx"]
    assert estimate.beside_words([]) == "" and estimate.beside_words(["a-b"]) == "slower while a-b runs"
    assert estimate.beside_words(["a-b", "c-d"]) == "slower while a-b and 1 more run"


@pytest.mark.parametrize(
    ("load", "said"), [(1.9, ""), (13.6, "measured while this machine was busy (load 13.6 on 2 cores)"), (None, "")]
)
def test_a_machine_that_has_other_work_is_told(load: float | None, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def loads() -> tuple[float, float, float]:
        if load is None:
            raise OSError("not told here")
        return load, 0.0, 0.0

    monkeypatch.setattr("os.getloadavg", loads)
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    assert estimate.busy_words() == said
