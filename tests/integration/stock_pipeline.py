"""The other program that reads our folders: transformers' pipeline, in fp32 on the CPU, with a sigmoid on each logit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from trainer.infer.predictor import Prediction


def stock_pipeline(model: Path | str) -> Any:
    from transformers import pipeline

    return pipeline(
        "text-classification",
        model=str(model),
        top_k=None,
        function_to_apply="sigmoid",
        dtype=torch.float32,
        device="cpu",
    )


def same(ours: list[Prediction], theirs: list[list[dict[str, Any]]]) -> bool:
    """Whether both say the same of each text, up to 1e-4."""
    assert len(ours) == len(theirs)
    for one, other in zip(ours, theirs, strict=True):
        assert {o["label"]: o["score"] for o in other} == pytest.approx(one.scores, abs=1e-4)
    return True
