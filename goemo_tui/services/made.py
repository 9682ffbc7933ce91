"""What the cheap ways of augmentation make of one comment, word by word: which words are new, and which were left out.

Pure; safe in a thread. Knows no widget.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher

from trainer.corpus.augment import CHEAP, versions_of

EACH = 3
"""New versions that are shown of each method, where there are so many."""


@dataclass(frozen=True)
class Version:
    """A new version of a comment. `pieces`: its text in order, each with whether it is new. `gone`: what it lost."""

    method: str
    pieces: tuple[tuple[str, bool], ...]
    gone: tuple[str, ...]

    @property
    def text(self) -> str:
        """The new comment."""
        return "".join(piece for piece, _ in self.pieces)


def made_of(text: str, seed: int = 0) -> tuple[Version, ...]:
    """New versions of a comment, method by method."""
    return tuple(_version(method, text, new) for method, new in versions_of(text, tuple(CHEAP), seed, EACH))


def _version(method: str, before: str, after: str) -> Version:
    old, new = (re.findall(r"\w+|\s+|[^\w\s]", text) for text in (before, after))
    pieces: list[tuple[str, bool]] = []
    gone: list[str] = []
    for what, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if c < d:
            pieces.append(("".join(new[c:d]), what != "equal"))
        if what in ("delete", "replace") and (left := "".join(old[a:b]).strip()):
            gone.append(left)
    return Version(method, tuple(pieces), tuple(gone))
