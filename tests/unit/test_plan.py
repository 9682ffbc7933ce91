"""What is settled before a start is what the worker will do: the corpus that was checked, the recipe that was named."""

from __future__ import annotations

from pathlib import Path

import pytest

from trainer import surroundings
from trainer.corpus import load_corpus
from trainer.encoders import anatomy
from trainer.errors import ConfigError
from trainer.runs.plan import plan


def test_a_folder_called_sample_where_one_stands_is_not_trained_on(
    tiny_encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sample").mkdir()
    (tmp_path / "sample" / "train.tsv").write_text("mine\t0\tx1\n" * 20)
    monkeypatch.chdir(tmp_path)
    ready = plan("sample", str(tiny_encoder))
    assert load_corpus(ready.config.data).fingerprint == ready.corpus.fingerprint == load_corpus("sample").fingerprint
    own = plan("./sample", str(tiny_encoder))
    monkeypatch.chdir("/")
    assert load_corpus(own.config.data).fingerprint == own.corpus.fingerprint


def test_a_recipe_named_as_a_setting_is_that_recipe(tiny_encoder: Path) -> None:
    config = plan("sample", str(tiny_encoder), settings=["recipe=notebook"]).config
    assert (config.recipe, config.lr, config.batch_size) == ("notebook", 2e-5, 16)
    with pytest.raises(ConfigError, match="recipe"):
        plan("sample", str(tiny_encoder), settings=["recipe=foo"])


def test_settings_win_over_the_recipe_and_the_record_says_what_it_stands_on(tiny_encoder: Path) -> None:
    ready = plan("sample", str(tiny_encoder), settings={"lr": 0.5, "encoder": str(tiny_encoder)})
    assert ready.config.lr == 0.5
    record = ready.record()
    assert set(record["corpus"]["sha256"]) == {"train", "dev", "test"}
    assert record["versions"]["torch"] and record["encoder"]["source"] == "local folder"


def test_what_may_end_or_harm_the_run_is_said_before_the_start(
    tiny_encoder: Path, goemo_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLURM_JOB_ID", "8150")
    monkeypatch.setattr(surroundings, "MOUNTS", tmp_path / "mountinfo")
    (tmp_path / "mountinfo").write_text(
        f"27 1 254:0 / / rw - ext4 /dev/vda rw\n28 27 0:50 / {goemo_home} rw - nfs4 s:/ rw\n"
    )
    asked: list[Path] = []
    monkeypatch.setattr(surroundings, "free_bytes", lambda folder: asked.append(folder) or 0)
    told = plan("sample", str(tiny_encoder)).warnings
    parameters = anatomy(tiny_encoder).parameters
    assert parameters > 0 and asked == [goemo_home / "runs"]
    assert any(surroundings.size(surroundings.needed_bytes(parameters)) in text and "free" in text for text in told)
    assert any("nfs4" in text for text in told) and any("SLURM job 8150" in text for text in told)
    assert not goemo_home.exists()
