"""Which rows the form for a training has, in which order, and what each offers before anything was looked up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from goemo_tui.services import offers
from goemo_tui.services.new_run import AS_SET, Draft
from goemo_tui.services.offers import NONE
from goemo_tui.widgets.setting_row import Choice, SettingRow
from trainer.config import RECIPES, SETTINGS

ADVANCED = tuple(key for key, setting in SETTINGS.items() if setting.group == "advanced")

KEYS = (
    "^s checks and starts, ^e measures the time, ^y copies the command, ^r puts the usual value back, F5 all of them, "
    "F6 goes to Start"
)
"""What the form's own keys do, for the help page."""


def first_rows(draft: Draft) -> Iterator[SettingRow]:
    """Where it starts from, the simple settings, when it starts, and where it is mirrored to."""
    texts, like = draft.texts, draft.like.run_id if draft.like else NONE
    yield _own("like", like, choices_of(offers.like_choices((), like)))
    corpora = [Choice(name, offers.short_path(name)) for name in dict.fromkeys((texts["data"], "sample"))]
    yield SettingRow("data", texts["data"], SETTINGS["data"].help, corpora, "folder or file …", KEYS)
    encoders = [Choice("minilm"), Choice("distilbert")]
    yield SettingRow("encoder", texts["encoder"], "", encoders, "folder or Hub name …", KEYS)
    yield _own("recipe", draft.recipe, [Choice(name, note=about) for name, about in RECIPES.items()])
    for key, setting in SETTINGS.items():
        if setting.group == "simple":
            yield _row(key, draft)
    yield _own("start", draft.start, choices_of(offers.start_choices((), (), draft.start)))
    yield _own("track", draft.track, [Choice(AS_SET, "as set")], "several, with commas …")


def advanced_rows(draft: Draft) -> list[SettingRow]:
    """The other settings."""
    return [_row(key, draft) for key in ADVANCED]


def choices_of(found: Sequence[tuple[str, str, str]]) -> list[Choice]:
    """(value, label, note) as a row takes them."""
    return [Choice(value, label, note) for value, label, note in found]


def _row(key: str, draft: Draft) -> SettingRow:
    found = [Choice("auto")] if key == "device" else [Choice(name) for name in SETTINGS[key].choices]
    note = offers.explanation(key)
    return SettingRow(key, draft.texts[key], note, found, about=f"{note}. {KEYS}")


def _own(key: str, value: str, found: Sequence[Choice], other: str = "") -> SettingRow:
    """A row that is no setting of its own."""
    return SettingRow(key, value, "", found, other, about=KEYS)
