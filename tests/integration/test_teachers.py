"""Learning from other models: their probabilities are the targets, found before the start and kept with the run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from tests.integration.in_process import created
from trainer import Predictor, paths, train
from trainer.corpus import load_corpus
from trainer.errors import ConfigError
from trainer.learn import teachers
from trainer.learn.work import prepare
from trainer.model.metrics import multi_hot
from trainer.modelfolder import find_model
from trainer.runs.plan import plan
from trainer.runs.run import list_runs


@pytest.fixture
def two(tiny_encoder: Path) -> list[str]:
    """Two runs with a model each."""
    return [train("sample", str(tiny_encoder), limit=64, epochs=1, head_init="random", seed=s).run for s in (1, 2)]


@pytest.mark.parametrize(("precision", "near"), [("fp32", 1e-5), ("bf16", 0.01)])
def test_targets_are_the_teachers_mean_beside_the_labels(
    precision: str, near: float, two: list[str], tiny_encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(teachers, "choose_precision", lambda name, device: precision)
    run, told = created(tiny_encoder, teacher=f"{two[0]}, {two[1]}", distill=0.25), list[str]()
    rows = prepare(run, lambda: False, told.append)[0].train
    assert told == [f"asking teacher {n} of 2, {name}, about 96 rows" for n, name in enumerate(two, 1)]
    split = load_corpus("sample").splits["train"]
    texts = split.text[:96]
    said = np.mean([Predictor(name, device="cpu").probabilities(texts) for name in two], axis=0)
    truth = multi_hot(split.labels[:96], 28)
    assert rows.targets is not None and rows.targets == pytest.approx(0.75 * truth + 0.25 * said, abs=near)
    assert np.array_equal(rows.truth, truth), "what is told of the training is told of the labels"


def test_they_are_asked_once_a_run(two: list[str], tiny_encoder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = created(tiny_encoder, teacher=two[0])
    first = prepare(run, lambda: False)[0].train.targets
    with monkeypatch.context() as patched:
        patched.setattr(teachers, "find_teachers", lambda *_: pytest.fail("asked again"))
        again = prepare(run, lambda: False)[0].train.targets
    assert first is not None and again is not None and np.array_equal(first, again)
    (run.folder / teachers.FILE).write_bytes(b"no tensors")
    anew = prepare(run, lambda: False)[0].train.targets
    assert anew is not None and np.array_equal(first, anew), "a damaged file is made again"
    assert (run.folder / teachers.FILE).stat().st_mode & 0o777 == 0o600


def test_students_of_other_seeds_ask_once(two: list[str], tiny_encoder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def targets(seed: int) -> tuple[np.ndarray, list[str]]:
        told = list[str]()
        rows = prepare(created(tiny_encoder, teacher=", ".join(two), seed=seed), lambda: False, told.append)[0].train
        assert rows.targets is not None
        return rows.targets, told

    first, asked = targets(5)
    again, unasked = targets(6)
    assert len(asked) == 2 and not unasked and np.array_equal(first, again)
    shelf = paths.cache_folder() / "teachers"
    assert len(list(shelf.iterdir())) == 2 and {f.stat().st_mode & 0o777 for f in shelf.iterdir()} == {0o600}

    weights = find_model(two[1]).path / "model.safetensors"
    tensors = load_file(weights)
    save_file({name: 1.5 * t for name, t in tensors.items()}, weights)
    third, asked = targets(7)
    assert asked == [f"asking teacher 2 of 2, {two[1]}, about 96 rows"], "what has changed is asked anew"
    assert not np.allclose(third, first)

    monkeypatch.setattr(teachers, "KEPT", 2)
    targets(8)
    for file in shelf.iterdir():
        file.write_bytes(b"no tensors")
    anew, asked = targets(9)
    assert len(asked) == 2 and np.array_equal(anew, third), "damaged ones are made again"
    assert len(list(shelf.iterdir())) == 2, "no more than so many are kept"


@pytest.mark.parametrize(
    ("setting", "key", "words"),
    [
        ({"teacher": "nobody-here"}, "teacher", "no run is called 'nobody-here'"),
        ({"teacher": "/nowhere/at/all"}, "teacher", "no such folder"),
    ],
)
def test_what_cannot_be_is_named_before_anything_is_written(
    setting: dict[str, str], key: str, words: str, tiny_encoder: Path
) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        plan("sample", str(tiny_encoder), "goemo", setting)
    assert caught.value.key == key and not list_runs()


def test_a_teacher_of_other_labels_is_refused(two: list[str], tiny_encoder: Path) -> None:
    with pytest.raises(ConfigError, match="it must have the labels of the corpus") as caught:
        plan("sample", str(tiny_encoder), "goemo", {"teacher": two[0], "taxonomy": "sentiment"})
    assert caught.value.key == "teacher"


def test_a_mean_layer_is_refused_before_the_start_where_it_cannot_be(tiny_distilbert: Path) -> None:
    with pytest.raises(ConfigError, match="distilbert: choose pooling=cls") as caught:
        plan("sample", str(tiny_distilbert), "goemo", {"pooling": "mean"})
    assert caught.value.key == "pooling" and not list_runs()
