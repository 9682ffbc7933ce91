"""The emotions and their groupings: the one place where the 28 are written down.

A label set belongs to a corpus and travels with run and model. The ids of the official corpus follow `EMOTIONS`,
where `neutral` is the last; several write-ups list the names alphabetically, which silently renames eight of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from trainer.errors import ConfigError, CorpusError

EMOTIONS: tuple[str, ...] = (
    "admiration", "amusement", "anger", "annoyance", "approval", "caring", "confusion", "curiosity", "desire",
    "disappointment", "disapproval", "disgust", "embarrassment", "excitement", "fear", "gratitude", "grief", "joy",
    "love", "nervousness", "optimism", "pride", "realization", "relief", "remorse", "sadness", "surprise", "neutral",
)  # fmt: skip
"""The 28 labels of GoEmotions in the order of the official ids (Demszky et al., ACL 2020)."""

ALPHABETICAL: tuple[str, ...] = tuple(sorted(EMOTIONS))
"""The same names as many notebooks list them: `neutral` at 20, and every id from there on means another emotion."""

ARABIC: dict[str, str] = {
    "admiration": "إعجاب", "amusement": "تسلية", "anger": "غضب", "annoyance": "انزعاج", "approval": "موافقة",
    "caring": "اهتمام", "confusion": "ارتباك", "curiosity": "فضول", "desire": "رغبة", "disappointment": "خيبة أمل",
    "disapproval": "رفض", "disgust": "اشمئزاز", "embarrassment": "إحراج", "excitement": "حماس", "fear": "خوف",
    "gratitude": "امتنان", "grief": "حزن شديد", "joy": "فرح", "love": "حب", "nervousness": "توتر",
    "neutral": "محايد", "optimism": "تفاؤل", "pride": "فخر", "realization": "إدراك", "relief": "ارتياح",
    "remorse": "ندم", "sadness": "حزن", "surprise": "مفاجأة",
}  # fmt: skip

EKMAN: dict[str, tuple[str, ...]] = {
    "anger": ("anger", "annoyance", "disapproval"),
    "disgust": ("disgust",),
    "fear": ("fear", "nervousness"),
    "joy": (
        "admiration", "amusement", "approval", "caring", "desire", "excitement", "gratitude", "joy", "love",
        "optimism", "pride", "relief",
    ),
    "sadness": ("sadness", "disappointment", "embarrassment", "grief", "remorse"),
    "surprise": ("surprise", "realization", "confusion", "curiosity"),
    "neutral": ("neutral",),
}  # fmt: skip
"""Ekman's six basic emotions as the corpus's authors group the 28, with neutral apart."""

SENTIMENT: dict[str, tuple[str, ...]] = {
    "positive": EKMAN["joy"],
    "negative": EKMAN["anger"] + EKMAN["disgust"] + EKMAN["fear"] + EKMAN["sadness"],
    "ambiguous": EKMAN["surprise"],
    "neutral": ("neutral",),
}

TAXONOMIES: dict[str, dict[str, tuple[str, ...]] | None] = {"emotions": None, "ekman": EKMAN, "sentiment": SENTIMENT}
"""Values of the setting `taxonomy`; None keeps the corpus's own labels."""

ALPHABETICAL_WARNING = (
    "the labels are listed alphabetically (neutral at 20), but the official ids have neutral last (27): "
    "read with the wrong order, eight emotions from optimism to surprise are silently renamed"
)


@dataclass(frozen=True)
class LabelSet:
    """Names in id order. `names[i]` is what id `i` means."""

    names: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(set(self.names)) != len(self.names):
            twice = sorted({n for n in self.names if self.names.count(n) > 1})
            raise CorpusError(f"label names must differ, but these stand twice: {', '.join(twice)}")

    def __len__(self) -> int:
        return len(self.names)

    @property
    def official(self) -> bool:
        """True for the 28 in the official order."""
        return self.names == EMOTIONS

    @property
    def neutral(self) -> int | None:
        """The id of `neutral`, or None where the set has no such name."""
        return self.names.index("neutral") if "neutral" in self.names else None

    def index(self) -> dict[str, int]:
        """Name -> id."""
        return {name: i for i, name in enumerate(self.names)}

    def multi_hot(self, ids: Iterable[int]) -> list[int]:
        """One 0 or 1 for each label, 1 at each of `ids`."""
        chosen = set(ids)
        return [int(i in chosen) for i in range(len(self.names))]

    def grouped(self, taxonomy: str) -> tuple[LabelSet, tuple[int, ...]]:
        """The label set under `taxonomy`, and for each of this set's ids the id of its group.

        Raises ConfigError for an unknown taxonomy, or for a grouping that does not know one of the names.
        """
        if taxonomy not in TAXONOMIES:
            raise ConfigError(f"taxonomy = {taxonomy!r}: choose one of {', '.join(TAXONOMIES)}", key="taxonomy")
        groups = TAXONOMIES[taxonomy]
        if groups is None:
            return self, tuple(range(len(self)))
        group_of = {name: i for i, members in enumerate(groups.values()) for name in members}
        foreign = [n for n in self.names if n not in group_of]
        if foreign:
            raise ConfigError(
                f"taxonomy = {taxonomy!r} groups the 28 emotions only, and this corpus has labels of its own "
                f"({', '.join(foreign[:5])}): use taxonomy=emotions",
                key="taxonomy",
            )
        return LabelSet(tuple(groups)), tuple(group_of[n] for n in self.names)


OFFICIAL = LabelSet(EMOTIONS)


@dataclass(frozen=True)
class LabelFile:
    """A corpus's own `emotions.txt` or `labels.txt`.

    `ids_to[i]` is the id in `labels` of what the file's line i names (the corpus's rows count by the file's lines).
    """

    labels: LabelSet
    ids_to: tuple[int, ...]
    warnings: tuple[str, ...] = ()


def from_names(names: Sequence[str], where: str) -> LabelFile:
    """Map names in file order to a label set: the official order where they are the 28, else a set of their own.

    `where` names the source in messages. Raises CorpusError for no name or a name that stands twice.
    """
    found = tuple(names)
    if not found:
        raise CorpusError(f"{where} names no label: write one name a line, in the order of the ids")
    try:
        own = LabelSet(found)
    except CorpusError as error:
        raise CorpusError(f"{where}: {error}") from None
    if set(found) == set(EMOTIONS):
        warnings = (f"{where}: {ALPHABETICAL_WARNING}",) if found == ALPHABETICAL else ()
        official = OFFICIAL.index()
        return LabelFile(OFFICIAL, tuple(official[name] for name in found), warnings)
    return LabelFile(own, tuple(range(len(found))))


def read_label_file(path: Path) -> LabelFile:
    """Read one name a line (blank lines are skipped, case and blanks at the ends do not matter for the 28).

    Only a line feed ends a line, as in the corpus's own files. Raises CorpusError where the file cannot be read as
    UTF-8 text, names nothing or names something twice.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise CorpusError(f"{path} cannot be read as a list of label names: {error}") from None
    lines = [line.strip() for line in text.rstrip().split("\n")]
    names = [line for line in lines if line]
    lowered = [n.lower() for n in names]
    found = from_names(lowered if set(lowered) <= set(EMOTIONS) else names, path.name)
    warnings = list(found.warnings)
    if len(lines) > len(names):
        warnings.append(f"{path.name}: line {lines.index('') + 1} is blank; ids count the names, not the lines")
    numbers = [name for i, name in enumerate(names) if name.isascii() and name.isdigit() and name != str(i)]
    if numbers:
        warnings.append(
            f"{path.name}: labels are called by numbers ({', '.join(numbers[:3])}); a number in a row is taken as an "
            "id, counted from 0 in the order of the file"
        )
    return replace(found, warnings=tuple(warnings))


def names_of_model(id2label: dict[int, str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Label names of a saved model in id order, and warnings about them.

    A model that was saved without names (`LABEL_0` …) gets the official ones if it has 28 outputs, and keeps
    `LABEL_n` otherwise; an alphabetical order is kept, since it is what the model learned, but said.
    """
    names = tuple(id2label[i] for i in sorted(id2label))
    if all(name == f"LABEL_{i}" for i, name in enumerate(names)):
        if len(names) == len(EMOTIONS):
            return EMOTIONS, ("the model names its outputs LABEL_0 …: taken as the official 28 in their order",)
        return names, (f"the model names its {len(names)} outputs LABEL_0 … and says nothing about their meaning",)
    if names == ALPHABETICAL:
        return names, (f"the model's labels: {ALPHABETICAL_WARNING}",)
    return names, ()
