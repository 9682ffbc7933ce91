"""The countable part of what the sample corpus promises."""

from __future__ import annotations

import re
from collections import Counter, defaultdict

import pytest

from trainer.corpus import load_corpus
from trainer.labels import EMOTIONS, OFFICIAL
from trainer.paths import shipped


@pytest.fixture(scope="module")
def rows() -> list[tuple[str, str, tuple[int, ...]]]:
    """(split, text, label ids) of every comment."""
    corpus = load_corpus("sample")
    return [(name, text, ids) for name, s in corpus.splits.items() for text, ids in zip(s.text, s.labels, strict=True)]


def words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9']+", text.lower())


def test_it_loads_without_a_problem_in_the_official_layout() -> None:
    corpus = load_corpus("sample")
    assert {name: len(s.text) for name, s in corpus.splits.items()} == {"train": 1120, "dev": 280, "test": 280}
    assert not corpus.problems and not corpus.warnings
    assert corpus.labels == OFFICIAL
    ids = [i for s in corpus.splits.values() for i in s.ids]
    assert len(set(ids)) == len(ids)
    assert (shipped() / "emotions.txt").read_text().split() == list(EMOTIONS)


def test_every_emotion_stands_often_enough_in_each_split(rows: list[tuple[str, str, tuple[int, ...]]]) -> None:
    counts = Counter((split, k) for split, _, ids in rows for k in ids)
    for split, least in (("train", 40), ("dev", 10), ("test", 10)):
        assert min(counts[split, k] for k in range(28)) >= least


def test_enough_comments_carry_several_labels(rows: list[tuple[str, str, tuple[int, ...]]]) -> None:
    for split in ("train", "dev", "test"):
        own = [ids for s, _, ids in rows if s == split]
        assert sum(len(ids) > 1 for ids in own) >= 0.15 * len(own)


def test_no_six_words_in_a_row_are_shared_and_no_text_stands_twice(
    rows: list[tuple[str, str, tuple[int, ...]]],
) -> None:
    seen: dict[tuple[str, ...], set[int]] = defaultdict(set)
    for number, (_, text, _) in enumerate(rows):
        w = words(text)
        for i in range(len(w) - 5):
            seen[tuple(w[i : i + 6])].add(number)
    assert not [" ".join(gram) for gram, where in seen.items() if len(where) > 1]
    assert len({" ".join(words(t)) or t for _, t, _ in rows}) == len(rows)


def test_the_vocabulary_is_rich_and_lengths_vary(rows: list[tuple[str, str, tuple[int, ...]]]) -> None:
    assert len({w for _, text, _ in rows for w in words(text)}) >= 3000
    lengths = [len(words(text)) for _, text, _ in rows]
    assert sum(n <= 4 for n in lengths) > 50
    assert sum(n >= 25 for n in lengths) > 100
    assert sum(any(ord(c) >= 0x1F300 for c in text) for _, text, _ in rows) > 50


@pytest.mark.corpus
def test_no_comment_is_one_of_goemotions(rows: list[tuple[str, str, tuple[int, ...]]], goemotions: object) -> None:
    real = load_corpus(str(goemotions))
    theirs = {" ".join(words(text)) for s in real.splits.values() for text in s.text}
    assert not [t for _, t, _ in rows if " ".join(words(t)) in theirs]


def test_no_two_comments_say_the_same(rows: list[tuple[str, str, tuple[int, ...]]], minilm: object) -> None:
    """Cosine of the bundled encoder's mean-pooled sentence vectors, below .9 for every pair."""
    from pathlib import Path

    import torch
    from transformers import AutoModel

    from trainer.corpus.tokens import load_tokenizer, tokenize
    from trainer.model.classifier import padded

    folder = Path(str(minilm))
    model = AutoModel.from_pretrained(folder, local_files_only=True).eval()
    tokens = tokenize([text for _, text, _ in rows], load_tokenizer(folder), 128)
    order = tokens.lengths.argsort()
    vectors = torch.zeros(len(rows), 384)
    with torch.inference_mode():
        for i in range(0, len(order), 64):
            ids, mask = padded(tokens, order[i : i + 64], 0)
            hidden = model(input_ids=ids, attention_mask=mask).last_hidden_state
            vectors[order[i : i + 64].copy()] = (hidden * mask.unsqueeze(-1)).sum(1) / mask.sum(1, keepdim=True)
    vectors = torch.nn.functional.normalize(vectors, dim=1)
    alike = (vectors @ vectors.T).fill_diagonal_(0)
    assert float(alike.max()) < 0.9
