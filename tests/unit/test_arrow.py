"""Text into Arrow and numbers out of it, letter for letter, also from slices."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from goemo_tui.services.arrow import texts_of, values_of


@settings(deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), max_size=20))
def test_texts_come_back_letter_for_letter(texts: list[str]) -> None:
    assert texts_of(texts).to_pylist() == texts


def test_half_of_a_surrogate_pair_becomes_a_question_mark() -> None:
    assert texts_of(["a\ud800b", "c"]).to_pylist() == ["a?b", "c"]


@settings(deadline=None)
@given(st.lists(st.integers(-(2**31), 2**31 - 1), min_size=1, max_size=30), st.data())
def test_values_of_a_slice(numbers: list[int], data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(numbers)))
    array = pa.array(np.array(numbers, dtype=np.int32)).slice(start)
    assert values_of(array, np.int32).tolist() == numbers[start:]
