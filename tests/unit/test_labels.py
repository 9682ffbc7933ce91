"""The label lists against the published facts about them, and label files of every kind."""

from __future__ import annotations

from pathlib import Path

import pytest

from trainer.errors import ConfigError, CorpusError
from trainer.labels import (
    ALPHABETICAL,
    ARABIC,
    EKMAN,
    EMOTIONS,
    OFFICIAL,
    SENTIMENT,
    LabelSet,
    from_names,
    names_of_model,
    read_label_file,
)


def label_file(folder: Path, content: str | bytes) -> Path:
    path = folder / "emotions.txt"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_the_official_ids() -> None:
    assert len(EMOTIONS) == len(set(EMOTIONS)) == 28
    known = {"admiration": 0, "anger": 2, "joy": 17, "optimism": 20, "sadness": 25, "surprise": 26, "neutral": 27}
    assert {name: EMOTIONS.index(name) for name in known} == known
    # alphabetical but for neutral, which stands last; read alphabetically, eight names change their id
    assert sorted(EMOTIONS[:-1]) == list(EMOTIONS[:-1])
    assert [name for i, name in enumerate(EMOTIONS) if ALPHABETICAL[i] != name] == [
        "optimism", "pride", "realization", "relief", "remorse", "sadness", "surprise", "neutral",
    ]  # fmt: skip


@pytest.mark.corpus
def test_the_official_list_is_the_published_file(goemotions: Path) -> None:
    assert tuple((goemotions / "emotions.txt").read_text("utf-8").split()) == EMOTIONS


def test_groups_cover_every_emotion_once() -> None:
    for groups in (EKMAN, SENTIMENT):
        members = [name for group in groups.values() for name in group]
        assert sorted(members) == sorted(EMOTIONS)
    assert {group: len(members) for group, members in EKMAN.items()} == {
        "anger": 3, "disgust": 1, "fear": 2, "joy": 12, "sadness": 5, "surprise": 4, "neutral": 1,
    }  # fmt: skip
    assert {group: len(members) for group, members in SENTIMENT.items()} == {
        "positive": 12, "negative": 11, "ambiguous": 4, "neutral": 1,
    }  # fmt: skip
    assert "confusion" in EKMAN["surprise"] and "remorse" in EKMAN["sadness"] and "pride" in SENTIMENT["positive"]


def test_arabic_names() -> None:
    assert set(ARABIC) == set(EMOTIONS)
    assert len(set(ARABIC.values())) == 28
    assert (ARABIC["neutral"], ARABIC["joy"], ARABIC["grief"]) == ("محايد", "فرح", "حزن شديد")


def test_label_set() -> None:
    assert OFFICIAL.official and OFFICIAL.neutral == 27
    own = LabelSet(("happy", "sad", "neutral"))
    assert not own.official and own.neutral == 2 and len(own) == 3
    assert own.multi_hot((0, 2)) == [1, 0, 1]
    assert LabelSet(("happy",)).neutral is None
    with pytest.raises(CorpusError, match="happy"):
        LabelSet(("happy", "sad", "happy"))


def test_grouping() -> None:
    same, ids = OFFICIAL.grouped("emotions")
    assert same is OFFICIAL and ids == tuple(range(28))
    ekman, group_of = OFFICIAL.grouped("ekman")
    assert ekman.names == tuple(EKMAN)
    assert ekman.names[group_of[EMOTIONS.index("curiosity")]] == "surprise"
    assert ekman.names[group_of[27]] == "neutral"
    with pytest.raises(ConfigError) as error:
        OFFICIAL.grouped("colours")
    assert error.value.key == "taxonomy"
    with pytest.raises(ConfigError, match="sleepy"):
        LabelSet(("joy", "sleepy")).grouped("ekman")


def test_an_official_label_file_says_nothing(tmp_path: Path) -> None:
    found = read_label_file(label_file(tmp_path, "\n".join(EMOTIONS) + "\n"))
    assert found.labels == OFFICIAL and found.ids_to == tuple(range(28)) and found.warnings == ()


def test_an_alphabetical_label_file_is_mapped_by_name_and_said(tmp_path: Path) -> None:
    found = read_label_file(label_file(tmp_path, "\n".join(ALPHABETICAL)))
    assert found.labels == OFFICIAL
    assert found.ids_to[20] == 27 and found.ids_to[27] == EMOTIONS.index("surprise")
    assert [EMOTIONS[i] for i in found.ids_to] == list(ALPHABETICAL)
    assert len(found.warnings) == 1 and "alphabetically" in found.warnings[0] and "20" in found.warnings[0]


def test_any_order_of_the_28_is_mapped_by_name(tmp_path: Path) -> None:
    turned = EMOTIONS[::-1]
    found = read_label_file(label_file(tmp_path, "\r\n".join(name.upper() + " " for name in turned)))
    assert found.labels == OFFICIAL and found.warnings == ()
    assert [EMOTIONS[i] for i in found.ids_to] == list(turned)


def test_names_of_ones_own(tmp_path: Path) -> None:
    found = read_label_file(label_file(tmp_path, b"\xef\xbb\xbfVery Happy\n[b]Sad[/b]\n\x1b[31mred\n"))
    assert found.labels.names == ("Very Happy", "[b]Sad[/b]", "\x1b[31mred")
    assert found.ids_to == (0, 1, 2) and found.warnings == ()
    assert read_label_file(label_file(tmp_path, "Joy\nanger\n")).labels.names == ("joy", "anger")


def test_only_a_line_feed_ends_a_name(tmp_path: Path) -> None:
    names = ("one\u2028two", "three\x85four", "five\x0bsix")
    assert read_label_file(label_file(tmp_path, "\n".join(names))).labels.names == names


def test_a_blank_line_between_names_is_said(tmp_path: Path) -> None:
    found = read_label_file(label_file(tmp_path, "happy\n\nsad\n\n\n"))
    assert found.labels.names == ("happy", "sad")
    assert len(found.warnings) == 1 and "line 2 is blank" in found.warnings[0]


def test_labels_called_by_numbers_are_said(tmp_path: Path) -> None:
    assert read_label_file(label_file(tmp_path, "0\n1\n2\n")).warnings == ()
    (warning,) = read_label_file(label_file(tmp_path, "1\n2\n3\n")).warnings
    assert "numbers" in warning and "counted from 0" in warning


@pytest.mark.parametrize("content", [b"", b"\n \n", b"joy\xff\n", b"sad\nhappy\nsad\n", "joy\n".encode("utf-16")])
def test_an_unusable_label_file(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(CorpusError, match=r"emotions\.txt"):
        read_label_file(label_file(tmp_path, content))


def test_a_missing_label_file(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"labels\.txt cannot be read"):
        read_label_file(tmp_path / "labels.txt")


def test_from_names_says_where() -> None:
    with pytest.raises(CorpusError, match="here names no label"):
        from_names([], "here")
    with pytest.raises(CorpusError, match=r"here: .*joy"):
        from_names(["joy", "joy"], "here")


def test_names_of_a_saved_model() -> None:
    nameless, (warning,) = names_of_model({i: f"LABEL_{i}" for i in range(28)})
    assert nameless == EMOTIONS and "official" in warning
    three, (warning,) = names_of_model({i: f"LABEL_{i}" for i in range(3)})
    assert three == ("LABEL_0", "LABEL_1", "LABEL_2") and "3 outputs" in warning
    assert names_of_model(dict(reversed(list(enumerate(EMOTIONS))))) == (EMOTIONS, ())
    kept, (warning,) = names_of_model(dict(enumerate(ALPHABETICAL)))
    assert kept == ALPHABETICAL and "alphabetically" in warning
