"""A run that waits for another one, with the real worker: light while it waits, and trained in its turn."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.lasting import until
from tests.unit import fake_worker
from trainer.runs import process
from trainer.runs.plan import plan
from trainer.runs.queue import checked
from trainer.runs.run import Run
from trainer.runs.tail import read_events

SETTINGS = {"limit": 32, "batch_size": 8, "retries": 1}


@pytest.fixture(autouse=True)
def no_worker_stays() -> Iterator[None]:
    yield
    fake_worker.end_all()


def created(encoder: Path, after: str | None, **settings: int) -> Run:
    ready = plan("sample", str(encoder), settings={**SETTINGS, **settings})
    return Run.create(ready.config, {**ready.record(), **checked(after, False, ready.config).record()})


def test_a_run_waits_for_another_one_and_is_trained_in_its_turn(tiny_encoder: Path) -> None:
    first = created(tiny_encoder, None, epochs=1000)
    process.start(first)
    second = created(tiny_encoder, first.short, epochs=1)
    pid = process.start(second)
    until(lambda: second.state == "waiting", "it does not wait")
    assert "torch" not in Path(f"/proc/{pid}/maps").read_text()
    assert second.snapshot().waiting and second.snapshot().waiting["on"] == f"run {first.short} to end"
    until(lambda: first.snapshot().step > 0, "the first makes no step")
    process.stop(first)
    until(lambda: second.state == "finished", "it does not take its turn")
    kinds = [e["kind"] for e in read_events(second.folder / "events.jsonl")]
    assert kinds[:3] == ["waiting", "waiting", "started"] and kinds[-1] == "finished"


def test_a_run_is_taken_out_of_the_queue_and_put_back(tiny_encoder: Path) -> None:
    first = created(tiny_encoder, None, epochs=1000)
    process.start(first)
    second = created(tiny_encoder, first.short, epochs=1)
    process.start(second)
    until(lambda: second.state == "waiting", "it does not wait")
    process.stop(second)
    assert second.state == "stopped" and second.snapshot().started is None
    process.resume(second)
    until(lambda: second.state == "waiting", "it does not wait")
    process.stop(second)
    process.stop(first)
    assert (first.state, second.state) == ("stopped", "stopped")
