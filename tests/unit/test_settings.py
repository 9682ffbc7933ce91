"""Settings: each has its docstring, its range, and is read from file and environment; what is wrong never stops a start."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from goemo_tui.settings import CHOICES, KEYS, RANGES, Settings, docs, find_settings, read_settings

VALUES: dict[str, object] = {
    "theme": "goemo-fjord",
    "data": "goemotions",
    "model": "calm-otter",
    "encoder": "distilbert",
    "max_length": 128,
    "folder": "/somewhere",
    "language": "ar",
    "bidi": "terminal",
    "signs": "ascii",
    "smoothing": 0.5,
    "update_rate": 4.0,
    "alerts": "bell",
    "track": "tensorboard,mlflow",
    "keys": {"data.filter": "f"},
}
"""One value for each setting that is not its default."""


def written(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)


def file_with(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "settings.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_every_setting_is_tested_here() -> None:
    assert VALUES.keys() == set(KEYS) == {f.name for f in fields(Settings)}


@pytest.mark.parametrize("key", KEYS)
def test_each_has_a_docstring(key: str) -> None:
    assert docs()[key].endswith(".") and len(docs()[key]) > 20
    for choice in CHOICES.get(key, ()):
        assert choice in docs()[key]


@pytest.mark.parametrize("key", [key for key in KEYS if key != "keys"])
def test_each_is_read_from_the_file_and_the_environment_wins(key: str, tmp_path: Path) -> None:
    file = file_with(tmp_path, f"{key} = {written(VALUES[key])}\n")
    found = find_settings(file, {})
    assert getattr(found.settings, key) == VALUES[key] != getattr(Settings(), key)
    assert found.origins[key] == str(file) and not found.warnings
    default = str(getattr(Settings(), key))
    found = find_settings(file, {f"GOEMO_{key.upper()}": default})
    assert getattr(found.settings, key) == getattr(Settings(), key)
    assert found.origins[key] == f"GOEMO_{key.upper()}"


def test_keys_are_a_table_with_or_without_quotes(tmp_path: Path) -> None:
    for name in ('"data.filter"', "data.filter"):
        settings, warnings = read_settings(file_with(tmp_path, f'[keys]\n{name} = "f"\n'), {"GOEMO_KEYS": "x"})
        assert settings.keys == {"data.filter": "f"} and not warnings
    for wrong in ('keys = "x"', "[keys]\n'data.filter' = 1"):
        settings, (warning,) = read_settings(file_with(tmp_path, wrong), {})
        assert not settings.keys and "no table of keys" in warning


@pytest.mark.parametrize("key", RANGES)
def test_each_number_has_its_range(key: str, tmp_path: Path) -> None:
    low, high = RANGES[key]
    for value in (low, high):
        assert not read_settings(file_with(tmp_path, f"{key} = {value:g}"), {})[1]
    for wrong in (low - 1, high + 1, "nan", "inf", "true", '"many"'):
        settings, (warning,) = read_settings(file_with(tmp_path, f"{key} = {wrong}"), {})
        assert getattr(settings, key) == getattr(Settings(), key) and warning.startswith(key), wrong


@pytest.mark.parametrize("key", CHOICES)
def test_each_choice_is_one_of_its_words(key: str, tmp_path: Path) -> None:
    for word in CHOICES[key]:
        assert getattr(read_settings(file_with(tmp_path, f'{key} = "{word}"'), {})[0], key) == word
    settings, (warning,) = read_settings(file_with(tmp_path, f'{key} = "none such"'), {})
    assert getattr(settings, key) == getattr(Settings(), key) and ", ".join(CHOICES[key]) in warning


@pytest.mark.parametrize("text", ["theme = ", "\xff", "[[", "a = 1\n" * 3])
def test_a_broken_file_leaves_the_defaults(text: str, tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_bytes(text.encode("latin-1"))
    settings, warnings = read_settings(file, {})
    assert settings == Settings() and len(warnings) == 1 and str(file) in warnings[0]


def test_a_wrong_variable_leaves_the_files_word(tmp_path: Path) -> None:
    settings, (warning,) = read_settings(file_with(tmp_path, "smoothing = 0.5"), {"GOEMO_SMOOTHING": "much"})
    assert settings.smoothing == 0.5 and warning.startswith("GOEMO_SMOOTHING")


def test_a_folder_in_the_files_place_is_said(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").mkdir()
    settings, (warning,) = read_settings(tmp_path / "settings.toml", {})
    assert settings == Settings() and "cannot be used" in warning
