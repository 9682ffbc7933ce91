"""A batch in a file: whole or not at all, in the format that its name says, with every text as it was."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from goemo_tui.services.batch import Batch, BatchError
from goemo_tui.services.batch_file import complaint_about, write_batch
from goemo_tui.services.prediction import Model

TEXTS = ('so "happy", she said', "tab\there", "line\nbreak", "é🙂 مرحبا", "=1+1")
MODEL = Model("m", "", ("joy", "fear"), {"joy": 0.5, "fear": 0.2}, "cpu", 1, 1, 1, 1, 8, (), 0.0)


def batch(answered: int = len(TEXTS)) -> Batch:
    made = Batch(TEXTS, MODEL, "tuned")
    if answered:
        cut = Batch(TEXTS[:answered], MODEL, "tuned")
        assert cut.take(cut.next_texts(), [(0.8, 0.25)] * answered)
        made._scores = cut._scores
    return made


@pytest.mark.parametrize(("name", "delimiter"), [("out.tsv", "\t"), ("OUT.CSV", ",")])
def test_a_table_has_a_column_a_label_and_is_read_back_as_it_was(tmp_path: Path, name: str, delimiter: str) -> None:
    assert write_batch(batch(), str(tmp_path / name)) == f"5 rows written to {tmp_path / name}"
    with (tmp_path / name).open(encoding="utf-8", newline="") as file:
        head, *rows = csv.reader(file, delimiter=delimiter)
    assert head == ["text", "emotions", "joy", "fear"]
    assert tuple(row[0] for row in rows) == TEXTS
    assert all(row[1:] == ["joy,fear", "0.8", "0.25"] for row in rows)


def test_lines_of_json_are_the_results_of_predict(tmp_path: Path) -> None:
    write_batch(batch(), str(tmp_path / "out.jsonl"))
    found = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text("utf-8").split("\n") if line]
    assert found == batch().document()["results"]


def test_only_what_is_answered_is_written_and_what_could_not_be_read_stays_without_numbers(tmp_path: Path) -> None:
    made = batch(2)
    made._scores.extend([float("nan")] * 2)
    file = tmp_path / "out.tsv"
    assert write_batch(made, str(file)).startswith("3 rows")
    with file.open(encoding="utf-8", newline="") as source:
        assert list(csv.reader(source, delimiter="\t"))[3] == ["line\nbreak", "", "", ""]
    assert write_batch(batch(1), str(file)).startswith("1 row written")


@pytest.mark.parametrize(
    ("answer", "wrong"),
    [
        ("", "type a path"), ("  ", "type a path"), ("a\0.tsv", "type a path"), ("out", "the name says the format"),
        ("out.xls", "the name says the format"), ("/no/such/out.tsv", "there is no folder /no/such"),
        ("x" * 5000 + ".tsv", "File name too long"),
    ],
)  # fmt: skip
def test_where_nothing_can_be_written_is_said_before(answer: str, wrong: str) -> None:
    told = complaint_about(answer)
    assert wrong in told and told


def test_a_name_that_is_too_long_is_told_where_only_the_disk_knows(tmp_path: Path) -> None:
    with pytest.raises(BatchError, match="File name too long"):
        write_batch(batch(), str(tmp_path / ("x" * 250 + ".tsv")))


def test_a_folder_and_a_file_that_is_there(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").mkdir()
    assert complaint_about(str(tmp_path / "a.tsv")) == "that is a folder"
    (tmp_path / "b.tsv").write_text("old")
    assert complaint_about(str(tmp_path / "b.tsv")) == ""


def test_a_disk_that_is_full_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "out.tsv"
    file.write_text("old")

    def full(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(BatchError, match="No space left"):
        write_batch(batch(), str(file))
    assert [p.name for p in tmp_path.iterdir()] == ["out.tsv"] and file.read_text() == "old"
