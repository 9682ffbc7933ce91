"""No test writes where the person who runs it has runs of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from trainer.paths import home


def test_what_a_test_takes_back_does_not_lead_it_to_another_home(
    monkeypatch: pytest.MonkeyPatch, goemo_home: Path
) -> None:
    monkeypatch.setenv("SOMETHING", "else")
    monkeypatch.undo()
    assert home() == goemo_home
