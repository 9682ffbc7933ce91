"""How far a worker is before its first step, and what augmentation added: told in the log, the run's line and its page."""

from __future__ import annotations

from typing import Any

from goemo_tui.services.run_log import event_words
from trainer.runs.snapshot import Story


def event(seq: int, kind: str, **fields: Any) -> dict[str, Any]:
    return {"v": 1, "seq": seq, "kind": kind, "wall": float(seq), "mono": float(seq), **fields}


def test_what_it_is_at_is_known_until_the_first_step_is_due() -> None:
    story = Story()
    assert story.fold([]).preparing == ""
    far = event(1, "preparing", text="translating there: 64 of 900 comments")
    assert story.fold([far]).preparing == "translating there: 64 of 900 comments" == event_words(far)
    assert story.fold([event(2, "warning", text="odd")]).preparing
    assert story.fold([event(3, "started", steps=3, epochs=1)]).preparing == ""


def test_the_log_tells_how_many_rows_are_new() -> None:
    rows = {"train": 1680, "dev": 280}
    started = event(1, "started", steps=9, device="cpu", rows=rows, augmented={"synonyms": 60, "deletion": 500})
    assert "1,680 train, 280 dev rows (560 of train made by augmentation), 9 steps" in event_words(started)
    assert "augmentation" not in event_words(event(1, "started", steps=9, device="cpu", rows=rows))
