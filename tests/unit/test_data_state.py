"""What the Data screen keeps between starts: it comes back whole, and rubbish in the file counts as nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from goemo_tui.services.data_state import LOWEST, TALLEST, DataState, read_back

KEPT: dict[str, Any] = {
    "path": "/c", "split": "dev", "filter": "label:joy", "sorting": [3, True], "view": "counts", "detail": False,
    "detail_height": 14, "widths": [7, 30, None], "history": ["love"], "export": "/x/rows.csv",
}  # fmt: skip
WHOLE = DataState("/c", "dev", "label:joy", (3, True), "counts", False, 14, (7, 30, None), ("love",), "/x/rows.csv")


def test_what_was_kept_comes_back() -> None:
    assert read_back(json.loads(json.dumps(KEPT)), 4) == WHOLE


def test_nothing_kept_is_the_beginning() -> None:
    assert read_back({}, 4) == DataState()


@pytest.mark.parametrize(
    "name, value",
    [
        ("path", 3), ("path", "a\0b"), ("path", "x" * 5000), ("split", ["dev"]), ("filter", None), ("filter", "x" * 5000),
        ("sorting", [4, True]), ("sorting", [-1, True]), ("sorting", [True, True]), ("sorting", [1, 1]), ("sorting", [1]),
        ("sorting", "1"), ("view", {}), ("detail_height", LOWEST - 1), ("detail_height", TALLEST + 1),
        ("detail_height", True), ("widths", 3), ("history", "love"), ("export", 1),
    ],
)  # fmt: skip
def test_a_value_that_cannot_be_is_left_out_and_the_rest_stays(name: str, value: object) -> None:
    found = read_back({**KEPT, name: value}, 4)
    assert getattr(found, name) == getattr(DataState(), name)
    others = [other for other in KEPT if other != name]
    assert [getattr(found, other) for other in others] == [getattr(WHOLE, other) for other in others]


def test_a_filter_out_of_a_file_is_cleaned() -> None:
    assert read_back({"filter": "a\x1b[2Jb"}, 4).filter == "a␛[2Jb"


def test_another_corpus_begins_anew_with_the_screen_as_it_was() -> None:
    assert WHOLE.elsewhere("/d") == DataState(
        path="/d", detail=False, detail_height=14, widths=(7, 30, None), history=("love",), export="/x/rows.csv"
    )
