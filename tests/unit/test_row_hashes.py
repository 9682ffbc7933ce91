"""Comments known again by their hashes: whatever the file, however many, and whatever a broken file says."""

from __future__ import annotations

import json
from typing import Any

import pytest

from trainer.corpus.row_hashes import RowHashes

TEXTS = [f"comment number {n}" for n in range(1_000)]


def test_texts_are_known_again_and_others_are_not() -> None:
    kept = RowHashes.read(json.loads(json.dumps(RowHashes.of(TEXTS).told())))
    assert kept is not None
    assert kept.known(["  COMMENT  number 7\t", "comment number 7a", "comment number 999"]) == (2, 3)
    assert kept.known([]) == (0, 0)
    assert not any(text in json.dumps(kept.told()) for text in TEXTS)


def test_of_many_rows_the_smallest_hashes_speak_for_all() -> None:
    kept = RowHashes.read(RowHashes.of(TEXTS, most=100).told())
    assert kept is not None and len(kept.hashes) == 100
    known, asked = kept.known(TEXTS)
    assert known == asked == 100
    known, asked = kept.known([*TEXTS[:500], *(f"another {n}" for n in range(500))])
    assert 0 < known < asked < 200, "a share of a share"


@pytest.mark.parametrize(
    "told",
    [
        None,
        7,
        {},
        {"hashes": 7},
        {"hashes": "!"},
        {"hashes": "AAAA"},
        {"hashes": ""},
        {"hashes": "A" * 12, "below": "z"},
    ],
)
def test_what_is_no_table_of_hashes_is_none(told: Any) -> None:
    assert RowHashes.read(told) is None
