"""A training whose rows lie where it computes learns what one learns that is sent each batch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from tests.integration.in_process import created, told, weights
from trainer.learn import step
from trainer.learn.feed import OnHost, Resident


@pytest.mark.parametrize(
    "more", [{}, {"r_drop": 0.5, "label_smoothing": 0.1, "padding": "max_length", "max_length": 32}],
    ids=["as usual", "twice, smoothed, all as wide"],
)  # fmt: skip
def test_a_training_of_resident_rows_ends_in_the_same_bits(
    more: dict[str, Any], tiny_encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = []
    for kind in (OnHost, Resident):
        monkeypatch.setattr(step, "feed_of", kind)
        run = created(tiny_encoder, limit=64, epochs=1, **more)
        events = told(run)
        assert events[-1][0] == "finished" and "memory_peak" not in events[-1][1]
        kept.append((weights(run.folder / "model"), [f["train_loss"] for name, f in events if name == "validation"]))
    (host, losses), (there, losses2) = kept
    assert losses == losses2 and all(torch.equal(host[name], there[name]) for name in host)
