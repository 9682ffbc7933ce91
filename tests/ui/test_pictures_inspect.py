"""Pictures of Inspect and its dialogs, held against the accepted ones in tests/pictures."""

from __future__ import annotations

import pytest
from textual import events

from goemo_tui.screens.inspect import InspectScreen
from tests.ui.gallery import Studio, opened
from tests.ui.gallery import studio as studio
from tests.ui.picture_runs import finished
from trainer.encoders import find_encoder

SENTENCE = "I'm so excited about this! But also a bit nervous..."


@pytest.fixture(autouse=True)
def tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    """The child's model reads as the bundled encoder does."""
    monkeypatch.setenv("CHILD_MODEL_PATH", str(find_encoder("minilm").folder))


async def test_a_sentence(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    async with opened(studio, "inspect", None, monkeypatch) as (app, pilot):
        await studio.take(pilot, "inspect-empty", "brave-finch", "Type a sentence")
        place = app.screen
        assert isinstance(place, InspectScreen)
        for sentence in ("The bus was late again.", "Grandma's plum cake, at last", SENTENCE):
            place.ask(sentence)
            await studio.until(pilot, lambda s=sentence: place.readings.a.fits(s))  # type: ignore[misc]
            await pilot.press("enter")
        await studio.take(pilot, "inspect", "excitement", "87%", "Grandma")
        await pilot.press("escape", "down")
        await studio.take(pilot, "inspect-bars", "87%")
        await pilot.press("right_square_bracket")
        await studio.take(pilot, "inspect-threshold", "87%")
        await pilot.press("T", "t")
        await studio.take(pilot, "inspect-pick-threshold", "hreshold")
        await pilot.press("escape")
        place._second("calm-otter")
        await studio.take(pilot, "inspect-two", "calm-otter", "42%", "65%")
        await pilot.press("b", "i")
        await studio.take(pilot, "inspect-batch-empty")
        app.post_message(events.Paste("What a day\nI never asked for this\nThe lift smiles at me"))
        await studio.take(pilot, "inspect-batch", "The lift smiles", "87")


async def test_the_models(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, age, best in (("brave-finch", 5 * 3600.0, 0.531), ("gentle-moth", 2 * 86_400.0, 0.412)):
        run = finished(name, age, best, 1)
        (run.folder / "model").mkdir()
        (run.folder / "model" / "config.json").write_text(
            '{"model_type": "bert", "architectures": ["BertForSequenceClassification"]}'
        )
        (run.folder / "model" / "model.safetensors").write_bytes(b"")
    async with opened(studio, "inspect", None, monkeypatch) as (_, pilot):
        await studio.until(pilot, lambda: True)
        await pilot.press("escape", "m")
        await studio.take(pilot, "inspect-models", "gentle-moth")


async def test_no_model_yet(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.ui.gallery.HOW", "empty")
    async with opened(studio, "inspect", None, monkeypatch) as (_, pilot):
        await studio.take(pilot, "inspect-no-model", "No model yet")
