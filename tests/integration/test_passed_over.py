"""Checkpoints that cannot be gone on from stand in nobody's way: the new ones count, and nothing valid is lost."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.integration.in_process import created, texts, told, weights
from trainer.errors import ModelError
from trainer.learn import checkpoint
from trainer.learn.loop import learn
from trainer.learn.work import prepare
from trainer.runs.run import Run

SETTINGS = {"checkpoint_steps": 10}


def dies(run: Run, at: int) -> list[tuple[str, dict[str, Any]]]:
    """Train until the checkpoint of step `at` is written, and not a step further."""
    events = []
    for kind, fields in learn(prepare(run, lambda: False)[0]):
        events.append((kind, fields))
        if kind == "checkpoint" and fields["step"] == at:
            return events
    raise AssertionError(f"there is no checkpoint at step {at}")


def damaged(run: Run, at: int) -> None:
    (run.folder / "checkpoints" / f"step-{at:06d}" / "model.safetensors").write_bytes(b"")


def names(run: Run) -> list[str]:
    return sorted(p.name for p in (run.folder / "checkpoints").iterdir())


def of_format_1(folder: Path) -> None:
    path = folder / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": 1}))


def test_new_checkpoints_count_after_all_old_ones_were_passed_over(tiny_encoder: Path) -> None:
    whole, run = created(tiny_encoder, **SETTINGS), created(tiny_encoder, **SETTINGS)
    told(whole)
    dies(run, 30)
    assert names(run) == ["step-000020", "step-000030"]
    for folder in (run.folder / "checkpoints").iterdir():
        of_format_1(folder)
    events = dies(run, 10)
    assert "format 1, this version reads 2" in texts(events)
    assert [kind for kind, _ in events if kind in ("started", "resumed")] == ["started"]
    # what an older version wrote is not thrown away: that version can still read it
    assert names(run) == [".passed-over-step-000020", ".passed-over-step-000030", "step-000010"]
    events = told(run)
    assert next(f["step"] for kind, f in events if kind == "resumed") == 10
    assert events[-1][0] == "finished"
    one, other = weights(run.folder / "model"), weights(whole.folder / "model")
    assert all(torch.equal(one[k], other[k]) for k in one)


def test_two_valid_ones_are_kept_beside_damaged_ones(tiny_encoder: Path) -> None:
    run = created(tiny_encoder, **SETTINGS)
    dies(run, 30)
    damaged(run, 30)
    damaged(run, 20)
    dies(run, 20)
    assert [name for name in names(run) if name.startswith("step-")] == ["step-000010", "step-000020"]
    assert checkpoint.newest(run.folder / "checkpoints")[1] == []


def test_a_checkpoint_that_cannot_be_read_back_is_passed_over(
    tiny_encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = created(tiny_encoder, **SETTINGS)
    dies(run, 30)
    real = checkpoint.load_file

    def load(path: Path) -> Any:
        if "000030" in str(path) and "optimizer" in str(path):
            raise OSError(5, "Input/output error")
        return real(path)

    monkeypatch.setattr(checkpoint, "load_file", load)
    events = told(run)
    assert "step-000030 is passed over: OSError" in texts(events)
    assert next(f["step"] for kind, f in events if kind == "resumed") == 20
    assert events[-1][0] == "finished"


def test_what_was_put_aside_and_cannot_be_brought_back_ends_nothing(
    tiny_encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = created(tiny_encoder, **SETTINGS)
    dies(run, 30)
    aside = run.folder / "checkpoints" / ".replaced-step-000030"
    (run.folder / "checkpoints" / "step-000030").rename(aside)
    real = Path.rename

    def rename(self: Path, target: Path) -> Path:
        if self == aside:
            raise OSError(30, "Read-only file system")
        return real(self, target)

    monkeypatch.setattr(Path, "rename", rename)
    events = told(run)
    assert next(f["step"] for kind, f in events if kind == "resumed") == 20 and events[-1][0] == "finished"


@pytest.mark.parametrize("manifest", [{"files": {}}, {"step": 7}])
def test_a_manifest_that_is_about_something_else_is_no_proof(tiny_encoder: Path, manifest: dict[str, Any]) -> None:
    run = created(tiny_encoder, **SETTINGS)
    dies(run, 10)
    path = run.folder / "checkpoints" / "step-000010" / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | manifest))
    found, warnings = checkpoint.newest(run.folder / "checkpoints")
    assert found is None and len(warnings) == 1


def test_a_tokenizer_that_changed_is_not_gone_on_with(tiny_encoder: Path) -> None:
    mine = tiny_encoder.parent / "mine"
    shutil.copytree(tiny_encoder, mine, dirs_exist_ok=True)
    run = created(mine, **SETTINGS)
    dies(run, 10)
    path = mine / "tokenizer.json"
    text = path.read_text("utf-8")
    assert '"the":' in text and '"love":' in text
    path.write_text(text.replace('"the":', '"\0":').replace('"love":', '"the":').replace('"\0":', '"love":'), "utf-8")
    with pytest.raises(ModelError, match=r"tokenizer of .* has changed"):
        told(run)
    shutil.copy(tiny_encoder / "tokenizer.json", path)
    assert told(run)[-1][0] == "finished"
