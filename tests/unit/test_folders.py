"""What a picker sees of a folder: real folders with links in a loop, hidden files, many files, and none that may be read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from goemo_tui.services.folders import Child, complaint_about, completion, meant, real, scan


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "here"
    (made / "Zoo").mkdir(parents=True)
    (made / "alpha").mkdir()
    (made / ".hidden").mkdir()
    (made / "train.TSV").write_text("abc")
    (made / "notes.doc").write_text("x")
    (made / ".secret.tsv").write_text("x")
    (made / "loop").symlink_to(made)
    (made / "self").symlink_to(made / "self")
    (made / "gone.csv").symlink_to(made / "nowhere.csv")
    return made


def test_folders_first_then_files_that_can_be_read(folder: Path) -> None:
    found = scan(folder)
    assert found.children == (
        Child("alpha", True), Child("loop", True), Child("Zoo", True), Child("train.TSV", False, 3),
    )  # fmt: skip
    assert found.files == ("train.TSV",)
    assert (found.others, found.error) == (3, "")
    assert {child.name for child in scan(folder, hidden=True).children} >= {".hidden", ".secret.tsv"}


def test_going_round_in_a_loop_of_links_leads_nowhere_new(folder: Path) -> None:
    assert real(folder / "loop" / "loop" / "loop") == folder
    assert real(folder / "self").name == "self"
    assert scan(folder / "self").error.endswith("Too many levels of symbolic links")


def test_a_folder_that_is_not_there_or_may_not_be_read_says_so(folder: Path) -> None:
    assert "No such file or directory" in scan(folder / "x").error
    assert "Not a directory" in scan(folder / "train.TSV").error
    if os.geteuid():
        (folder / "alpha").chmod(0)
        assert "Permission denied" in scan(folder / "alpha").error
        (folder / "alpha").chmod(0o700)


def test_what_was_typed_means_a_name_or_a_path(
    folder: Path, tmp_path: Path, goemo_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert meant(" sample ", folder) == "sample"
    assert meant("goemotions", folder) == "goemotions"
    assert meant("alpha", folder) == str(folder / "alpha")
    assert meant("here/Zoo", folder) == str(folder / "Zoo")
    assert meant("nothing", folder) == str(tmp_path / "nothing")
    assert meant(str(folder), Path("/")) == str(folder)
    (goemo_home / "corpora" / "mine").mkdir(parents=True)
    assert meant("mine", folder) == "mine"
    monkeypatch.setenv("HOME", str(folder))
    assert meant("~/alpha", Path("/")) == str(folder / "alpha")
    assert meant("~nobody-is-called-so/x", folder) == "~nobody-is-called-so/x"


def test_why_something_cannot_be_opened(folder: Path, goemo_home: Path) -> None:
    assert complaint_about("sample") == ""
    assert complaint_about(str(folder)) == complaint_about(str(folder / "train.TSV")) == ""
    assert "d fetches it" in complaint_about("goemotions")
    (goemo_home / "corpora" / "goemotions").mkdir(parents=True)
    assert complaint_about("goemotions") == ""
    assert "type the path" in complaint_about(" ")
    assert "no path" in complaint_about("a\0b")
    assert "no such folder or file" in complaint_about(str(folder / "x"))
    assert "file in this folder" in complaint_about(str(folder / "alpha"))
    assert "ending in" in complaint_about(str(folder / "notes.doc"))
    assert "nobody here is called ~nobody-is-called-so" in complaint_about("~nobody-is-called-so/x")
    assert "cannot be read" in complaint_about("/" + "x" * 5_000)


def test_completion(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert completion(f"{folder}/tr", Path("/")) == f"{folder}/train.TSV"
    assert completion("al", folder) == "alpha/"
    assert completion("Zoo/x", folder) is None
    assert completion(".h", folder) == ".hidden/"
    assert completion("", folder) is None and completion("a\0", folder) is None
    assert completion("~nobody-is-called-so/x", folder) is None
    monkeypatch.setenv("HOME", str(folder))
    assert completion("~/al", Path("/")) == "~/alpha/"
    (folder / "al\x1b[2J").mkdir()
    assert completion("al", folder) == "alpha/"
