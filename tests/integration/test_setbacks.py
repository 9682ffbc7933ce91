"""A training that meets trouble on its way: no number, a stop in the middle of a step, another machine."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.integration.in_process import SETTINGS, created, kept, texts, told, weights
from trainer import Predictor, train
from trainer.errors import RunError
from trainer.learn import checkpoint, objective, saving, training
from trainer.learn.loop import learn
from trainer.learn.training import Training
from trainer.learn.work import prepare
from trainer.runs.run import list_runs

Loss = Callable[[Any, Any], Any]


def bad(monkeypatch: pytest.MonkeyPatch, which: Callable[[int], bool]) -> list[int]:
    """From now on the n-th loss is NaN where `which(n)`; n counts on over everything. The list grows by each."""
    real: Loss = objective.binary_cross_entropy_with_logits
    calls: list[int] = []

    def loss(logits: Any, truth: Any) -> Any:
        calls.append(len(calls) + 1)
        return real(logits, truth) * (math.nan if which(calls[-1]) else 1.0)

    monkeypatch.setattr(objective, "binary_cross_entropy_with_logits", loss)
    return calls


def test_a_loss_that_stays_no_number_fails_with_the_last_good_model_kept(
    tiny_encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad(monkeypatch, lambda n: n > 15)
    events: list[dict[str, Any]] = []
    with pytest.raises(RunError, match="NaN"):
        train("sample", str(tiny_encoder), **SETTINGS, observer=events.append)
    assert events[-1]["kind"] == "failed" and events[-1]["reason"] == "nan"
    assert "epoch 1 is kept" in events[-1]["error"] and "half the rate too" in events[-1]["error"]
    (run,) = list_runs()
    assert run.state == "failed"
    scores = Predictor(run.id).predict(["still here"])[0].scores
    assert all(np.isfinite(p) for p in scores.values())


def test_a_loss_that_is_no_number_goes_back_once_with_half_the_rate(
    tiny_encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad(monkeypatch, lambda n: 15 <= n < 15 + training.BAD_STEPS)
    run = created(tiny_encoder, checkpoint_steps=5, scheduler="constant", warmup=0.0)
    events = told(run)
    kinds = [kind for kind, _ in events]
    assert kinds[0] == "started" and kinds[-1] == "finished" and kinds.count("resumed") == 1
    back = kinds.index("resumed")
    assert events[back][1]["step"] == 10 and "half the rate: back to the checkpoint of step 10" in texts(events[:back])
    rates = [(at < back, f["lr"]) for at, (kind, f) in enumerate(events) if kind == "step"]
    assert {lr for before, lr in rates if before} == {run.config.lr}
    assert {lr for before, lr in rates if not before} == {run.config.lr / 2}
    assert events[-1][1]["step"] == 36


def test_without_a_checkpoint_it_goes_back_to_the_beginning(
    tiny_encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad(monkeypatch, lambda n: 15 <= n < 15 + training.BAD_STEPS)
    events = told(created(tiny_encoder))
    assert [kind for kind, _ in events].count("started") == 2 and events[-1][0] == "finished"
    assert "no checkpoint" in texts(events)


def test_a_kept_model_gives_way_only_to_a_better_one_after_going_back(
    tiny_encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad(monkeypatch, lambda n: 15 <= n < 15 + training.BAD_STEPS)
    run = created(tiny_encoder)
    events = told(run)
    scores = [f["macro_f1"] for kind, f in events if kind == "validation"]
    assert len(scores) == 4 and events[-1][1]["macro_f1"] == max(scores)
    assert kept(run)["macro_f1"] == max(scores)


def test_single_steps_without_a_number_change_nothing_and_are_said(
    tiny_encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = bad(monkeypatch, lambda n: n in (4, 5, 9))
    real, changed = Training.update, []

    def update(self: Training, loss: torch.Tensor) -> torch.Tensor:
        before = [p.detach().clone() for p in self.model.parameters()]
        steps = [int(s["step"]) for s in self.optimizer.state.values()]
        norm = real(self, loss)
        counted = steps != [int(s["step"]) for s in self.optimizer.state.values()]
        moved = not all(torch.equal(*pair) for pair in zip(before, self.model.parameters(), strict=True))
        changed.append((moved, counted))
        return norm

    monkeypatch.setattr(Training, "update", update)
    events = told(created(tiny_encoder, epochs=1, checkpoint_steps=1))
    assert events[-1][0] == "finished" and len(calls) == 12
    assert [n for n, was in enumerate(changed, 1) if was == (False, False)] == [4, 5, 9]
    assert [n for n, was in enumerate(changed, 1) if was == (True, True)] == [1, 2, 3, 6, 7, 8, 10, 11, 12]
    written = [fields["step"] for kind, fields in events if kind == "checkpoint"]
    assert written == [1, 2, 3, 6, 7, 8, 10, 11, 12]  # none in the middle of the trouble
    assert texts(events).count("left out") == 3
    step = next(f for kind, f in events if kind == "step" and f["step"] == 4)
    assert math.isnan(step["loss"])
    assert math.isfinite(next(f for kind, f in events if kind == "validation")["train_loss"])


def test_bad_steps_in_a_row_are_counted_over_a_resume(tiny_encoder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = created(tiny_encoder)
    bad(monkeypatch, lambda n: n in (4, 5, 6))
    asked: Iterator[bool] = iter([False] * 5 + [True] * 99)
    assert told(run, lambda: next(asked))[-1] == ("stopped", {"step": 5, "epoch": 1})
    events = told(run)
    assert events[0][0] == "resumed" and events[0][1]["step"] == 5
    assert "half the rate" in texts(events)


@pytest.mark.parametrize("where", [1, 3, 5])
def test_a_stop_inside_an_accumulation_window_changes_nothing(tiny_encoder: Path, where: int) -> None:
    settings = {"epochs": 1, "batch_size": 4, "accumulation": 5}
    whole, broken = created(tiny_encoder, **settings), created(tiny_encoder, **settings)
    assert told(whole)[-1][0] == "finished"
    asked: Iterator[bool] = iter([False] * (5 + where) + [True] * 1000)
    events = told(broken, lambda: next(asked))
    assert events[-1] == ("stopped", {"step": 2 if where == 5 else 1, "epoch": 1})
    assert told(broken)[-1][0] == "finished"
    after, expected = weights(broken.folder / "model"), weights(whole.folder / "model")
    assert all(torch.equal(after[k], expected[k]) for k in expected)


def test_early_stopping_knows_after_a_resume_what_it_knew_before(tiny_encoder: Path) -> None:
    settings = {"epochs": 40, "patience": 2, "lr": 0.0, "head_lr": 1e-9, "checkpoint_steps": 7, "limit": 64}
    whole, broken = created(tiny_encoder, **settings), created(tiny_encoder, **settings)
    expected = told(whole)[-1]
    assert expected[1]["reason"] == "early stopping"
    deaths = 0
    while True:
        for kind, fields in learn(prepare(broken, lambda: False)[0]):
            last = kind, fields
            if kind == "checkpoint":
                deaths += 1
                break
        if last[0] == "finished":
            break
    assert deaths >= 2
    same = ("step", "epoch", "best_epoch", "macro_f1", "reason")
    assert [last[1][k] for k in same] == [expected[1][k] for k in same]


def test_the_checkpoint_behind_the_best_validation_is_kept(tiny_encoder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saving, "BEST_SHARE", 1e9)  # tiny as it is, it would cost too much
    run = created(tiny_encoder, epochs=3, checkpoint_steps=5, lr=0.0, head_lr=1e-12)  # epoch 1 stays the best
    events = told(run)
    assert events[-1][1]["best_epoch"] == 1
    steps = [fields["step"] for kind, fields in events if kind == "checkpoint"]
    assert 12 in steps
    names = sorted(p.name for p in (run.folder / "checkpoints").iterdir())
    assert names == ["step-000012", "step-000030", "step-000035"]
    found = checkpoint.newest(run.folder / "checkpoints")[0]
    assert found is not None and found.position.best_epoch == 1
    (run.folder / "checkpoints" / "step-000035" / "manifest.json").write_text("{}")
    (run.folder / "checkpoints" / "step-000030" / "model.safetensors").write_bytes(b"")
    found, warnings = checkpoint.newest(run.folder / "checkpoints")
    assert found is not None and found.position.step == 12 and (found.position.epoch, found.position.rows) == (2, 0)
    assert len(warnings) == 2


def test_a_death_right_behind_a_validation_changes_nothing(tiny_encoder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saving, "BEST_SHARE", 1e9)
    whole, broken = created(tiny_encoder), created(tiny_encoder)
    expected = told(whole)[-1]
    for kind, fields in learn(prepare(broken, lambda: False)[0]):
        if kind == "checkpoint":
            assert fields["step"] == 12  # behind the first epoch
            break
    events = told(broken)
    assert events[0][0] == "resumed" and (events[0][1]["step"], events[0][1]["epoch"]) == (12, 2)
    assert [f["epoch"] for kind, f in events if kind == "validation"] == [2, 3]
    after, wanted = weights(broken.folder / "model"), weights(whole.folder / "model")
    assert all(torch.equal(after[k], wanted[k]) for k in wanted)
    assert events[-1][1]["macro_f1"] == expected[1]["macro_f1"]


def test_a_checkpoint_that_would_cost_too_much_is_not_written_behind_a_validation(tiny_encoder: Path) -> None:
    assert not [kind for kind, _ in told(created(tiny_encoder)) if kind == "checkpoint"]


def test_going_on_under_other_terms_is_said(tiny_encoder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = created(tiny_encoder, epochs=1)
    asked: Iterator[bool] = iter([False] * 5 + [True] * 99)
    told(run, lambda: next(asked))
    monkeypatch.setattr("trainer.learn.terms.platform.node", lambda: "elsewhere")
    events = told(run)
    assert (
        events[0][0] == "resumed"
        and "→ elsewhere" in texts(events)
        and "order of the comments is the same" in texts(events)
    )
    assert events[-1][0] == "finished"


def test_a_repeatable_training_leaves_torch_as_it_was(tiny_encoder: Path) -> None:
    seen = []
    for kind, _ in learn(prepare(created(tiny_encoder, epochs=1, deterministic=True), lambda: False)[0]):
        seen.append((kind, torch.are_deterministic_algorithms_enabled()))
    assert seen[0] == ("started", True) and seen[-1] == ("finished", True)
    assert not torch.are_deterministic_algorithms_enabled()


def test_a_disk_that_gets_full_is_said_once(tiny_encoder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saving, "free_bytes", lambda folder: 1000)
    events = told(created(tiny_encoder, epochs=1, checkpoint_steps=3))
    assert texts(events).count("almost full") == 1 and "runs prune" in texts(events)
    assert [kind for kind, _ in events].count("checkpoint") == 4
