"""`goemo-tui data augment`: before and after for people, as one document, and as a file that is read again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.command_line import cli, one_document
from trainer.config import TrainConfig
from trainer.corpus import load_corpus
from trainer.corpus.augmented import augmented


def corpus_of(folder: Path, rows: list[tuple[str, str]]) -> Path:
    folder.mkdir(exist_ok=True)
    for split in ("train", "dev"):
        (folder / f"{split}.tsv").write_text("".join(f"{t}\t{ids}\t{split}{i}\n" for i, (t, ids) in enumerate(rows)))
    return folder


def test_for_people_before_and_after_with_labels(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = corpus_of(tmp_path / "c", [("[NAME] told a \x1b[31mwonderful story", "17"), ("so", "27")])
    assert cli("data", "augment", str(folder), "--method", "synonyms", "--share", "0.5") == 0
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert lines[0] == "1  joy · synonyms" and "\x1b" not in out
    assert lines[1].startswith("   - [NAME] told a ") and lines[1].endswith("wonderful story")
    assert lines[2].startswith("   + [NAME] told a ") and lines[2] != lines[1]
    assert err == "1 new comments of 2 train rows: 1 by synonyms\n"


def test_json_to_the_letter_and_the_rows_of_a_training(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = (
        "data",
        "augment",
        "sample",
        "--method",
        "synonyms+deletion",
        "--share",
        "0.1",
        "--seed",
        "7",
        "--json",
    )
    assert cli(*arguments) == 0
    told = one_document(capsys.readouterr().out)
    assert set(told) == {"split", "rows", "made", "methods", "seed", "results"}
    assert (told["split"], told["rows"], told["made"], told["seed"]) == ("train", 1120, 112, 7)
    assert sum(told["methods"].values()) == 112 == len(told["results"])
    corpus = load_corpus("sample")
    train = corpus.splits["train"]
    made = augmented(
        train.text, train.labels, TrainConfig(augment="synonyms+deletion", augment_share=0.1, seed=7)
    )  # what a run with these settings trains on
    first, row = told["results"][0], made[0].origin
    assert first == {
        "line": train.lines[row], "id": train.ids[row], "labels": [corpus.labels.names[i] for i in train.labels[row]],
        "method": made[0].method, "before": train.text[row], "text": made[0].text,
    }  # fmt: skip
    assert cli(*arguments, "--limit", "3") == 0
    assert len(one_document(capsys.readouterr().out)["results"]) == 3


@pytest.mark.parametrize("ending", ["tsv", "jsonl"])
def test_a_file_that_any_command_reads_again(ending: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / f"train.{ending}"
    arguments = ("data", "augment", "sample", "--share", "0.1", "--out", str(out))
    assert cli(*arguments) == 0
    assert capsys.readouterr().out == f"{out}\n"
    assert out.stat().st_mode & 0o777 == 0o600
    again = load_corpus(tmp_path)
    rows = {id: labels for split in again.splits.values() for id, labels in zip(split.ids, split.labels, strict=True)}
    assert len(rows) == 112 and not again.problems
    train = load_corpus("sample").splits["train"]
    origin = dict(zip(train.ids, train.labels, strict=True))
    assert all(origin[id.rpartition("-new")[0]] == labels for id, labels in rows.items())
    assert cli(*arguments) == 1 and "--overwrite" in capsys.readouterr().err
    assert cli(*arguments, "--overwrite", "--json") == 0
    assert json.loads(capsys.readouterr().out)["rows"] == 112


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--method", "synonym"), 2, "synonyms+deletion"),
        (("--method", "none"), 2, "makes nothing"),
        (("--share", "9"), 2, "0 to 4"),
        (("--limit", "0"), 2, "1 or more"),
        (("--out", "rows.txt"), 1, "ending"),
        (("--method", "back_translation", "--translation", "one"), 2, "two models"),
        (("--method", "back_translation", "--translation", "a/b+c/d"), 1, "translation model a/b is not here"),
        (("--filter", "joy"), 2, "belongs to"),
    ],
)
def test_usage(arguments: tuple[str, ...], code: int, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli("data", "augment", "sample", *arguments) == code
    out, err = capsys.readouterr()
    assert not out and said in err


def test_the_options_belong_to_it_and_train_is_needed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli("data", "show", "sample", "--seed", "1") == 2
    assert "--seed belongs to data augment" in capsys.readouterr().err
    (tmp_path / "test.tsv").write_text("a fine day\t17\tx\n")
    assert cli("data", "augment", str(tmp_path)) in (1, 3)
    assert "train" in capsys.readouterr().err
