"""What a folder holds for somebody who looks for a corpus, and why a path cannot be opened. Runs in threads.

Plain data out; nothing is drawn. Reads names and sizes, never what is in a file.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from trainer.corpus.read import EXTENSIONS

NAMED = ("sample", "goemotions")
"""Names that always mean the same corpus, whatever lies in the folder."""


@dataclass(frozen=True)
class Child:
    """A folder, or a file in one of the formats that are read; `size` in bytes, 0 for a folder."""

    name: str
    folder: bool
    size: int = 0


@dataclass(frozen=True)
class Listing:
    """A folder's children, folders first, by name. `others` files are of no format that is read; hidden ones count in
    neither. `error` says why there is nothing."""

    folder: Path
    children: tuple[Child, ...] = ()
    others: int = 0
    error: str = ""

    @property
    def files(self) -> tuple[str, ...]:
        """Names of the files that can be read."""
        return tuple(child.name for child in self.children if not child.folder)


def scan(folder: Path, hidden: bool = False) -> Listing:
    """What is in `folder`. A folder that cannot be read has an `error`; a child that cannot be looked at is left out.

    Links are followed one step at a time, so that a loop of links is a folder like any other.
    """
    children: list[Child] = []
    others = 0
    try:
        with os.scandir(folder) as found:
            for entry in found:
                if not hidden and entry.name.startswith("."):
                    continue
                try:
                    if entry.is_dir():
                        children.append(Child(entry.name, True))
                    elif Path(entry.name).suffix.lower() in EXTENSIONS:
                        children.append(Child(entry.name, False, entry.stat().st_size))
                    else:
                        others += 1
                except OSError:  # a link to nowhere or to itself
                    others += 1
    except OSError as error:
        return Listing(folder, error=f"{folder} cannot be read: {error.strerror or error}")
    children.sort(key=lambda child: (not child.folder, child.name.lower(), child.name))
    return Listing(folder, tuple(children), others)


def real(folder: Path) -> Path:
    """The folder without links and `..` in its path, so that going round in a loop of links makes no longer paths."""
    return Path(os.path.realpath(folder))


def meant(answer: str, base: Path) -> str:
    """What `load_corpus` takes for what was typed: a name of a corpus, else an absolute path.

    A relative path is looked for in `base` (the folder in sight), then where the program was started.
    """
    from trainer.paths import corpora_folder, expanded, nobody

    answer = answer.strip()
    if not answer or "\0" in answer or answer in NAMED or nobody(answer):
        return answer
    try:
        path = expanded(answer)
        if path.is_absolute():
            return str(path)
        if (base / path).exists():
            return str(real(base / path))
        if not path.exists() and Path(answer).name == answer and (corpora_folder() / answer).is_dir():
            return answer
        return str(path.absolute())
    except OSError:  # a name too long for the system
        return answer


def complaint_about(answer: str) -> str:
    """Why `answer` cannot be opened, or nothing. Known names are `sample` and what was downloaded."""
    from trainer.paths import corpora_folder, expanded, nobody

    if not answer.strip():
        return "type the path of a folder or file, or choose one below"
    if "\0" in answer:
        return "no path holds such a character"
    try:
        if answer in NAMED or (corpora_folder() / Path(answer).name == corpora_folder() / answer):
            if answer == "sample" or (corpora_folder() / answer).is_dir():
                return ""
            if answer == "goemotions":
                return "not downloaded yet: Esc, then d fetches it"
        if name := nobody(answer):
            return f"nobody here is called {name}: write the path out"
        path = expanded(answer)
        if not path.exists():
            return "no such folder or file: look for it in the list, or type another path"
        if path.is_dir():
            with os.scandir(path) as found:
                there = any(Path(entry.name).suffix.lower() in EXTENSIONS for entry in found)
            return "" if there else f"no {', '.join(EXTENSIONS)} file in this folder"
    except OSError as error:
        return f"cannot be read: {error.strerror or error}"
    return (
        "" if path.suffix.lower() in EXTENSIONS else f"a corpus is a folder or a file ending in {', '.join(EXTENSIONS)}"
    )


def completion(value: str, base: Path) -> str | None:
    """`value` completed to the first folder or readable file that begins so, or nothing."""
    head, slash, begun = value.rpartition("/")
    if "\0" in value or not (slash or begun):
        return None
    from trainer.paths import expanded

    folder = base / expanded(f"{head}/" if slash else "")
    found = scan(folder, hidden=begun.startswith("."))
    for child in found.children:
        if child.name.startswith(begun) and child.name.isprintable():
            return f"{head}{slash}{child.name}{'/' if child.folder else ''}"
    return None
