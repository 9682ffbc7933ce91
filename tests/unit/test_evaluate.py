"""A split scored by a model that answers from a table: which thresholds cut what, and what is left out and said."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from trainer.corpus import load_corpus
from trainer.corpus.row_hashes import RowHashes
from trainer.errors import ConfigError, ModelError, NotFoundError
from trainer.infer import evaluate as work
from trainer.infer.evaluate import evaluate
from trainer.infer.predictor import Predictor
from trainer.labels import EKMAN, EMOTIONS
from trainer.model import metrics
from trainer.modelfolder import read_fitted_on

ROWS = 120


class Table(Predictor):
    """Knows what is true, and says it with some noise; `seed` is the noise's."""

    def __init__(self, folder: Path, labels: tuple[str, ...] = EMOTIONS, seed: int = 0, noise: float = 0.8) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = SimpleNamespace(path=folder, name=folder.name)  # type: ignore[assignment]
        self.labels, self.warnings, self.threshold = labels, (), "tuned"
        self.tuned = dict.fromkeys(labels, 0.5)
        self._noise = np.random.default_rng(seed), noise

    def probabilities(self, texts: Any, stop: Any = None) -> np.ndarray:
        source, noise = self._noise
        truth = np.array([[f" {name.lower()}." in text for name in self.labels] for text in texts], float)
        return np.clip(truth * (1 - noise / 2) + (source.random(truth.shape) - 0.3) * noise, 0, 1).astype(np.float32)


def about(model: Table, **told: Any) -> Table:
    """Write the model's thresholds.json."""
    (model.folder.path / "thresholds.json").write_text(json.dumps({"metric": "f1", **told}))
    return model


def write(
    folder: Path, names: tuple[str, ...], splits: tuple[str, ...] = ("train", "dev", "test"), skip: str = ""
) -> Path:
    """A corpus whose comments say what they feel."""
    folder.mkdir()
    (folder / "emotions.txt").write_text("\n".join(names) + "\n")
    rng = np.random.default_rng(1)
    for split in splits:
        lines = []
        for n in range(ROWS):
            ids = sorted({int(i) for i in rng.choice(len(names), 2)} - ({names.index(skip)} if skip else set())) or [0]
            text = " and ".join(f" {names[i]}." for i in ids)
            lines.append(f"{split} {n}: {text}\t{','.join(map(str, ids))}\t{split}{n}")
        (folder / f"{split}.tsv").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    return write(tmp_path / "corpus", EMOTIONS)


def model(tmp_path: Path, **more: Any) -> Table:
    return Table(tmp_path / more.pop("name", "model"), **more)


def fitted_on(corpus: Path, split: str) -> dict[str, str]:
    return {"sha256": load_corpus(corpus).splits[split].sha256}


def test_rows_that_thresholds_were_fitted_on_are_cross_fitted_and_others_are_not(corpus: Path, tmp_path: Path) -> None:
    def fresh() -> Table:
        return about(model(tmp_path), fitted_on=fitted_on(corpus, "dev"))

    own, other = (evaluate(fresh(), corpus, split, bootstrap=0) for split in ("dev", "test"))
    assert own["cross_fitted"] is True and any("cross-fitted" in note for note in own["notes"])
    assert other["cross_fitted"] is False and not any("cross-fitted" in note for note in other["notes"])
    rows = load_corpus(corpus).splits["dev"]
    truth, p = metrics.multi_hot(rows.labels, 28), fresh().probabilities(rows.text)
    assert own["macro_f1"] == pytest.approx(metrics.scores(truth, metrics.cross_fitted(truth, p)).macro_f1)
    assert own["macro_f1"] != pytest.approx(metrics.scores(truth, p >= 0.5).macro_f1)
    assert own["thresholds"]["joy"] == 0.5, "the model's own are still told"
    at = evaluate(fresh(), corpus, "dev", 0.3, bootstrap=0)
    assert at["cross_fitted"] is False, "a threshold that is given was fitted on nothing"


def test_no_row_is_ever_cut_by_a_threshold_that_it_was_fitted_with(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fitted: list[np.ndarray] = []
    real = metrics.fit_thresholds

    def watched(truth: np.ndarray, probability: np.ndarray, *more: Any, **named: Any) -> np.ndarray:
        fitted.append(probability)
        return real(truth, probability, *more, **named)

    monkeypatch.setattr(metrics, "fit_thresholds", watched)
    for split, fits in (("dev", 2), ("test", 0)):
        fitted.clear()
        one = about(model(tmp_path), fitted_on=fitted_on(corpus, "dev"))
        p = model(tmp_path).probabilities(load_corpus(corpus).splits[split].text)
        evaluate(one, corpus, split, bootstrap=0)
        assert len(fitted) == fits
        taken = [{row.tobytes() for row in part} for part in fitted]
        if fits:
            assert not taken[0] & taken[1] and taken[0] | taken[1] == {row.tobytes() for row in p}


def changed(corpus: Path, into: Path, how: str) -> Path:
    """The same corpus with the rows of dev in another file: cut, in another order, with other ends, among others."""
    into.mkdir()
    for file in corpus.iterdir():
        (into / file.name).write_bytes(file.read_bytes())
    lines = (corpus / "dev.tsv").read_text().splitlines()
    others = (corpus / "test.tsv").read_text().splitlines()
    text = {
        "cut": "\n".join(lines[:-1]),
        "turned": "\n".join(reversed(lines)),
        "crlf": "\r\n".join(lines),
        "shouted": "\n".join(line.replace("dev", "DEV", 1) for line in lines),
        "among others": "\n".join([*others, *lines[: ROWS // 2]]),
        "a few": "\n".join(lines[:7]),
        "one of many": "\n".join([*others, *lines[:2]]),
        "others": "\n".join(others),
    }[how]
    (into / "dev.tsv").write_bytes(text.encode() + b"\n")
    return into


@pytest.mark.parametrize(
    ("how", "crossed", "note"),
    [
        ("cut", True, "these very rows"),
        ("turned", True, "these very rows"),
        ("crlf", True, "these very rows"),
        ("shouted", True, "these very rows"),
        ("among others", True, f"fitted on {ROWS // 2} of these {ROWS + ROWS // 2} rows"),
        ("a few", False, "too few to fit others"),
        ("one of many", False, ""),
        ("others", False, ""),
    ],
)
def test_rows_are_known_again_in_another_file(corpus: Path, tmp_path: Path, how: str, crossed: bool, note: str) -> None:
    rows = load_corpus(corpus).splits["dev"]
    told = {**fitted_on(corpus, "dev"), **RowHashes.of(rows.text).told()}
    report = evaluate(about(model(tmp_path), fitted_on=told), changed(corpus, tmp_path / how, how), "dev", bootstrap=0)
    assert report["cross_fitted"] is crossed
    assert (note in " ".join(report["notes"])) if note else not report["notes"]


def test_a_model_that_keeps_no_rows_is_told_by_those_at_hand(corpus: Path, tmp_path: Path, goemo_home: Path) -> None:
    """Models made before rows were kept: their corpus is looked for by its fingerprint."""
    cut = changed(corpus, tmp_path / "cut", "cut")
    report = evaluate(about(model(tmp_path), fitted_on=fitted_on(corpus, "dev")), cut, "dev", bootstrap=0)
    assert report["cross_fitted"] is False and any("only their file" in note for note in report["notes"])
    shutil.copytree(corpus, goemo_home / "corpora" / "mine")
    report = evaluate(about(model(tmp_path), fitted_on=fitted_on(corpus, "dev")), cut, "dev", bootstrap=0)
    assert report["cross_fitted"] is True
    assert not evaluate(about(model(tmp_path), fitted_on=fitted_on(corpus, "dev")), cut, "test", bootstrap=0)["notes"]


def test_thresholds_of_unknown_origin_are_said(corpus: Path, tmp_path: Path) -> None:
    for told in ({}, {"fitted_on": "everything"}, {"fitted_on": {"sha256": 7}}):
        report = evaluate(about(model(tmp_path), **told), corpus, "dev", bootstrap=0)
        assert report["cross_fitted"] is False and any("flattered" in note for note in report["notes"])
    fixed = about(model(tmp_path), metric="fixed", fitted_on=fitted_on(corpus, "dev"))
    assert read_fitted_on(fixed.folder.path) == ""
    report = evaluate(fixed, corpus, "dev", bootstrap=0)
    assert report["cross_fitted"] is False and not report["notes"]


def test_the_document_keeps_its_keys_and_has_more(corpus: Path, tmp_path: Path) -> None:
    report = evaluate(model(tmp_path), corpus, bootstrap=30)
    old = "split n macro_f1 micro_f1 weighted_f1 macro_precision macro_recall subset_accuracy hamming_loss thresholds per_label"
    new = "model data cross_fitted notes left_out samples_f1 mean_average_precision bootstrap calibration levels confusions"
    assert {*old.split(), *new.split()} <= set(report) and report["split"] == "test" and report["n"] == ROWS
    joy = report["per_label"]["joy"]
    assert {"precision", "recall", "f1", "support", "average_precision", "ece", "said_instead"} <= set(joy)
    assert joy["f1_interval"]["low"] <= joy["f1"] <= joy["f1_interval"]["high"]
    ends = report["bootstrap"]["macro_f1"]
    assert ends["low"] < report["macro_f1"] < ends["high"] and report["bootstrap"]["resamples"] == 30
    assert set(report["levels"]) == {"ekman", "sentiment"} and set(report["levels"]["ekman"]["per_label"]) == set(EKMAN)
    json.dumps(report, allow_nan=False)


def test_without_a_test_split_dev_is_scored_and_that_is_said(tmp_path: Path) -> None:
    corpus = write(tmp_path / "corpus", EMOTIONS, ("train", "dev"))
    report = evaluate(model(tmp_path), corpus, bootstrap=0)
    assert report["split"] == "dev" and any("no test split" in note for note in report["notes"])
    with pytest.raises(NotFoundError, match=r"no split 'test'; there are: train, dev.*test\.tsv"):
        evaluate(model(tmp_path), corpus, "test")
    (corpus / "foo.tsv").write_text("a\t1\tx\n")
    with pytest.raises(NotFoundError, match=r"no split 'foo'.*with --split$"):
        evaluate(model(tmp_path), corpus, "foo")
    assert any("remembers" in note for note in evaluate(model(tmp_path), corpus, "train", bootstrap=0)["notes"])


def test_one_labelled_file_is_scored_as_it_is(tmp_path: Path) -> None:
    own = tmp_path / "own.tsv"
    own.write_text("".join(f"comment {n} joy.\t17\t{n}\n" for n in range(6)))
    report = evaluate(model(tmp_path), own, bootstrap=0)
    assert (report["split"], report["n"]) == ("train", 6)
    assert any("one split, train, and that is scored" in note for note in report["notes"])
    assert not any("remembers" in note for note in report["notes"]), "nothing says that it was trained on"
    with pytest.raises(NotFoundError, match=r"no split 'dev'.*into a folder, with a dev\.tsv beside"):
        evaluate(model(tmp_path), own, "dev")


def test_an_emotion_without_rows_scores_0_and_is_named(tmp_path: Path) -> None:
    corpus = write(tmp_path / "corpus", EMOTIONS, skip="grief")
    report = evaluate(model(tmp_path), corpus, bootstrap=10)
    assert report["empty"] == ["grief"] and report["per_label"]["grief"]["f1"] == 0
    said = next(note for note in report["notes"] if note.startswith("grief"))
    assert (
        "no row of test carries it" in said
        and "scikit-learn" in said
        and f"{report['macro_f1_of_present']:.3f}" in said
    )
    assert report["macro_f1_of_present"] > report["macro_f1"]


def test_many_emotions_without_rows_are_not_all_listed(tmp_path: Path) -> None:
    corpus = write(tmp_path / "corpus", EMOTIONS, ("train", "test"))
    for split in ("train", "test"):
        (corpus / f"{split}.tsv").write_text("".join(f"comment {n} joy.\t17\t{n}\n" for n in range(20)))
    said = evaluate(model(tmp_path), corpus, "test", bootstrap=0)["notes"]
    note = next(note for note in said if "no row of test" in note)
    assert note.startswith("admiration, amusement, anger, annoyance, approval and 22 more:")
    assert "of the other label macro-F1 is" in note and "of that alone" in note


def test_labels_that_only_one_side_knows_are_left_out_and_said(tmp_path: Path) -> None:
    names = ("joy", "fear", "boredom", "anger")
    corpus = write(tmp_path / "corpus", names)
    report = evaluate(model(tmp_path, labels=("anger", "Joy", "fear", "calm")), corpus, bootstrap=0)
    assert list(report["per_label"]) == ["anger", "Joy", "fear"]
    assert report["left_out"] == {"model": ["calm"], "corpus": ["boredom"]}
    rows = load_corpus(corpus).splits["test"].labels
    many = sum(2 in row for row in rows)
    assert any(f"boredom ({many} of {ROWS} rows" in note for note in report["notes"])
    assert any("no label calm" in note for note in report["notes"]) and report["levels"] == {}
    assert any("official 28" in note for note in report["notes"])
    assert report["per_label"]["Joy"]["support"] == sum(0 in row for row in rows)
    with pytest.raises(ModelError, match="not those of"):
        evaluate(model(tmp_path, labels=("sunny", "wet")), corpus)


def test_groups_are_not_taken_for_the_emotions_whose_names_they_bear(tmp_path: Path) -> None:
    corpus = write(tmp_path / "corpus", tuple(EKMAN))
    with pytest.raises(ModelError, match="hold more"):
        evaluate(model(tmp_path), corpus)


def test_two_models_on_the_same_draws(corpus: Path, tmp_path: Path) -> None:
    good, bad = (model(tmp_path, name=name, noise=noise) for name, noise in (("good", 0.7), ("bad", 1.2)))
    report = evaluate(bad, corpus, bootstrap=200, against=good)
    told = report["difference"]
    assert report["model"] == "bad" and report["against"]["model"] == "good" and told["resamples"] == 200
    macro = told["macro_f1"]
    assert macro["difference"] == pytest.approx(report["against"]["macro_f1"] - report["macro_f1"])
    assert macro["clear"] and 0 < macro["low"] <= macro["difference"] <= macro["high"] and macro["better"] > 0.97
    assert set(told["per_label"]) == set(EMOTIONS)
    turned = model(tmp_path, name="turned", labels=tuple(reversed(EMOTIONS)), noise=0.0)
    other = evaluate(model(tmp_path, noise=0.0), corpus, bootstrap=5, against=turned)
    assert other["difference"]["macro_f1"]["difference"] == 0, "labels are matched by name, not by place"
    assert evaluate(bad, corpus, bootstrap=0, against=good)["difference"]["macro_f1"]["low"] is None
    with pytest.raises(ModelError, match="other labels"):
        evaluate(bad, corpus, bootstrap=5, against=model(tmp_path, name="few", labels=tuple(EKMAN)))


def test_a_bootstrap_that_cannot_be(corpus: Path, tmp_path: Path) -> None:
    for wrong in (-1, 10**9):
        with pytest.raises(ConfigError, match="bootstrap"):
            evaluate(model(tmp_path), corpus, bootstrap=wrong)
    assert evaluate(model(tmp_path), corpus, bootstrap=1)["bootstrap"]["resamples"] == 1
    assert work.draws.RESAMPLES == 1_000
