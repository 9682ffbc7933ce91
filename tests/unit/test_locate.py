"""Which file is which split, which label file counts, and what is said about it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from trainer import paths
from trainer.corpus import Corpus, list_corpora, load_corpus
from trainer.errors import ConfigError, CorpusError, NotFoundError
from trainer.labels import ALPHABETICAL, EMOTIONS, OFFICIAL


def rows(count: int, label: str = "17", word: str = "row") -> str:
    return "".join(f"{word} number {i}\t{label}\t{word}{i}\n" for i in range(count))


def corpus_of(folder: Path, files: dict[str, str]) -> Corpus:
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        (folder / name).write_text(content, "utf-8")
    return load_corpus(folder)


def sizes(corpus: Corpus) -> dict[str, int]:
    return {name: len(split) for name, split in corpus.splits.items()}


def test_a_folder_of_splits(tmp_path: Path) -> None:
    corpus = corpus_of(tmp_path / "mine", {"test.tsv": rows(3), "dev.tsv": rows(4), "train.tsv": rows(5)})
    assert list(sizes(corpus).items()) == [("train", 5), ("dev", 4), ("test", 3)]
    assert (corpus.name, corpus.path, corpus.labels, corpus.warnings) == ("mine", tmp_path / "mine", OFFICIAL, ())
    assert corpus.fingerprint == {name: split.sha256 for name, split in corpus.splits.items()}
    assert len(corpus.fingerprint["dev"]) == 64
    corpus.require_trainable()


@pytest.mark.parametrize("alias", ["validation", "valid", "val", "eval", "DEV", "Validation"])
def test_names_for_dev(tmp_path: Path, alias: str) -> None:
    assert sizes(corpus_of(tmp_path / "mine", {"train.tsv": rows(20), f"{alias}.tsv": rows(2)})) == {
        "train": 20,
        "dev": 2,
    }


def test_two_files_for_one_split(tmp_path: Path) -> None:
    files = {
        "train.jsonl": '{"text": "x", "labels": 1}\n',
        "train.csv": "a b,1,x\n" * 2,
        "train.tsv": rows(3),
        "dev.jsonl": '{"text": "x", "labels": 1}\n' * 4,
        "eval.csv": "a b,1,x\n" * 5,
        "val.csv": "a b,1,x\n" * 6,
    }
    corpus = corpus_of(tmp_path / "mine", files)
    assert sizes(corpus) == {"train": 3, "dev": 6}
    assert corpus.warnings == (
        "train.tsv is the train split; left aside: train.csv, train.jsonl",
        "val.csv is the dev split; left aside: eval.csv, dev.jsonl",
    )


def test_train_without_dev_gives_a_tenth_away(tmp_path: Path) -> None:
    corpus = corpus_of(tmp_path / "mine", {"train.tsv": rows(100), "test.tsv": rows(7, word="other")})
    assert sizes(corpus) == {"train": 90, "dev": 10, "test": 7}
    assert sorted(corpus.splits["train"].lines + corpus.splits["dev"].lines) == list(range(1, 101))
    assert len(corpus.warnings) == 1 and "no dev file" in corpus.warnings[0] and "10 are dev" in corpus.warnings[0]
    corpus.require_trainable()


@pytest.mark.parametrize("count", [1, 2, 9, 10, 11, 19, 20, 57, 100])
def test_one_file_is_divided_without_losing_a_row(tmp_path: Path, count: int) -> None:
    (tmp_path / "comments.tsv").write_text(rows(count))
    corpus = load_corpus(tmp_path / "comments.tsv")
    tenth = count // 10
    expected = {"train": count - 2 * tenth, "dev": tenth, "test": tenth} if tenth else {"train": count}
    assert sizes(corpus) == expected
    assert sorted(line for split in corpus.splits.values() for line in split.lines) == list(range(1, count + 1))
    for split in corpus.splits.values():
        assert split.lines == sorted(split.lines)
        assert split.ids == [f"row{line - 1}" for line in split.lines]
    assert bool(corpus.warnings) == bool(tenth)
    assert len(set(corpus.fingerprint.values())) == len(corpus.splits)


def test_the_division_is_the_same_in_every_process(tmp_path: Path) -> None:
    (tmp_path / "comments.tsv").write_text(rows(200))
    here = load_corpus(tmp_path / "comments.tsv")
    code = "import sys; from trainer import load_corpus; print(load_corpus(sys.argv[1]).fingerprint)"
    environment = {**os.environ, "PYTHONHASHSEED": "7"}
    found = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "comments.tsv")],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    assert found.stdout.strip() == str(here.fingerprint)
    # no run of neighbours: the file may be sorted
    assert here.splits["dev"].lines[:5] != list(range(1, 6)) and max(here.splits["dev"].lines) > 100


def test_a_folder_with_one_file_of_any_name(tmp_path: Path) -> None:
    corpus = corpus_of(tmp_path / "mine", {"comments.tsv": rows(30, "0"), "labels.txt": "good\nbad\n", "notes.md": "x"})
    assert sizes(corpus) == {"train": 24, "dev": 3, "test": 3}
    assert corpus.labels.names == ("good", "bad")


@pytest.mark.parametrize("files", [{}, {"a.tsv": "x", "b.tsv": "y"}, {"train.txt": "x"}])
def test_a_folder_that_does_not_say_what_is_what(tmp_path: Path, files: dict[str, str]) -> None:
    with pytest.raises(CorpusError, match=r"name them train\.tsv, dev\.tsv, test\.tsv") as error:
        corpus_of(tmp_path / "mine", files)
    assert all(name in str(error.value) for name in files if name.endswith(".tsv"))


@pytest.mark.parametrize("name", ["dev", "test"])
def test_a_folder_to_evaluate_with_only(tmp_path: Path, name: str) -> None:
    corpus = corpus_of(tmp_path / "mine", {f"{name}.tsv": rows(4)})
    assert sizes(corpus) == {name: 4}
    with pytest.raises(CorpusError, match=r"no train rows.*train\.tsv"):
        corpus.require_trainable()


def test_too_few_rows_to_give_any_away(tmp_path: Path) -> None:
    corpus = corpus_of(tmp_path / "mine", {"train.tsv": rows(9)})
    assert sizes(corpus) == {"train": 9}
    with pytest.raises(CorpusError, match="no dev rows"):
        corpus.require_trainable()


@pytest.mark.parametrize("which", ["train", "dev"])
def test_a_refused_file_loads_and_does_not_train(tmp_path: Path, which: str) -> None:
    files = {"train.tsv": rows(10), "dev.tsv": rows(10)}
    files[f"{which}.tsv"] += "bad\n" * 8
    corpus = corpus_of(tmp_path / "mine", files)
    assert sizes(corpus) == {"train": 10, "dev": 10} and len(corpus.problems) == 8
    with pytest.raises(CorpusError) as error:
        corpus.require_trainable()
    assert (
        f"{which}.tsv" in str(error.value)
        and str(error.value).count("\n  line ") == 5
        and "8 of 18 rows" in str(error.value)
    )


def test_a_refused_file_stays_refused_when_it_is_divided(tmp_path: Path) -> None:
    (tmp_path / "x.tsv").write_text(rows(20) + "bad\n" * 8)
    corpus = load_corpus(tmp_path / "x.tsv")
    assert sizes(corpus) == {"train": 16, "dev": 2, "test": 2} and len(corpus.problems) == 8
    with pytest.raises(CorpusError, match="8 of 28 rows"):
        corpus.require_trainable()
    folder = corpus_of(tmp_path / "mine", {"train.tsv": rows(20) + "bad\n" * 8})
    with pytest.raises(CorpusError, match="8 of 28 rows"):
        folder.require_trainable()


def test_a_bad_test_file_does_not_keep_from_training(tmp_path: Path) -> None:
    corpus = corpus_of(tmp_path / "mine", {"train.tsv": rows(10), "dev.tsv": rows(3), "test.tsv": "bad\n"})
    corpus.require_trainable()
    assert corpus.splits["test"].refused


def test_problems_name_the_file_as_it_was_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    corpus_of(tmp_path / "mine", {"train.tsv": rows(9) + "bad\n", "dev.tsv": "\n" + rows(9)})
    monkeypatch.chdir(tmp_path)
    corpus = load_corpus("mine")
    assert [(p.file, p.line) for p in corpus.problems] == [("mine/train.tsv", 10), ("mine/dev.tsv", 1)]
    assert corpus.path.is_absolute() and corpus.name == "mine"


def test_labels_beside_a_single_file(tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text("good\nbad\n")
    (tmp_path / "reviews.csv").write_text("text,label\n" + "fine,good\n" * 10 + "awful,1\n" * 10)
    corpus = load_corpus(str(tmp_path / "reviews.csv"))
    assert corpus.labels.names == ("good", "bad") and corpus.problems == ()


def test_two_label_files(tmp_path: Path) -> None:
    corpus = corpus_of(
        tmp_path / "mine", {"train.tsv": rows(20, "0"), "labels.txt": "x\n", "emotions.txt": "good\nbad\n"}
    )
    assert corpus.labels.names == ("good", "bad")
    assert any("labels.txt" in warning for warning in corpus.warnings)


def test_a_broken_label_file(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"emotions\.txt"):
        corpus_of(tmp_path / "mine", {"train.tsv": rows(20), "emotions.txt": ""})


def test_hostile_label_names_are_only_data(tmp_path: Path) -> None:
    names = ["../../etc", "[red]joy[/red]", "\x1b]52;c;aGk=\x07", "$(id)", "__import__('os')"]
    corpus = corpus_of(tmp_path / "mine", {"train.tsv": rows(20, "0,4"), "labels.txt": "\n".join(names)})
    assert corpus.labels.names == tuple(names) and corpus.splits["train"].labels[0] == (0, 4)


def lopsided(often: int, seldom: tuple[int, ...] = (0, 1, 2, 3), count: int = 300) -> str:
    return "".join(f"row\t{often}\tx\n" for _ in range(count)) + "".join(
        f"row\t{i}\tx\n" for i in seldom for _ in range(count // 5)
    )


def silent_renaming(corpus: Corpus) -> list[str]:
    return [w for w in corpus.warnings if "renamed" in w]


def test_rows_that_seem_to_count_alphabetically(tmp_path: Path) -> None:
    corpus = corpus_of(tmp_path / "mine", {"train.tsv": lopsided(20), "dev.tsv": rows(9)})
    (warning,) = silent_renaming(corpus)
    assert "label 20" in warning and "emotions.txt" in warning
    official = corpus_of(tmp_path / "mine", {"emotions.txt": "\n".join(EMOTIONS)})
    assert silent_renaming(official) == [warning]


def test_rows_that_seem_to_count_officially_under_an_alphabetical_list(tmp_path: Path) -> None:
    files = {"train.tsv": lopsided(27), "dev.tsv": rows(9), "labels.txt": "\n".join(ALPHABETICAL)}
    listed, counted = silent_renaming(corpus_of(tmp_path / "mine", files))
    assert "labels.txt" in listed and "label 27" in counted


@pytest.mark.parametrize(
    "content",
    [
        lopsided(27),
        lopsided(20, (0, 1, 27)),
        lopsided(20, count=200),
        lopsided(0),
        lopsided(20)
        .replace("\t20\t", "\toptimism\t")
        .replace("\t0\t", "\tjoy\t")
        .replace("\t1\t", "\tlove\t")
        .replace("\t2\t", "\tfear\t")
        .replace("\t3\t", "\tgrief\t"),
    ],
)
def test_no_alarm_without_a_sign(tmp_path: Path, content: str) -> None:
    assert silent_renaming(corpus_of(tmp_path / "mine", {"train.tsv": content, "dev.tsv": rows(9)})) == []


def test_an_alphabetical_list_that_fits_is_said_once(tmp_path: Path) -> None:
    files = {"train.tsv": lopsided(20), "dev.tsv": rows(9), "labels.txt": "\n".join(ALPHABETICAL)}
    corpus = corpus_of(tmp_path / "mine", files)
    assert len(silent_renaming(corpus)) == 1
    assert sum(27 in row for row in corpus.splits["train"].labels) == 300


def test_grouped_labels(tmp_path: Path) -> None:
    corpus = corpus_of(tmp_path / "mine", {"train.tsv": "a b\t0,17,25\tx\nc d\t27\ty\n" * 5, "dev.tsv": rows(2)})
    assert corpus.under("emotions") is corpus
    ekman = corpus.under("ekman")
    assert ekman.labels.names == ("anger", "disgust", "fear", "joy", "sadness", "surprise", "neutral")
    assert ekman.splits["train"].labels[:2] == [(3, 4), (6,)]
    assert corpus.splits["train"].labels[:2] == [(0, 17, 25), (27,)]
    assert ekman.fingerprint == corpus.fingerprint and ekman.splits["train"].text == corpus.splits["train"].text
    with pytest.raises(ConfigError):
        corpus_of(tmp_path / "own", {"train.tsv": rows(9, "0"), "labels.txt": "sleepy\n"}).under("sentiment")


def test_the_sample_has_a_name() -> None:
    for corpus in (load_corpus(), load_corpus("sample")):
        assert corpus.name == "sample" and corpus.path == paths.shipped() / "sample"
        assert list(corpus.splits) == ["train", "dev", "test"] and corpus.problems == () and corpus.warnings == ()


def test_downloaded_corpora_have_names(goemo_home: Path) -> None:
    with pytest.raises(NotFoundError, match="goemo-tui data download"):
        load_corpus("goemotions")
    folder = goemo_home / "corpora" / "goemotions"
    folder.mkdir(parents=True)
    (folder / "train.tsv").write_text(rows(20))
    (folder.parent / "half").mkdir()
    (folder.parent / "half" / "notes.tsv").write_text("no corpus\n")
    (folder.parent / "half" / "more.tsv").write_text("no corpus either\n")
    (folder.parent / "empty").mkdir()  # what a download that brought nothing leaves behind
    assert load_corpus("goemotions").path == folder
    found = {info.name: (info.origin, info.splits) for info in list_corpora()}
    assert list(found) == ["sample", "goemotions", "half"]
    assert found["goemotions"] == ("downloaded", {"train": 18, "dev": 2})
    assert found["half"] == ("downloaded", {}) and found["sample"][0] == "sample"


def test_a_folder_of_ones_own_goes_before_a_downloaded_one(
    tmp_path: Path, goemo_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder, count in ((goemo_home / "corpora" / "mine", 20), (tmp_path / "mine", 30), (tmp_path / "sample", 40)):
        folder.mkdir(parents=True)
        (folder / "train.tsv").write_text(rows(count))
    monkeypatch.chdir(goemo_home)
    assert sizes(load_corpus("mine"))["train"] == 18
    monkeypatch.chdir(tmp_path)
    assert sizes(load_corpus("mine"))["train"] == 27
    assert load_corpus("sample").path == paths.shipped() / "sample"
    assert sizes(load_corpus("./sample"))["train"] == 36


@pytest.mark.parametrize("path", ["/no/such/place", "nothing-here", "", "a\0b", "x" * 5000, "~nobody-of-this-name/x"])
def test_what_is_not_there(path: str) -> None:
    with pytest.raises(NotFoundError):
        load_corpus(path)


def test_a_home_of_nobody_is_said() -> None:
    with pytest.raises(NotFoundError, match="nobody here is called ~nobody-of-this-name"):
        load_corpus("~nobody-of-this-name/x")


def test_what_is_no_corpus(tmp_path: Path) -> None:
    (tmp_path / "letter.docx").write_bytes(b"PK")
    with pytest.raises(CorpusError, match=r"\.tsv, \.csv, \.jsonl, \.parquet"):
        load_corpus(tmp_path / "letter.docx")
    os.mkfifo(tmp_path / "pipe.tsv")
    with pytest.raises(CorpusError, match="neither a folder nor a file"):
        load_corpus(tmp_path / "pipe.tsv")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises((CorpusError, NotFoundError)):
        load_corpus(tmp_path / "loop")


@pytest.mark.corpus
def test_the_real_corpus(goemotions: Path) -> None:
    corpus = load_corpus(goemotions)
    assert sizes(corpus)["train"] == 43_410 and sizes(corpus)["dev"] == 5_426
    assert corpus.problems == () and corpus.warnings == () and corpus.labels == OFFICIAL
    corpus.require_trainable()
    assert corpus.fingerprint["train"].startswith("1c254a142be5") and corpus.fingerprint["dev"].startswith(
        "575489c079c9"
    )


@pytest.mark.corpus
def test_the_real_corpus_read_in_the_wrong_order(goemotions: Path, tmp_path: Path) -> None:
    (tmp_path / "train.tsv").symlink_to(goemotions / "train.tsv")
    (tmp_path / "labels.txt").write_text("\n".join(ALPHABETICAL))
    assert any("label 27" in w for w in load_corpus(tmp_path).warnings)
    (tmp_path / "labels.txt").unlink()
    lines = (goemotions / "train.tsv").read_text("utf-8").split("\n")[:-1]
    turned = []
    for line in lines:
        text, labels, row_id = line.rsplit("\t", 2)
        turned.append(
            "\t".join([text, ",".join(str(ALPHABETICAL.index(EMOTIONS[int(i)])) for i in labels.split(",")), row_id])
        )
    (tmp_path / "train.tsv").unlink()
    (tmp_path / "train.tsv").write_text("\n".join(turned), "utf-8")
    assert any("label 20" in w for w in load_corpus(tmp_path).warnings)
