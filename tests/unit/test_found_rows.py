"""Rows by filter without a screen: which split, which rows, and what is said where that cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from goemo_tui.services import found_rows as module
from goemo_tui.services.corpus_loader import FoundTokenizer
from goemo_tui.services.found_rows import found_rows
from trainer.errors import ConfigError, NotFoundError


@pytest.fixture
def folder(tmp_path: Path) -> str:
    tmp_path.joinpath("train.tsv").write_text("I love it\t18\ta\nso sad\t25\tb\nlove and joy\t17,18\tc\n", "utf-8")
    tmp_path.joinpath("dev.tsv").write_text("fine\t27\td\n", "utf-8")
    return str(tmp_path)


def test_the_first_split_unless_another_is_named(folder: str) -> None:
    found = found_rows(folder, None, "label:love", "minilm")
    assert (found.columns.split.name, found.rows.tolist(), found.note) == ("train", [0, 2], "")
    assert found_rows(folder, "dev", "", "minilm").rows.tolist() == [0]


def test_a_split_that_is_not_there_names_those_that_are(folder: str) -> None:
    with pytest.raises(NotFoundError, match=r"no test split: there are train, dev"):
        found_rows(folder, "test", "", "minilm")


def test_a_corpus_without_a_usable_row_says_who_tells_why(tmp_path: Path) -> None:
    tmp_path.joinpath("train.tsv").write_text("only text\n", "utf-8")
    with pytest.raises(NotFoundError, match="goemo-tui data check"):
        found_rows(str(tmp_path), None, "", "minilm")


@pytest.mark.parametrize("line, said", [("label:nope", "no label is called"), ("/(/", "no regular expression")])
def test_a_line_that_cannot_be_used(folder: str, line: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        found_rows(folder, None, line, "minilm")


def test_what_to_know_about_a_line(folder: str) -> None:
    assert "not closed" in found_rows(folder, None, '"love', "minilm").note


def test_a_tokenizer_is_looked_for_only_where_tokens_are_asked_for(
    folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def find(encoder: str) -> FoundTokenizer:
        asked.append(encoder)
        return FoundTokenizer(None, "install the extra offline")

    monkeypatch.setattr(module, "find_tokenizer", find)
    found_rows(folder, None, "love or sad", "minilm")
    assert asked == []
    with pytest.raises(NotFoundError, match="tokens: cannot be counted: install the extra offline"):
        found_rows(folder, None, "love (tokens:>3 or sad)", "minilm")
    assert asked == ["minilm"]
