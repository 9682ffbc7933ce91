"""Tokens that were kept are the tokens of these texts, and no others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer

from trainer import paths
from trainer.corpus import token_cache
from trainer.corpus.token_cache import tokenized
from trainer.corpus.tokens import TokenArrays, load_tokenizer, tokenize

TEXTS = [f"comment {n} says so much" for n in range(50)]


@pytest.fixture
def tokenizer(minilm: Path, monkeypatch: pytest.MonkeyPatch) -> Tokenizer:
    monkeypatch.setattr(token_cache, "FEWEST", 10)
    return load_tokenizer(minilm)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many texts were tokenized, each time."""
    counts = list[int]()

    def counted(texts: list[str], *more: object) -> TokenArrays:
        counts.append(len(texts))
        return tokenize(texts, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(token_cache, "tokenize", counted)
    return counts


def same(one: TokenArrays, other: TokenArrays) -> bool:
    return np.array_equal(one.ids, other.ids) and np.array_equal(one.offsets, other.offsets)


def files() -> list[Path]:
    folder = paths.cache_folder() / "tokens"
    return sorted(folder.iterdir()) if folder.exists() else []


def test_the_second_time_nothing_is_tokenized(tokenizer: Tokenizer, asked: list[int]) -> None:
    first = tokenized(TEXTS, tokenizer, 128)
    second = tokenized(TEXTS, tokenizer, 128)
    assert asked == [50] and same(first, second) and same(first, tokenize(TEXTS, tokenizer, 128))
    assert [f.stat().st_mode & 0o777 for f in files()] == [0o600]


def test_whatever_it_depends_on_makes_it_anew(tokenizer: Tokenizer, asked: list[int], minilm: Path) -> None:
    tokenized(TEXTS, tokenizer, 128)
    tokenized(TEXTS, tokenizer, 5)
    tokenized([*TEXTS[:-1], "another"], tokenizer, 128)
    tokenized([TEXTS[0] + TEXTS[1], *TEXTS[2:]], tokenizer, 128)
    own = load_tokenizer(minilm)
    own.add_tokens(["comment"])
    tokenized(TEXTS, own, 128)
    assert asked == [50, 50, 50, 49, 50]


@pytest.mark.parametrize("damage", ["cut", "empty", "other"])
def test_a_damaged_file_is_made_again(damage: str, tokenizer: Tokenizer, asked: list[int]) -> None:
    first = tokenized(TEXTS, tokenizer, 128)
    (file,) = files()
    if damage == "other":
        tokenized(TEXTS[:20], tokenizer, 128)
        (other,) = set(files()) - {file}
        file.write_bytes(other.read_bytes())
    else:
        file.write_bytes(file.read_bytes()[:-100] if damage == "cut" else b"")
    before = len(asked)
    assert same(tokenized(TEXTS, tokenizer, 128), first) and len(asked) == before + 1
    assert same(tokenized(TEXTS, tokenizer, 128), first) and len(asked) == before + 1


def test_few_texts_and_a_cache_that_takes_nothing(tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(tokenized(TEXTS[:9], tokenizer, 128)) == 9 and not files()
    (paths.cache_folder().parent).mkdir(parents=True)
    paths.cache_folder().write_text("a file where a folder should be")
    assert len(tokenized(TEXTS, tokenizer, 128)) == 50


def test_the_least_lately_used_go(tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(token_cache, "KEPT", 2)
    for length in (10, 20, 30):
        tokenized(TEXTS, tokenizer, length)
    assert len(files()) == 2
