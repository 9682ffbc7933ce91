"""Suspect labels on disk and in order: scores kept and found again, planted wrong labels ranked, a person's word obeyed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from trainer.corpus import Corpus, load_corpus
from trainer.corpus.decisions import Decision, keep_decisions, read_decisions
from trainer.corpus.folds import folds_of
from trainer.corpus.suspects import (
    OutOfFold,
    Suspects,
    command,
    folder_of,
    given_labels,
    keep_ranking,
    keep_scores,
    read_ranking,
    read_scores,
    read_suspects,
    require_scores,
)
from trainer.errors import ConfigError
from trainer.model.label_quality import rank, ranked


def told(corpus: Corpus) -> dict[str, object]:
    return {"labels": list(corpus.labels.names), "sha256": corpus.fingerprint["train"], "folds": 4, "macro_f1": 0.4}


def scored(corpus: Corpus, values: np.ndarray) -> OutOfFold:
    keep_scores(folder_of(corpus), values.astype(np.float32), told(corpus))
    found = read_scores(corpus)
    assert found is not None
    return found


def guesses(corpus: Corpus) -> np.ndarray:
    """A model that mostly agrees with the labels."""
    rng = np.random.default_rng(0)
    given = given_labels(corpus)
    values: np.ndarray = np.where(given, rng.uniform(0.4, 0.9, given.shape), rng.uniform(0.0, 0.1, given.shape))
    return values


def planted_in(corpus: Corpus) -> tuple[np.ndarray, np.ndarray]:
    """Which rows of the sample have their labels exchanged for others, a tenth of them, and the labels by then."""
    rng, labels = np.random.default_rng(0), corpus.splits["train"].labels
    planted = rng.random(len(labels)) < 0.1
    given = np.zeros((len(labels), len(corpus.labels)), dtype=bool)
    for row, own in enumerate(labels):
        given[row, [(k + 1 + int(rng.integers(27))) % 28 if planted[row] else k for k in own]] = True
    return planted, given


def test_planted_wrong_labels_come_first_for_a_model_that_knows() -> None:
    """One that is sure of eight labels in ten, whatever stands in the file."""
    corpus = load_corpus("sample")
    planted, given = planted_in(corpus)
    rng, right = np.random.default_rng(1), given_labels(corpus)
    sure = rng.random(len(right))[:, None] < 0.8
    p = np.where(right & sure, rng.uniform(0.5, 0.95, right.shape), rng.beta(0.5, 12, right.shape))
    found = Suspects(OutOfFold(Path(), p.astype(np.float32), corpus.labels.names, {}), rank(given, p), given)
    worst = found.worst(0.1, {})
    assert worst.sum() == round(0.1 * len(given))
    assert planted[worst].mean() > 0.5  # by chance: 0.1
    assert found.suggested(int(found.order[0])) == tuple(np.flatnonzero(right[found.order[0]]))
    assert found.ranking.told["both"] > 0.4 * planted.sum()


def test_planted_wrong_labels_rank_far_above_chance_out_of_fold() -> None:
    """Words and a linear model that learns from the very labels, wrong ones with them."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.multiclass import OneVsRestClassifier

    corpus = load_corpus("sample")
    planted, given = planted_in(corpus)
    split = corpus.splits["train"]
    words = TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2)).fit_transform(split.text)
    fold, p = folds_of(split.text, split.labels, 4, 0), np.zeros(given.shape, dtype=np.float32)
    for k in range(4):
        model = OneVsRestClassifier(LogisticRegression(C=10, class_weight="balanced", solver="liblinear"))
        p[fold == k] = model.fit(words[fold != k], given[fold != k]).predict_proba(words[fold == k])
    found = Suspects(OutOfFold(Path(), p, corpus.labels.names, {}), rank(given, p), given)
    assert planted[found.worst(0.05, {})].mean() > 2 * planted.mean()
    assert planted[found.order[: len(given) // 2]].sum() > 0.6 * planted.sum()  # by chance: half


def test_scores_and_ranking_are_found_again() -> None:
    corpus = load_corpus("sample")
    assert read_scores(corpus) is None and read_suspects(corpus) is None
    values = guesses(corpus)
    scores = scored(corpus, values)
    assert np.array_equal(scores.probabilities, values.astype(np.float32))
    assert read_ranking(scores) is None
    made = ranked(scores, given_labels(corpus))
    found = read_suspects(corpus)
    assert found is not None
    assert np.array_equal(found.ranking.quality, made.quality) and np.array_equal(found.ranking.issues, made.issues)
    assert found.ranking.told["rows"] == len(corpus.splits["train"]) and "cleanlab" in found.ranking.told["method"]
    assert (folder_of(corpus).stat().st_mode & 0o777) == 0o700


def test_a_ranking_of_other_scores_counts_for_nothing() -> None:
    corpus = load_corpus("sample")
    scores = scored(corpus, guesses(corpus))
    keep_ranking(scores, rank(given_labels(corpus), scores.probabilities))
    np.save(scores.folder / "oof.npy", (guesses(corpus) * 0.9).astype(np.float32))  # somebody put others there
    assert read_suspects(corpus) is None


@pytest.mark.parametrize("harm", ["shape", "labels", "sha256", "range", "half", "text", "gone"])
def test_scores_that_do_not_fit_count_as_none(harm: str) -> None:
    corpus = load_corpus("sample")
    folder = scored(corpus, guesses(corpus)).folder
    if harm in ("labels", "sha256"):
        wrong = ["joy"] if harm == "labels" else "0" * 64
        (folder / "about.json").write_text(json.dumps({**told(corpus), harm: wrong}))
    elif harm == "half":
        (folder / "oof.npy").write_bytes((folder / "oof.npy").read_bytes()[:5000])
    elif harm == "text":
        (folder / "oof.npy").write_text("no array")
    elif harm == "gone":
        (folder / "about.json").unlink()
    else:
        values = guesses(corpus)
        np.save(folder / "oof.npy", values[:10] if harm == "shape" else values * 3)
    assert read_scores(corpus) is None


def test_what_is_not_there_is_named_with_its_command() -> None:
    corpus = load_corpus("sample")
    with pytest.raises(ConfigError, match="goemo-tui data suspects sample finds out") as caught:
        require_scores(corpus, "sample")
    assert caught.value.key == "suspects"
    assert command("/a b", "ekman") == "goemo-tui data suspects '/a b' --set taxonomy=ekman"


def test_rows_that_were_not_judged_are_neither_ranked_nor_left_out() -> None:
    corpus = load_corpus("sample")
    values = guesses(corpus)
    values[100:] = np.nan
    scores = scored(corpus, values)
    ranked(scores, given_labels(corpus))
    found = read_suspects(corpus)
    assert found is not None
    assert sorted(found.order) == list(range(100))
    assert found.worst(0.1, {}).sum() == 10 and not found.worst(0.9, {})[100:].any()


def test_labels_that_all_or_no_rows_carry_are_no_trouble() -> None:
    rng = np.random.default_rng(0)
    given = rng.random((40, 4)) < 0.4
    given[:, 0], given[:, 1] = True, False
    ranking = rank(given, rng.random((40, 4)).astype(np.float32))
    assert not ranking.issues[:, :2].any() and np.isfinite(ranking.quality).all()
    nothing = rank(np.ones((5, 1), dtype=bool), np.full((5, 1), 0.5, dtype=np.float32))
    assert not nothing.issues.any() and (nothing.quality == 0.5).all()


def test_a_persons_word_goes_before_the_ranking() -> None:
    corpus = load_corpus("sample")
    scored(corpus, guesses(corpus))
    scores = read_scores(corpus)
    assert scores is not None
    found = Suspects(scores, ranked(scores, given_labels(corpus)), given_labels(corpus))
    first, last = int(found.order[0]), int(found.order[-1])
    decisions = {first: Decision("fine"), last: Decision("wrong")}
    plain, decided = found.worst(0.05, {}), found.worst(0.05, decisions)
    assert plain[first] and not plain[last]
    assert not decided[first] and decided[last]
    assert decided.sum() == plain.sum() + 1


def test_the_suggestion_changes_what_is_doubted_and_never_leaves_nothing() -> None:
    given = np.array([[1, 0, 0], [1, 0, 0]], dtype=bool)
    p = np.array([[0.1, 0.8, 0.1], [0.1, 0.2, 0.1]], dtype=np.float32)
    corpus = load_corpus("sample")
    issues = np.array([[1, 1, 0], [1, 0, 0]], dtype=bool)
    scores = scored(corpus, guesses(corpus))
    ranking = rank(given_labels(corpus), scores.probabilities)
    found = Suspects(
        OutOfFold(scores.folder, p, ("a", "b", "c"), {}), type(ranking)(ranking.quality[:2], issues, {}), given
    )
    assert found.suggested(0) == (1,) and found.suggested(1) == (1,)
    assert list(found.order) == [0, 1]  # the first has another label that fits


def test_decisions_are_kept_and_rubbish_is_none(tmp_path: Path) -> None:
    kept = {3: Decision("fine"), 1: Decision("model", (2, 5)), 9: Decision("wrong")}
    keep_decisions(tmp_path, kept)
    assert read_decisions(tmp_path, 28) == kept
    assert ((tmp_path / "decisions.json").stat().st_mode & 0o777) == 0o600
    rows = {"1": {"verdict": "model", "labels": [99]}, "2": {"verdict": "no"}, "x": {"verdict": "fine"}, "4": 7,
            "5": {"verdict": "model"}, "6": {"verdict": "fine", "labels": "?"}}  # fmt: skip
    (tmp_path / "decisions.json").write_text(json.dumps({"rows": rows}))
    assert read_decisions(tmp_path, 28) == {6: Decision("fine")}
    for text in ("", "[]", '{"rows": 3}', "\0"):
        (tmp_path / "decisions.json").write_text(text)
        assert read_decisions(tmp_path, 28) == {}
