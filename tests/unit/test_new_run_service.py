"""What the form for a training knows of corpora: which are offered, and what is wrong with one."""

from __future__ import annotations

from pathlib import Path

import pytest

from goemo_tui.services import new_run
from trainer import paths


def made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    for split, rows in (("train", 4), ("dev", 2)):
        (folder / f"{split}.tsv").write_text("".join(f"so good {i}\t17\tid{split}{i}\n" for i in range(rows)))
    return folder


def test_names_stay_names_and_paths_become_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    made(tmp_path / "mine")
    assert [new_run.data_setting(x) for x in ("sample", "goemotions", "other")] == ["sample", "goemotions", "other"]
    assert new_run.data_setting("mine") == str(tmp_path / "mine") == new_run.data_setting(str(tmp_path / "mine"))
    assert new_run.data_setting("./gone") == str(tmp_path / "gone")


def test_offered_are_the_open_corpus_the_recent_ones_and_the_named(tmp_path: Path) -> None:
    mine, other = str(made(tmp_path / "mine")), str(made(tmp_path / "other"))
    made(paths.corpora_folder() / "fetched")
    found = new_run.corpus_choices(mine, (other, mine, str(tmp_path / "gone")))
    assert [value for value, _, _ in found] == [mine, other, "sample", "fetched"]
    assert {value: rows for value, _, rows in found}["fetched"] == "4 train · 2 dev"
    assert [value for value, _, _ in new_run.corpus_choices()] == ["sample", "fetched"]


def test_a_corpus_is_looked_at_as_the_start_does(tmp_path: Path) -> None:
    assert new_run.look_at_corpus(str(made(tmp_path / "mine"))).text == "4 train · 2 dev"
    gone = new_run.look_at_corpus(str(tmp_path / "gone"))
    assert not gone.text and "no corpus at" in gone.wrong
    (tmp_path / "odd").mkdir()
    assert "does not say" in new_run.look_at_corpus(str(tmp_path / "odd")).wrong


def test_a_long_path_is_told_by_its_end() -> None:
    assert new_run.short_path("/tmp/mine") == "/tmp/mine"
    assert new_run.short_path("/home/somebody/corpora/mine") == "…/corpora/mine"
    assert new_run.short_path("goemotions") == "goemotions"
