"""Which model is meant, and what is said of folders that were made elsewhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from trainer.errors import ModelError, NotFoundError
from trainer.labels import ALPHABETICAL, EMOTIONS
from trainer.modelfolder import find_model, list_models, read_label_names, read_max_length, read_thresholds


def folder_with(tmp_path: Path, **config: object) -> Path:
    (tmp_path / "config.json").write_text(json.dumps(config))
    return tmp_path


def test_outputs_without_names_get_the_official_ones_with_a_warning(tmp_path: Path) -> None:
    numbered = {str(i): f"LABEL_{i}" for i in range(28)}
    for config in ({"id2label": numbered}, {"num_labels": 28}):
        names, warnings = read_label_names(folder_with(tmp_path, **config))
        assert names == EMOTIONS and len(warnings) == 1 and "official 28" in warnings[0]


def test_two_outputs_are_what_transformers_does_not_write_down(tmp_path: Path) -> None:
    names, warnings = read_label_names(folder_with(tmp_path, model_type="bert"))
    assert names == ("LABEL_0", "LABEL_1") and warnings


def test_an_alphabetical_order_is_kept_and_said(tmp_path: Path) -> None:
    names, warnings = read_label_names(folder_with(tmp_path, id2label=dict(enumerate(ALPHABETICAL))))
    assert names == ALPHABETICAL
    assert "neutral at 20" in warnings[0]


@pytest.mark.parametrize("table", [{"x": "joy"}, [1, 2], {"0": "a", "1": "a"}])
def test_tables_that_cannot_be_are_refused(tmp_path: Path, table: object) -> None:
    with pytest.raises(ModelError, match="id2label"):
        read_label_names(folder_with(tmp_path, id2label=table))


@pytest.mark.parametrize(
    "content", ["{", "[]", '{"thresholds": 3}', '{"thresholds": {"joy": 7}}', '{"thresholds": {"joy": "x"}}']
)
def test_broken_thresholds_are_an_error_for_people(tmp_path: Path, content: str) -> None:
    assert read_thresholds(tmp_path) is None
    (tmp_path / "thresholds.json").write_text(content)
    with pytest.raises(ModelError, match=r"thresholds\.json"):
        read_thresholds(tmp_path)


@pytest.mark.parametrize(
    ("tokenizer", "config", "expected"),
    [
        ({"model_max_length": 64}, {"max_position_embeddings": 512}, 64),
        ({"model_max_length": 10**30}, {"max_position_embeddings": 512}, 128),
        ({}, {"max_position_embeddings": 100}, 100),
        ({"model_max_length": 514}, {"max_position_embeddings": 514, "model_type": "roberta", "pad_token_id": 1}, 512),
    ],
)
def test_the_length_is_the_tokenizers_within_the_positions(
    tmp_path: Path, tokenizer: dict[str, object], config: dict[str, object], expected: int
) -> None:
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(tokenizer))
    assert read_max_length(folder_with(tmp_path, **config)) == expected


def test_without_a_model_the_error_names_the_command_that_makes_one() -> None:
    assert list_models() == []
    for name in (None, "starter", "calm-otter"):
        with pytest.raises(NotFoundError, match="goemo-tui train"):
            find_model(name)


@pytest.mark.parametrize("name", ["x" * 300, "a\0b"])
def test_names_that_cannot_be(name: str) -> None:
    with pytest.raises(NotFoundError):
        find_model(name)


def test_a_run_that_never_finished_is_not_the_default(tmp_path: Path, goemo_home: Path) -> None:
    from trainer.config import TrainConfig
    from trainer.runs.events import LOG, EventLog
    from trainer.runs.run import Run

    runs = [Run.create(TrainConfig()) for _ in range(2)]
    for run, kind in zip(runs, ("stopped", "finished"), strict=True):
        (run.folder / "model").mkdir()
        (run.folder / "model" / "config.json").write_text("{}")
        (run.folder / "model" / "model.safetensors").write_bytes(b"")
        with EventLog(run.folder / LOG) as log:
            log.append(kind, step=1)
    assert find_model().name == runs[1].id
    assert [m.name for m in list_models()] == [runs[1].id, runs[0].id]
    runs[1].delete()
    with pytest.raises(NotFoundError, match="no model yet"):
        find_model()
    assert find_model(runs[0].id).path == runs[0].folder / "model"
