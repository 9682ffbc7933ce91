"""A corpus as large as GoEmotions for machines that do not have it: the same sizes, made-up words, always the same."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

from trainer.labels import EMOTIONS

ROWS = {"train": 43_410, "dev": 5_426, "test": 5_427}
TYPED = ("love", "thank you", "excited", "because", "really nice", "what")
"""What the measurement of the filter types; every corpus has it."""

ROOT = Path(__file__).parent.parent
_BEGINNINGS = [
    "th",
    "an",
    "re",
    "in",
    "er",
    "on",
    "st",
    "be",
    "lo",
    "fe",
    "ha",
    "so",
    "wh",
    "no",
    "yo",
    "ma",
    "pe",
    "tr",
    "gr",
    "ex",
]
_ENDINGS = ["e", "ing", "ed", "ly", "es", "er", "ion", "ank", "ove", "ate", "ot", "ally", "ere", "ist", "ough", "ame"]


def real_corpus() -> Path | None:
    """The folder of the real files: GOEMO_TEST_CORPUS, or beside the checkout."""
    folder = Path(os.environ.get("GOEMO_TEST_CORPUS", ROOT.parent / "shared" / "goemotions"))
    return folder if (folder / "train.tsv").is_file() else None


def make_corpus(folder: Path, seed: int = 0, share: float = 1.0) -> Path:
    """Write three splits of ROWS rows, or a share of them, into `folder` and return it: 3 to 30 words a row, one to
    three labels.
    """
    chance = random.Random(seed)
    words = list(TYPED)
    words += [begin + middle + end for begin in _BEGINNINGS for middle in _BEGINNINGS[:7] for end in _ENDINGS]
    weights = [400 / (n + 3) for n in range(len(words))]
    folder.mkdir(parents=True, exist_ok=True)
    for name, all_rows in ROWS.items():
        rows = max(1, int(all_rows * share))
        text = chance.choices(words, weights, k=rows * 14)
        (folder / f"{name}.tsv").write_text("".join(_rows(name, rows, text, chance)), encoding="utf-8")
    return folder


def _rows(name: str, rows: int, words: list[str], chance: random.Random) -> Iterator[str]:
    at = 0
    for row in range(rows):
        many = min(30, max(3, int(chance.gauss(13, 6))))
        text = " ".join(words[(at + n) % len(words)] for n in range(many))
        at += many
        labels = sorted({min(27, int(chance.triangular(0, 28, 27))) for _ in range(chance.choice((1, 1, 1, 1, 2, 3)))})
        yield f"{text.capitalize()} {EMOTIONS[labels[0]]}.\t{','.join(map(str, labels))}\t{name[0]}{row:06d}\n"
