"""A training that meets trouble on its way: no number, no memory, a stop in the middle of a step, another machine."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from trainer import Predictor, train
from trainer.errors import RunError
from trainer.learn import checkpoint, training
from trainer.learn.loop import learn
from trainer.learn.training import Training
from trainer.learn.work import prepare
from trainer.runs.events import read_events
from trainer.runs.plan import plan
from trainer.runs.run import Run, list_runs

SETTINGS = {"limit": 96, "batch_size": 8, "epochs": 3, "head_init": "random"}
Loss = Callable[[Any, Any], Any]


def bad(monkeypatch: pytest.MonkeyPatch, which: Callable[[int], bool]) -> list[int]:
    """From now on the n-th loss is NaN where `which(n)`; n counts on over everything. The list grows by each."""
    real: Loss = training.binary_cross_entropy_with_logits
    calls: list[int] = []

    def loss(logits: Any, truth: Any) -> Any:
        calls.append(len(calls) + 1)
        return real(logits, truth) * (math.nan if which(calls[-1]) else 1.0)

    monkeypatch.setattr(training, "binary_cross_entropy_with_logits", loss)
    return calls


def created(encoder: Path, **settings: Any) -> Run:
    ready = plan("sample", str(encoder), "goemo", {**SETTINGS, **settings})
    return Run.create(ready.config, ready.record())


def told(run: Run, stop: Callable[[], bool] = lambda: False) -> list[tuple[str, dict[str, Any]]]:
    """All events of the training of `run` in this process."""
    return list(learn(prepare(run, lambda: False)[0], stop))


def texts(events: list[tuple[str, dict[str, Any]]]) -> str:
    return "\n".join(fields["text"] for kind, fields in events if kind == "warning")


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model.safetensors")


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
    events = told(created(tiny_encoder))
    scores = [f["macro_f1"] for kind, f in events if kind == "validation"]
    best = [f["best"] for kind, f in events if kind == "validation"]
    assert best == [score > max([-1.0, *scores[:n]]) for n, score in enumerate(scores)]
    assert events[-1][1]["macro_f1"] == max(scores)


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
    monkeypatch.setattr(training, "BEST_SHARE", 1e9)  # tiny as it is, it would cost too much
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
    monkeypatch.setattr(training, "BEST_SHARE", 1e9)
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


SHORT_OF_MEMORY = """
import resource, sys
from trainer.learn import work
real = work.learn
def learn(task, stop):
    for kind, fields in real(task, stop):
        yield kind, fields
        if kind == "started":  # everything is loaded: from here on only so much more
            used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
            resource.setrlimit(resource.RLIMIT_AS, (used + int(sys.argv[2]) * 2**20,) * 2)
work.learn = learn
from trainer.__main__ import main
sys.exit(main(sys.argv[1:2]))
"""


def short_of_memory(run: Run, megabytes: int) -> tuple[int, list[dict[str, Any]], str]:
    """Exit code, events and stderr of a worker that gets so much more memory than it has when the training starts."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"}
    done = subprocess.run(
        [sys.executable, "-c", SHORT_OF_MEMORY, str(run.folder), str(megabytes)],
        capture_output=True, text=True, timeout=200, env=environment,
    )  # fmt: skip
    return done.returncode, read_events(run.folder / "events.jsonl"), done.stderr


def test_a_batch_that_does_not_fit_into_memory_is_cut_and_the_training_goes_on(tiny_encoder: Path) -> None:
    run = created(
        tiny_encoder, limit=1024, batch_size=1024, max_length=128, padding="max_length", epochs=2, precision="fp32"
    )
    code, events, stderr = short_of_memory(run, 300)
    assert code == 0, stderr
    assert events[-1]["kind"] == "finished" and events[-1]["step"] == 2
    cut = [e for e in events if e["kind"] == "warning" and "micro_batch" in e]
    assert cut and "order of the comments is the same" in cut[0]["text"]
    sizes = [e["micro_batch"] for e in cut]
    assert sizes == [1024 >> n for n in range(1, len(sizes) + 1)]


def test_micro_batches_add_up_to_the_same_step(tiny_encoder: Path) -> None:
    whole, cut = (created(tiny_encoder, epochs=1, precision="fp32", limit=16, batch_size=16) for _ in range(2))
    ends = []
    for run, split in ((whole, 1), (cut, 4)):
        task = prepare(run, lambda: False)[0]
        from trainer.learn.loop import _ready

        made, _, _ = _ready(task, torch.device("cpu"), "fp32")
        made.model.eval()  # without dropout, which draws anew for each micro-batch
        made.position.split = split
        loss, tokens = Training.gradients(made, [np.arange(16)], lambda: False)
        ends.append((float(loss), tokens, [p.grad.clone() for p in made.model.parameters() if p.grad is not None]))
    assert ends[0][1] == ends[1][1] and ends[0][0] == pytest.approx(ends[1][0], rel=1e-5)
    for one, other in zip(ends[0][2], ends[1][2], strict=True):
        assert torch.allclose(one, other, atol=1e-6)


def test_memory_that_runs_out_in_an_update_goes_back_to_the_checkpoint(
    tiny_encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = torch.optim.AdamW.step, []

    def step(self: torch.optim.AdamW, *args: Any, **more: Any) -> Any:
        calls.append(1)
        if len(calls) == 9:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return real(self, *args, **more)

    monkeypatch.setattr(torch.optim.AdamW, "step", step)
    events = told(created(tiny_encoder, epochs=1, checkpoint_steps=4))
    kinds = [kind for kind, _ in events]
    assert kinds[-1] == "finished" and events[kinds.index("resumed")][1]["step"] == 8
    assert "smaller micro-batches: back to the checkpoint of step 8" in texts(events)


def test_memory_that_holds_no_comment_fails_with_advice(tiny_encoder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(self: Training, *_: Any) -> Any:
        raise RuntimeError("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory")

    monkeypatch.setattr(Training, "gradients", never)
    events = told(created(tiny_encoder))
    assert events[-1][0] == "failed" and events[-1][1]["reason"] == "memory"
    assert [f["micro_batch"] for _, f in events if "micro_batch" in f] == [4, 2, 1]


def test_memory_that_is_short_in_a_validation_makes_it_smaller(
    tiny_encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from trainer.learn import validation
    from trainer.model import classifier

    plain = told(created(tiny_encoder, epochs=1))
    real, sizes = classifier.probabilities, []

    def tight(model: Any, tokens: Any, device: Any, batch_tokens: int, stop: Any) -> Any:
        sizes.append(batch_tokens)
        if batch_tokens > 600:
            raise RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`")
        return real(model, tokens, device, batch_tokens, stop)

    monkeypatch.setattr(validation.classifier, "probabilities", tight)
    events = told(created(tiny_encoder, epochs=1))
    assert sizes == [2048, 1024, 512] and events[-1][0] == "finished"
    assert events[-1][1]["macro_f1"] == pytest.approx(plain[-1][1]["macro_f1"], abs=1e-6)


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
    monkeypatch.setattr(training, "free_bytes", lambda folder: 1000)
    events = told(created(tiny_encoder, epochs=1, checkpoint_steps=3))
    assert texts(events).count("almost full") == 1 and "runs prune" in texts(events)
    assert [kind for kind, _ in events].count("checkpoint") == 4
