"""What a run got wrong: which comments, in which order, and that other comments than it was scored on are refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from goemo_tui.services.errors import FALSE_NEGATIVE, FALSE_POSITIVE, document, mistakes, scored_dev
from goemo_tui.services.evaluation import evaluation_of
from tests.unit.command_line import cli, finished, one_document
from trainer.corpus import Corpus, load_corpus
from trainer.errors import NotFoundError, RunError
from trainer.runs.dev_scores import DevScores, write_dev_scores
from trainer.runs.run import Run

TSV = (
    "so happy today\t17\ta\n"
    "what a joy\t17,18\tb\n"
    "I fear the dark\t14\tc\n"
    "nothing to see\t27\td\n"
    "love it, love it\t18\te\n"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "corpus"
    found.mkdir()
    for name in ("train", "dev"):
        (found / f"{name}.tsv").write_text(TSV)
    return found


def scored(
    folder: Path,
    says: dict[int, dict[str, float]],
    taxonomy: str = "emotions",
    threshold: float = 0.4,
    way: str = "per_label",
) -> Run:
    """A finished run on the corpus; `says` are row -> label -> probability, all others .01."""
    run = finished(data=str(folder), taxonomy=taxonomy)
    corpus = load_corpus(folder)
    names = corpus.under(taxonomy).labels.names
    p = np.full((len(corpus.splits["dev"]), len(names)), 0.01, np.float32)
    for row, labels in says.items():
        for name, value in labels.items():
            p[row, names.index(name)] = value
    limits = np.full(len(names), threshold, np.float32)
    write_dev_scores(run.folder, DevScores(p, names, limits, 2, corpus.fingerprint["dev"], way))
    return run


RIGHT = {0: {"joy": 0.9}, 1: {"joy": 0.8, "love": 0.7}, 2: {"fear": 0.9}, 3: {"neutral": 0.9}, 4: {"love": 0.9}}


def test_what_is_right_is_not_listed(folder: Path) -> None:
    dev = scored_dev(scored(folder, RIGHT).folder)
    for name in ("joy", "love", "fear", "neutral", "anger"):
        assert mistakes(dev, name).mistakes == ()
    assert (mistakes(dev, "joy").support, mistakes(dev, "joy").rows) == (2, 5)


def test_the_surest_mistakes_come_first_and_say_all_there_is_to_know(folder: Path) -> None:
    says = {**RIGHT, 1: {"joy": 0.1, "love": 0.7}, 3: {"joy": 0.95, "neutral": 0.6}, 4: {"joy": 0.5, "love": 0.9}}
    found = mistakes(scored_dev(scored(folder, says).folder), "joy")
    assert [(m.kind, m.text) for m in found.mistakes] == [
        (FALSE_POSITIVE, "nothing to see"),
        (FALSE_NEGATIVE, "what a joy"),
        (FALSE_POSITIVE, "love it, love it"),
    ]
    first, second, _ = found.mistakes
    assert (first.id, first.line, first.labels) == ("d", 4, ("neutral",))
    assert [name for name, _ in first.predicted] == ["joy", "neutral"] and first.probability == pytest.approx(0.95)
    assert (second.labels, second.predicted[0][0], len(second.predicted)) == (("joy", "love"), "love", 1)
    assert found.threshold == pytest.approx(0.4) and found.epoch == 2
    assert [len(found.of(kind)) for kind in (FALSE_POSITIVE, FALSE_NEGATIVE)] == [2, 1]


def test_a_probability_that_is_its_threshold_counts_as_said(folder: Path) -> None:
    run = scored(folder, {**RIGHT, 2: {"fear": 0.4}})
    assert mistakes(scored_dev(run.folder), "fear").mistakes == ()


def test_mistakes_are_those_behind_the_scores(tmp_path: Path) -> None:
    """P, R and F1 are cross-fitted: a threshold of the model's own that fits dev by chance hides no mistake, and makes none."""
    found = tmp_path / "corpus"
    found.mkdir()
    for name in ("train", "dev"):
        (found / f"{name}.tsv").write_text("".join(f"comment {n}\t{17 if n % 2 else 18}\t{n}\n" for n in range(60)))
    rng = np.random.default_rng(0)
    says = {n: {"joy": float(rng.random()), "love": float(rng.random())} for n in range(60)}
    run = scored(found, says, threshold=0.0)
    dev, told = scored_dev(run.folder), evaluation_of(run.folder)
    for name in ("joy", "love"):
        k, listed = told.column(name), mistakes(dev, name)
        assert k is not None
        wrong, missed = len(listed.of(FALSE_POSITIVE)), len(listed.of(FALSE_NEGATIVE))
        counts = told.scores.counts
        assert (wrong, missed) == (counts.claimed[k] - counts.hit[k], counts.support[k] - counts.hit[k])
        assert wrong == told.mistakes.wrong[k] and missed == told.mistakes.missed[k]
        assert len(listed.judged_by) == 2 and listed.threshold == 0
        for m in listed.mistakes:
            assert m.threshold in listed.judged_by
            assert (m.probability >= m.threshold) is (m.kind == FALSE_POSITIVE)
            assert (name in dict(m.predicted)) is (m.kind == FALSE_POSITIVE)


def test_labels_are_those_that_the_run_learned(folder: Path) -> None:
    says = {0: {"joy": 0.9}, 1: {"joy": 0.9}, 2: {"joy": 0.9}, 3: {"neutral": 0.9}, 4: {"joy": 0.9}}
    dev = scored_dev(scored(folder, says, taxonomy="ekman").folder)
    assert [m.text for m in mistakes(dev, "joy").mistakes] == ["I fear the dark"]
    assert mistakes(dev, "fear").mistakes[0].labels == ("fear",)
    with pytest.raises(NotFoundError, match="joy"):
        mistakes(dev, "love")


def test_other_comments_than_it_was_scored_on_are_refused(folder: Path) -> None:
    run = scored(folder, RIGHT)
    (folder / "dev.tsv").write_text(TSV.replace("happy", "sad"))
    with pytest.raises(RunError, match="another fingerprint"):
        scored_dev(run.folder)
    shutil.rmtree(folder)
    with pytest.raises(NotFoundError):
        scored_dev(run.folder)


def test_other_labels_than_it_learned_are_refused(folder: Path) -> None:
    run = scored(folder, RIGHT)
    names = list(load_corpus(folder).labels.names)
    (folder / "emotions.txt").write_text("\n".join([*names[:-1], "boredom"]) + "\n")
    with pytest.raises(RunError, match="label file"):
        scored_dev(run.folder)


def test_an_older_run_says_how_to_get_its_scores(folder: Path) -> None:
    from tests.ui.train_story import ended

    with pytest.raises(NotFoundError, match="goemo-tui train --data sample"):
        scored_dev(ended().folder)
    with pytest.raises(NotFoundError, match="after its first epoch"):
        scored_dev(Run.create(finished().config).folder)


def test_errors_from_the_command_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    says = {**RIGHT, 1: {"joy": 0.1, "love": 0.7}, 3: {"joy": 0.95}}
    run = scored(folder, says)
    assert cli("runs", "errors", run.short, "joy") == 0
    out, err = capsys.readouterr()
    header, *rows = [line.split("\t") for line in out.splitlines()]
    assert header == ["kind", "probability", "labels", "predicted", "id", "text"]
    assert [row[5] for row in rows] == ["nothing to see", "what a joy"]
    assert "1 said wrongly, 1 missed" in err
    assert cli("runs", "errors", run.short, "joy", "--limit", "1", "--json") == 0
    told = one_document(capsys.readouterr().out)
    found = mistakes(scored_dev(run.folder), "joy")
    assert told == document(found, found.mistakes[:1])
    assert (told["false_positives"], told["false_negatives"], len(told["mistakes"])) == (1, 1, 1)
    assert cli("runs", "errors", run.short, "JOY", "--json") == 0
    assert one_document(capsys.readouterr().out)["emotion"] == "joy", "whatever the case"
    assert cli("runs", "errors", run.short, "boredom") == 3
    assert "admiration" in capsys.readouterr().err
    assert cli("runs", "errors", run.short) == 2
    assert cli("runs", "errors", run.short, "joy", "--limit", "0") == 2
    assert cli("runs", "list", "--limit", "3") == 2


def test_a_comment_cannot_command_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "corpus"
    folder.mkdir()
    for name in ("train", "dev"):
        (folder / f"{name}.tsv").write_text(TSV + "\x1b]52;c;aGk=\x07[/s]\x9b31m\t18\tx\x1b[2J\n")
    corpus: Corpus = load_corpus(folder)
    assert len(corpus.splits["dev"]) == 6
    run = scored(folder, {5: {"joy": 0.99}})
    assert cli("runs", "errors", run.short, "joy") == 0
    out = capsys.readouterr().out
    assert "[/s]" in out and not {"\x1b", "\x07", "\x9b"} & set(out)
