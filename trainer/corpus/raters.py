"""What each rater said of a comment, from the rater-level files of GoEmotions: shares of raters as soft labels.

The files hold names of Reddit users. They are neither kept nor shown: of each line only the comment's id, whether it was
unclear to the rater, and the labels are looked at.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trainer.errors import ConfigError
from trainer.paths import expanded

NONE = "none"
"""The setting's value where no soft labels are wanted."""
FILES = ("goemotions_1.csv", "goemotions_2.csv", "goemotions_3.csv")
ADDRESS = "https://storage.googleapis.com/gresearch/goemotions/data/full_dataset/"
UNCLEAR = "example_very_unclear"
YES = frozenset(("1", "true", "1.0"))
NO = frozenset(("0", "false", "0.0", ""))


@dataclass(frozen=True)
class Shares:
    """`values[rows[id]]` (labels,) float32: the share of raters that gave each label to the comment `id`."""

    rows: dict[str, int]
    values: NDArray[np.float32]
    raters: NDArray[np.int64]
    """(comments,): raters that gave an answer."""


def files_in(folder: str | Path) -> list[Path]:
    """The three files of a folder. Raises ConfigError that names what is missing and where it comes from."""
    place = expanded(str(folder)).absolute()
    missing = [name for name in FILES if not (place / name).is_file()]
    if missing:
        raise ConfigError(
            f"rater_labels: {place} holds no {', '.join(missing)}. Fetch {'them' if len(missing) > 1 else 'it'} from "
            f"{ADDRESS}, or leave rater_labels at {NONE}",
            key="rater_labels",
        )
    return [place / name for name in FILES]


def fingerprint(folder: str | Path) -> str:
    """sha256 over the three files: what a run that goes on must find again."""
    found = hashlib.sha256()
    for path in files_in(folder):
        try:
            with path.open("rb") as file:
                while piece := file.read(1 << 20):
                    found.update(piece)
        except OSError as error:
            raise ConfigError(f"{path} cannot be read: {error.strerror or error}", key="rater_labels") from None
    return found.hexdigest()


def read_shares(folder: str | Path, names: Sequence[str], group_of: Sequence[int] | None = None) -> Shares:
    """The shares of raters for each comment in the three files, in the order of the labels `names`.

    `group_of` gives each label's group: a rater speaks for a group by giving one of its labels. Who found a comment
    unclear gave no answer; a comment without any answer is not among the rows. Raises ConfigError, with file and line.
    """
    groups = np.arange(len(names)) if group_of is None else np.asarray(group_of)
    rows: dict[str, int] = {}
    sums: list[NDArray[np.float32]] = []
    raters: list[int] = []
    for path in files_in(folder):
        for comment, said in _ratings(path, names, groups):
            row = rows.setdefault(comment, len(rows))
            if row == len(sums):
                sums.append(said)
                raters.append(1)
            else:
                sums[row] += said
                raters[row] += 1
    number = np.array(raters, dtype=np.int64)
    values = np.stack(sums) / number[:, None] if sums else np.zeros((0, int(groups.max(initial=-1)) + 1))
    return Shares(rows, values.astype(np.float32), number)


def soften(truth: NDArray[np.float32], ids: Sequence[str], shares: Shares) -> tuple[NDArray[np.float32], int]:
    """`truth` (rows, labels) with the raters' shares in place of each row whose id is among them, and how many those are."""
    rows = np.array([shares.rows.get(one, -1) for one in ids], dtype=np.int64)
    known = rows >= 0
    soft = truth.copy()
    soft[known] = shares.values[rows[known]]
    return soft, int(known.sum())


def _ratings(path: Path, names: Sequence[str], groups: NDArray[np.int64]) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Comment id and answer (groups,) of every rating in a file that is one."""
    width = int(groups.max(initial=-1)) + 1
    try:
        with path.open(encoding="utf-8", newline="") as file:
            lines = csv.reader(file)
            head = next(lines, [])
            id_at, unclear_at, label_at = _columns(path, head, names)
            for cells in lines:
                if len(cells) != len(head):
                    raise _wrong(path, lines.line_num, f"{len(cells)} cells, but {len(head)} columns")
                if _yes(cells[unclear_at], path, lines.line_num):
                    continue
                said = np.zeros(width, dtype=np.float32)
                for label, at in enumerate(label_at):
                    if cells[at] != "0" and _yes(cells[at], path, lines.line_num):
                        said[groups[label]] = 1
                if said.any():
                    yield cells[id_at], said
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror or error}", key="rater_labels") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(f"{path} is no CSV file in UTF-8: {error}", key="rater_labels") from None


def _columns(path: Path, head: list[str], names: Sequence[str]) -> tuple[int, int, list[int]]:
    missing = [name for name in ("id", UNCLEAR, *names) if name not in head]
    if missing:
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        raise ConfigError(
            f"{path} has no column {', '.join(missing[:3])}{more}: rater_labels wants the rater-level files of "
            f"GoEmotions ({ADDRESS}) and a corpus with its labels",
            key="rater_labels",
        )
    return head.index("id"), head.index(UNCLEAR), [head.index(name) for name in names]


def _yes(cell: str, path: Path, line: int) -> bool:
    text = cell.strip().lower()
    if text not in YES and text not in NO:
        raise _wrong(path, line, f"{text[:20]!r} is neither 0 nor 1")
    return text in YES


def _wrong(path: Path, line: int, what: str) -> ConfigError:
    return ConfigError(f"{path}:{line}: {what}", key="rater_labels")
