"""Memory that runs out, really or as a GPU's would: in a step, in an update, in a validation, and once too often."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.integration.in_process import created, texts, told
from trainer import paths
from trainer.learn import loop, validation, work
from trainer.learn.optimizer import AdamW
from trainer.learn.training import Training
from trainer.learn.work import prepare
from trainer.model import classifier
from trainer.runs import lock, supervise
from trainer.runs.events import LOG, EventLog
from trainer.runs.run import Run
from trainer.runs.tail import read_events

SHORT_OF_MEMORY = """
import resource, sys
from trainer.learn import work
real = work.learn
def learn(*given):
    for kind, fields in real(*given):
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
        made, _, _ = loop._ready(task, torch.device("cpu"), "fp32", task.before)
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
    real, calls = AdamW.step, []

    def step(self: AdamW, *args: Any, **more: Any) -> Any:
        calls.append(1)
        if len(calls) == 9:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return real(self, *args, **more)

    monkeypatch.setattr(AdamW, "step", step)
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


def test_after_the_out_of_memory_killer_the_batches_are_cut(tiny_encoder: Path) -> None:
    run = created(tiny_encoder, epochs=1)
    me = lock.Process.me()
    for split in (2, 4):  # killed twice, and never a checkpoint in between
        with EventLog(run.folder / LOG) as log:
            log.append("started", steps=12, pid=me.pid, split=split // 2)
        text = lock.written(me, signal=9, oom=1, wall=1.0)
        paths.write_private(lock.control(run.folder) / supervise.EXIT, text)
        before, death = work.left_behind(run)
        assert before.split == split and death is not None and "out-of-memory killer" in before.why
    (run.folder / LOG).unlink()
    with EventLog(run.folder / LOG) as log:
        log.append("started", steps=12, pid=me.pid, split=1)
    events: list[dict[str, Any]] = []
    work.work(run, lambda: False, events.append)
    assert events[0]["kind"] == "warning" and "smaller micro-batches: back to the beginning" in events[0]["text"]
    assert events[1]["kind"] == "started" and events[1]["split"] == 2 and "out-of-memory" in events[1]["after"]
    assert events[-1]["kind"] == "finished"
