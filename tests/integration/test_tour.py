"""The tour and its pictures: the script that draws them runs on a fresh home, and text and pictures fit together."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.conftest import ROOT

DOCS = ROOT / "docs"
SCRIPT = DOCS / "screenshots.py"
ELSEWHERE = re.compile(r"(?<![\w~.])/(?:root|home|tmp|work|Users|var)\b")


def names() -> list[str]:
    """What the script says that it draws."""
    found = re.search(r"^NAMES = \((.*?)\)", SCRIPT.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    assert found is not None
    return re.findall(r'"(\w+)"', found[1])


def shown(file: Path) -> str:
    """The text of a picture."""
    return "".join(ElementTree.fromstring(file.read_text("utf-8")).itertext()).replace("\xa0", " ")


def referred(file: Path) -> set[str]:
    return {Path(path).name for path in re.findall(r"!\[[^\]]+\]\(([^)]+\.svg)\)", file.read_text("utf-8"))}


def test_the_tour_shows_every_picture_and_none_that_is_not_there() -> None:
    there = {path.name for path in DOCS.glob("*.svg")}
    assert referred(DOCS / "tour.md") == there == {f"{name}.svg" for name in names()}
    assert referred(ROOT / "README.md") <= there
    assert "docs/tour.md" in (ROOT / "README.md").read_text("utf-8")


@pytest.mark.parametrize("file", sorted(DOCS.glob("*.svg")), ids=lambda path: path.stem)
def test_no_picture_tells_where_it_was_made(file: Path) -> None:
    text = shown(file)
    assert not ELSEWHERE.search(text), ELSEWHERE.search(text)
    assert file.stat().st_size < 250_000


@pytest.mark.timeout(900)
def test_the_script_draws_all_of_them_on_a_fresh_home(tmp_path: Path, goemo_home: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--quick", str(tmp_path / "drawn")],
        env={**os.environ, "GOEMO_HOME": str(goemo_home)}, cwd=ROOT, capture_output=True, text=True, timeout=880,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    drawn = {path.stem: path for path in (tmp_path / "drawn").iterdir()}
    assert sorted(drawn) == sorted(names())
    assert not (goemo_home / "runs").exists(), "it trains in a home of its own"
    text = {name: shown(path) for name, path in drawn.items()}
    assert "1,120 of 1,120" in text["data"] and "label:joy" in text["filter"]
    assert "running" in text["train"] and "finished" in text["finished"] and "support" in text["evaluation"]
    assert "Settings that differ" in text["compare"] and "excited" in text["inspect"]
    assert not any(ELSEWHERE.search(words) for words in text.values())
