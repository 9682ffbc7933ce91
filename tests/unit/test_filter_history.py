"""The history of filters: newest first, each once, and nothing that a file should not bring back."""

from __future__ import annotations

from goemo_tui.services.filter_history import LONGEST, MOST, added, kept


def test_the_newest_stands_first_and_each_filter_once() -> None:
    history = added(added(added((), "love"), " label:joy "), "love")
    assert history == ("love", "label:joy")


def test_blank_and_endless_lines_are_not_kept() -> None:
    assert added(("a",), "   ") == ("a",)
    assert added(("a",), "x" * (LONGEST + 1)) == ("a",)
    assert added((), "x" * LONGEST) == ("x" * LONGEST,)


def test_what_was_half_typed_gives_way_to_the_whole() -> None:
    assert added(("lov", "sea"), "love you", instead="lov") == ("love you", "sea")
    assert added(("lov", "sea"), "hate", instead="lov") == ("hate", "lov", "sea")


def test_the_oldest_go() -> None:
    history: tuple[str, ...] = ()
    for i in range(MOST + 5):
        history = added(history, f"f{i}")
    assert len(history) == MOST
    assert (history[0], history[-1]) == (f"f{MOST + 4}", "f5")


def test_a_file_brings_back_only_what_can_be_a_filter() -> None:
    assert kept(["love", 3, None, " love ", "\x1b[2Jx", "", "y" * (LONGEST + 1)]) == ("love", "␛[2Jx")
    assert kept("love") == kept(None) == kept({"a": 1}) == ()
    assert len(kept([f"f{i}" for i in range(MOST + 5)])) == MOST
