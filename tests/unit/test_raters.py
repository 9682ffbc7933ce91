"""Soft labels from rater-level files: shares of raters, by label and by group; broken files end in a clear error."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from trainer.corpus import raters
from trainer.corpus.raters import FILES, fingerprint, read_shares, soften
from trainer.errors import ConfigError
from trainer.labels import EMOTIONS, OFFICIAL

HEAD = ["text", "id", "author", "subreddit", "link_id", "parent_id", "created_utc", "rater_id", "example_very_unclear"]


def rating(comment: str, *labels: str, unclear: bool = False, text: str = 'so, "so"\nsad') -> list[str]:
    head = [text, comment, "Some_User", "all", "t3_x", "t1_x", "1548381039.0", "37", str(unclear)]
    return head + ["1" if name in labels else "0" for name in EMOTIONS]


def write(folder: Path, rows: list[list[str]], head: list[str] | None = None) -> Path:
    """The rows divided among the three files."""
    folder.mkdir(exist_ok=True)
    for k, name in enumerate(FILES):
        with (folder / name).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([head or [*HEAD, *EMOTIONS], *rows[k::3]])
    return folder


def test_the_share_of_raters_for_each_label(tmp_path: Path) -> None:
    folder = write(tmp_path / "raters", [
        rating("a", "joy"), rating("a", "joy", "love"), rating("a", "neutral"), rating("a", unclear=True),
        rating("b", unclear=True), rating("c", "anger"),
    ])  # fmt: skip
    shares = read_shares(folder, EMOTIONS)
    assert set(shares.rows) == {"a", "c"} and shares.values.dtype == np.float32
    assert shares.raters[shares.rows["a"]] == 3
    a = dict(zip(EMOTIONS, shares.values[shares.rows["a"]], strict=True))
    assert {name: round(float(v), 3) for name, v in a.items() if v} == {"joy": 0.667, "love": 0.333, "neutral": 0.333}
    truth = np.zeros((3, 28), dtype=np.float32)
    truth[:, 27] = 1
    soft, known = soften(truth, ["c", "b", "a"], shares)
    assert known == 2 and soft[0, EMOTIONS.index("anger")] == 1 and soft[0, 27] == 0
    assert soft[1, 27] == 1  # nobody found it clear: its own labels stand
    assert truth[0, 27] == 1


def test_a_rater_speaks_once_for_a_group(tmp_path: Path) -> None:
    folder = write(tmp_path / "raters", [rating("a", "joy", "love"), rating("a", "anger")])
    groups, group_of = OFFICIAL.grouped("sentiment")
    shares = read_shares(folder, EMOTIONS, group_of)
    said = dict(zip(groups.names, shares.values[0], strict=True))
    assert (said["positive"], said["negative"]) == (0.5, 0.5)


def test_no_name_of_a_user_is_kept(tmp_path: Path) -> None:
    assert "Some_User" not in repr(read_shares(write(tmp_path / "raters", [rating("a", "joy")]), EMOTIONS))


def test_missing_files_are_named_with_their_address(tmp_path: Path) -> None:
    folder = write(tmp_path / "raters", [rating("a", "joy")])
    (folder / FILES[1]).unlink()
    with pytest.raises(ConfigError, match=r"goemotions_2\.csv.*full_dataset") as caught:
        read_shares(folder, EMOTIONS)
    assert caught.value.key == "rater_labels"
    with pytest.raises(ConfigError, match=r"goemotions_1\.csv, goemotions_2\.csv, goemotions_3\.csv"):
        fingerprint(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("rows", "head", "what"),
    [
        ([[*rating("a", "joy")[:-1], "maybe"]], None, r"goemotions_1\.csv:\d+: 'maybe' is neither 0 nor 1"),
        ([rating("a", "joy")[:-2]], None, r"35 cells, but 37 columns"),
        ([], ["text", "labels"], r"has no column id, example_very_unclear, admiration and 27 more"),
    ],
)
def test_a_broken_file_is_an_error_with_file_and_line(
    tmp_path: Path, rows: list[list[str]], head: list[str] | None, what: str
) -> None:
    with pytest.raises(ConfigError, match=what):
        read_shares(write(tmp_path / "raters", rows, head), EMOTIONS)


def test_no_csv_at_all(tmp_path: Path) -> None:
    folder = write(tmp_path / "raters", [])
    (folder / FILES[0]).write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="no CSV file in UTF-8"):
        read_shares(folder, EMOTIONS)
    assert raters.NONE == "none"


def test_the_fingerprint_follows_the_files(tmp_path: Path) -> None:
    folder = write(tmp_path / "raters", [rating("a", "joy")])
    before = fingerprint(folder)
    assert before == fingerprint(str(folder))
    with (folder / FILES[2]).open("a") as file:
        file.write("\n")
    assert fingerprint(folder) != before
