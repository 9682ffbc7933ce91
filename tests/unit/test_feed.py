"""What a step reads: the same batches, made on the host or gathered where the rows lie."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from trainer.corpus.tokens import TokenArrays
from trainer.learn import feed
from trainer.learn.feed import OnHost, Resident, feed_of
from trainer.learn.task import Rows

CPU = torch.device("cpu")
PAD = 7


def rows_of(lengths: list[int], targets: bool = False) -> Rows:
    drawn = np.random.default_rng(3)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    ids = drawn.integers(100, 30_000, int(offsets[-1]), dtype=np.int32)
    truth = (drawn.random((len(lengths), 5)) < 0.3).astype(np.float32)
    soft = drawn.random(truth.shape).astype(np.float32) if targets else None
    return Rows(
        TokenArrays(ids, offsets), truth, soft, drawn.random(len(lengths)).astype(np.float32) if targets else None
    )


@pytest.mark.parametrize("to", [None, 40], ids=["grouped", "padded to a width"])
@pytest.mark.parametrize(
    "lengths", [[3, 9, 1, 30, 9, 4], [0, 5, 0, 2], [6, 6, 6], [0, 0]], ids=["ragged", "empty", "equal", "nothing"]
)
def test_gathered_batches_are_those_of_the_host(lengths: list[int], to: int | None) -> None:
    rows = rows_of(lengths, targets=True)
    host, there = OnHost(rows, CPU), Resident(rows, CPU)
    for chosen in (np.arange(len(lengths)), np.arange(len(lengths) - 1, -1, -1), np.array([len(lengths) - 1])):
        ids, mask, tokens = host.tokens(chosen, PAD, to)
        ids2, mask2, tokens2 = there.tokens(chosen, PAD, to)
        assert mask is not None and torch.equal(ids, ids2) and ids2.dtype == torch.int64 and tokens == tokens2
        if mask2 is None:
            assert bool(mask.all()), "only where nothing is padded"
        else:
            assert torch.equal(mask, mask2) and mask2.dtype == torch.int64
        for name in ("truth", "targets", "weights"):
            assert torch.equal(getattr(host, name)(chosen), getattr(there, name)(chosen)), name


def test_rows_of_one_length_need_no_mask_and_labels_alone_are_no_targets() -> None:
    there = Resident(rows_of([6, 6, 6]), CPU)
    chosen = np.array([2, 0])
    assert there.tokens(chosen, PAD)[1] is None and there.tokens(chosen, PAD, 9)[1] is not None
    assert there.targets(chosen) is None and there.weights(chosen) is None


class OneGpu:
    """What is asked of `torch.cuda` where there is one."""

    def __init__(self, free: int) -> None:
        self.free = free

    def mem_get_info(self, device: torch.device) -> tuple[int, int]:
        return self.free, self.free


def test_rows_lie_on_a_gpu_that_has_room_and_on_the_host_else(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, made = rows_of([6, 3, 6]), []

    class Made(Resident):
        def __init__(self, rows: Rows, device: torch.device) -> None:
            made.append(device)
            if len(made) == 2:
                raise torch.OutOfMemoryError("CUDA out of memory")

    gpu = torch.device("cuda", 0)
    monkeypatch.setattr(feed, "Resident", Made)
    monkeypatch.setattr(feed, "release", lambda device: None)
    monkeypatch.setattr(torch, "cuda", OneGpu(10**9))
    assert isinstance(feed_of(rows, gpu), Resident)
    assert isinstance(feed_of(rows, gpu), OnHost), "it said that it is full"
    monkeypatch.setattr(torch, "cuda", OneGpu(100))
    assert isinstance(feed_of(rows, gpu), OnHost) and len(made) == 2, "there was no room from the start"
    assert isinstance(feed_of(rows, CPU), OnHost) and len(made) == 2
