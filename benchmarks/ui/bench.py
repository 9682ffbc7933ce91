"""What the parts of the measurement share: a home with a model, a large corpus, how often and how long to look."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from benchmarks.screen import Screen

FIRST = "Inspect"
"""Stands in the header, and so in the first frame."""


@dataclass(frozen=True)
class Bench:
    """`home` keeps a model; `starts` says how often to start, `seconds` how long to watch; `real` adds a real training."""

    home: Path
    corpus: Path
    starts: int
    seconds: float
    real: bool = False

    @contextmanager
    def screen(self, *arguments: str, **options: object) -> Iterator[Screen]:
        """The app in a home that holds the runs and remembers nothing of the last time."""
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
            (Path(home) / "runs").symlink_to(self.home.absolute() / "runs")
            with Screen("--home", home, *arguments, **options) as screen:  # type: ignore[arg-type]
                yield screen

    @contextmanager
    def empty(self, *arguments: str, **options: object) -> Iterator[Screen]:
        """The app in a home that holds nothing, and is removed afterwards."""
        with (
            tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home,
            Screen("--home", home, *arguments, **options) as screen,  # type: ignore[arg-type]
        ):
            yield screen

    @cached_property
    def texts(self) -> list[str]:
        """The comments of the train split, in file order."""
        lines = (self.corpus / "train.tsv").read_text("utf-8").split("\n")
        return [line.partition("\t")[0] for line in lines if "\t" in line]

    @property
    def total(self) -> str:
        """How many there are, as screens write it."""
        return f"{len(self.texts):,}"

    @property
    def page(self) -> tuple[str, str]:
        """Patterns of the first page: its count, and its first comment."""
        return f"{self.total} of {self.total}", beginning(self.texts[0])

    @property
    def few(self) -> int:
        """Repeats of what takes long."""
        return max(1, self.starts // 2)

    @property
    def rest(self) -> float:
        """Seconds without a key after which an app counts as idle."""
        return min(6.0, 3 * self.seconds)


def beginning(text: str) -> str:
    """A pattern for the first few letters of a comment, as far as they are drawn as they stand."""
    found = re.match(r"[ -~]{0,16}", text)
    return re.escape(found.group().strip() if found else "")


def to_prompt(screen: Screen) -> None:
    """Go to Inspect and wait until its field takes letters."""
    screen.press("f3")
    screen.arrives("type a sentence", seconds=30)
