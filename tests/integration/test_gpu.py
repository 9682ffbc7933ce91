"""A GPU learns what a processor learns. Passed over where there is none."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.integration.in_process import created, told, weights

NO_GPU = not torch.cuda.is_available()


@pytest.mark.skipif(NO_GPU, reason="this machine has no GPU of NVIDIA's")
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_gpu_learns_what_the_processor_learns_in_fp32(still_encoder: Path, precision: str) -> None:
    kept, losses = [], []
    for device, asked in (("cpu", "fp32"), ("cuda", precision)):
        run = created(still_encoder, limit=64, epochs=1, device=device, precision=asked)
        events = told(run)
        assert events[-1][0] == "finished" and ("memory_peak" in events[-1][1]) == (device == "cuda")
        kept.append(weights(run.folder / "model"))
        losses.append([fields["train_loss"] for kind, fields in events if kind == "validation"])
    assert losses[0] == pytest.approx(losses[1], rel=1e-4 if precision == "fp32" else 2e-2)
    for name, wanted in kept[0].items():
        assert torch.allclose(wanted, kept[1][name], atol=1e-4 if precision == "fp32" else 2e-2), name
