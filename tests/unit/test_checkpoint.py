"""A checkpoint brings everything back exactly, and a damaged one is passed over for the one before."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest
import torch
from torch import nn

from trainer.learn import checkpoint
from trainer.learn.checkpoint import Position


def make() -> tuple[nn.Module, torch.optim.Optimizer]:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5), nn.Linear(8, 2))
    return model, torch.optim.AdamW(model.parameters(), lr=0.1, fused=True)


def step(model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    model(torch.ones(3, 4)).square().sum().backward()
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)


def test_weights_optimizer_and_dropout_go_on_as_if_nothing_had_happened(tmp_path: Path) -> None:
    model, optimizer = make()
    for _ in range(3):
        step(model, optimizer)
    position = Position(
        step=3,
        epoch=2,
        rows=1,
        loss_sum=1.5,
        loss_rows=9,
        train_losses=[0.1],
        dev_losses=[0.2],
        best_score=0.3,
        best_epoch=1,
    )
    checkpoint.write(tmp_path, model, optimizer, position)
    for _ in range(2):
        step(model, optimizer)
    expected = {k: v.clone() for k, v in model.state_dict().items()}

    other, its_optimizer = make()
    step(other, its_optimizer)  # something else in between
    found, warnings = checkpoint.newest(tmp_path)
    assert found is not None and not warnings
    assert asdict(found.position) == asdict(position)
    checkpoint.restore(found, other, its_optimizer)
    for _ in range(2):
        step(other, its_optimizer)
    assert all(torch.equal(v, expected[k]) for k, v in other.state_dict().items())


def test_without_the_random_state_the_weights_differ(tmp_path: Path) -> None:
    """The control for the test above: dropout makes the order of random numbers matter."""
    model, optimizer = make()
    checkpoint.write(tmp_path, model, optimizer, Position(step=1))
    step(model, optimizer)
    other, its_optimizer = make()
    found, _ = checkpoint.newest(tmp_path)
    assert found is not None
    checkpoint.restore(found, other, its_optimizer)
    torch.manual_seed(99)
    step(other, its_optimizer)
    assert not all(torch.equal(v, other.state_dict()[k]) for k, v in model.state_dict().items())


@pytest.mark.parametrize(
    "name", ["model.safetensors", "optimizer.safetensors", "random.safetensors", "position.json", "manifest.json"]
)
@pytest.mark.parametrize("damage", ["flip", "cut", "gone"])
def test_a_damaged_checkpoint_is_passed_over(tmp_path: Path, name: str, damage: str) -> None:
    model, optimizer = make()
    checkpoint.write(tmp_path, model, optimizer, Position(step=1))
    checkpoint.write(tmp_path, model, optimizer, Position(step=2))
    path = tmp_path / "step-000002" / name
    content = bytearray(path.read_bytes())
    if damage == "gone":
        path.unlink()
    else:
        content[len(content) // 2] ^= 0x40
        path.write_bytes(content if damage == "flip" else content[:-5])
    found, warnings = checkpoint.newest(tmp_path)
    assert found is not None and found.position.step == 1
    assert len(warnings) == 1 and "step-000002" in warnings[0]


def test_two_are_kept_and_nothing_temporary_stays(tmp_path: Path) -> None:
    model, optimizer = make()
    for n in (1, 2, 3, 10):
        checkpoint.write(tmp_path, model, optimizer, Position(step=n))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["step-000003", "step-000010"]


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model, optimizer = make()
    checkpoint.write(tmp_path, model, optimizer, Position(step=1))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint, "sync", full)
    with pytest.raises(OSError, match="No space left"):
        checkpoint.write(tmp_path, model, optimizer, Position(step=2))
    assert [p.name for p in tmp_path.iterdir()] == ["step-000001"]
    assert checkpoint.newest(tmp_path)[0] is not None


def test_no_checkpoint_is_no_error(tmp_path: Path) -> None:
    assert checkpoint.newest(tmp_path / "none") == (None, [])


def test_what_a_killed_worker_left_is_tidied_and_nothing_whole_is_lost(tmp_path: Path) -> None:
    model, optimizer = make()
    checkpoint.write(tmp_path, model, optimizer, Position(step=1))
    checkpoint.write(tmp_path, model, optimizer, Position(step=1))  # over itself, as a stop right after a save does
    (tmp_path / "step-000001").rename(tmp_path / ".replaced-step-000001")  # killed between the two renames
    (tmp_path / ".step-000002-999").mkdir()  # killed while writing
    checkpoint.tidy(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["step-000001"]
    assert checkpoint.newest(tmp_path)[0] is not None
    checkpoint.tidy(tmp_path / "none")
