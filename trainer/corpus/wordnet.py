"""Makes the table of synonyms that ships in `data/wordnet` from WordNet's database: `python -m trainer.corpus.wordnet`.

Run once, by whoever changes what a good synonym is; nothing else imports it. The table keeps WordNet's licence.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from trainer.errors import NotFoundError

FILES = {"n": "noun", "v": "verb", "a": "adj", "r": "adv"}
_KINDS = {"1": "n", "2": "v", "3": "a", "4": "r", "5": "a"}

ONE_KIND, ONE_SENSE = 0.7, 0.5
"""A word is taken where so large a share of its uses are of one part of speech, and of these in one sense."""

LEFT_ALONE = frozenset(
    # what steers a sentence, what is mostly part of a fixed phrase, and what WordNet's most frequent sense is not
    # what people who write comments mean
    """not but about too after before down up out off over under own being someone somebody person kind sort said away mind
    lots non then than however ain like just very so well now here there still even much many most more less least no
    never none nothing neither nor without hardly barely scarcely seldom rarely man men god gal het min works mode terms
    mom dad only little small despite ass asshole bastard toilet john fanny privy pic live extra whatever whatsoever inside
    fellow lad mac mack potato murphy controller accountant curious queer peculiar red reddish crimson green greenish yellow
    yellowish brown brownish grey gray greyish blue purple mobile nomadic injury trauma despatch partner spouse faith
    percent percentage chocolate cocoa serial console supporter protagonist creep group grouping print ref defender pit
    print trust police constabulary bottom underside movie fault error save collection social societal
    boyfriend beau cross battle engagement mixed miscellaneous honest honorable criminal crook therapist healer golden gilded
    mix fuse tend incline aged elderly satire slayer endowment talent extreme utmost swear curse earth globe
    cognition metropolis city health wellness used building girl missy harry ness clutch embrace encompass leaning conquer
    product merchandise sport athletics engineering technology instead alternatively hail acclaim effect consequence
    finally eventually job occupation chief main grief heartbreak highly ironic wry gag""".split()  # noqa: SIM905
)


@dataclass
class Database:
    """WordNet's files: which senses a word has, the most frequent first, and how often each was seen in tagged texts.

    `senses[word, kind]`: keys of `members`. `counts[word, kind][number of the sense, from 1]`. `irregular[form]`: what
    it is a form of. Kinds are n, v, a and r.
    """

    senses: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    members: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    counts: dict[tuple[str, str], dict[int, int]] = field(default_factory=lambda: defaultdict(dict))
    irregular: dict[str, set[tuple[str, str]]] = field(default_factory=lambda: defaultdict(set))

    def seen(self, word: str, kind: str | None = None) -> int:
        """How often a word was seen, as one kind or at all."""
        return sum(sum(self.counts.get((word, k), {}).values()) for k in (kind or "nvar"))

    def bases(self, form: str) -> set[tuple[str, str]]:
        """The words, and their kinds, that `form` may be an inflected form of."""
        found = {(base, kind) for base, kind in self.irregular.get(form, ()) if base != form}
        for kind, endings in _ENDINGS.items():
            for ending, instead in endings:
                base = form[: -len(ending)] + instead
                if form.endswith(ending) and (base, kind) in self.senses:
                    found.add((base, kind))
        return found

    def forms(self, word: str, kind: str) -> dict[str, str]:
        """Name of a form -> the regular form; what WordNet lists as irregular is left out, doubled letters are known."""
        own = {form for form, bases in self.irregular.items() if (word, kind) in bases and form != word}
        if kind == "n":
            return {} if own else {"s": _with_s(word)}
        if kind != "v":
            return {}
        stem = word[:-1] if word.endswith("e") and not word.endswith(("ee", "oe", "ye")) else word
        doubled = sorted(form for form in own if form.endswith("ing"))
        made = {"s": _with_s(word), "ing": doubled[0] if doubled else f"{stem}ing"}
        if not own - set(doubled):
            made["ed"] = f"{word}d" if word.endswith("e") else f"{_y_to_i(word)}ed"
        elif all(form.endswith("ed") for form in own - set(doubled)):
            made["ed"] = min(own - set(doubled))
        return made


_ENDINGS = {
    "n": (("s", ""), ("ses", "s"), ("xes", "x"), ("zes", "z"), ("ches", "ch"), ("shes", "sh"), ("ies", "y")),
    "v": (("s", ""), ("ies", "y"), ("es", "e"), ("es", ""), ("ed", "e"), ("ed", ""), ("ing", "e"), ("ing", "")),
    "a": (("er", ""), ("est", ""), ("er", "e"), ("est", "e")),
}


def _y_to_i(word: str) -> str:
    return word[:-1] + "i" if word.endswith("y") and word[-2:-1] not in "aeiou" else word


def _with_s(word: str) -> str:
    changed = _y_to_i(word)
    return changed + ("es" if changed != word or word.endswith(("s", "x", "z", "ch", "sh")) else "s")


def read_database(folder: Path) -> Database:
    """Read WordNet 3.0's files (see its manual pages wndb and cntlist). Raises NotFoundError that names a package."""
    if not (folder / "data.noun").is_file():
        raise NotFoundError(f"{folder} holds no WordNet: install Debian's wordnet-base, or name another folder")
    found = Database()
    for line in _lines(folder / "cntlist.rev"):
        key, number, count = line.split()
        word, _, rest = key.partition("%")
        found.counts[word, _KINDS[rest[0]]][int(number)] = int(count)
    for kind, name in FILES.items():
        for line in _lines(folder / f"data.{name}"):
            parts = line.split()
            words = parts[4 : 4 + 2 * int(parts[3], 16) : 2]
            found.members[kind, parts[0]] = [word.partition("(")[0] for word in words]
        for line in _lines(folder / f"index.{name}"):
            parts = line.split()
            found.senses[parts[0], kind] = parts[-int(parts[2]) :]
        for line in _lines(folder / f"{name}.exc"):
            form, *bases = line.split()
            found.irregular[form] |= {(base, kind) for base in bases}
    return found


def _lines(file: Path) -> Iterator[str]:
    """The lines of a file without its licence, which is indented."""
    return (line for line in file.read_text("latin-1").splitlines() if not line.startswith(" "))


def table(words: Database, common: frozenset[str]) -> dict[str, list[str]]:
    """Form -> synonyms in the same form, sorted. Words outside `common` are neither replaced nor put in.

    A pair counts where both words have the same meaning nearly whenever they are used.
    """
    same: dict[tuple[str, str], list[str]] = defaultdict(list)
    for word in sorted({word for word, _ in words.senses}):
        meaning = _meaning(words, word)
        if meaning and word in common and _fit(words, word) and word in words.members[meaning]:
            same[meaning].append(word)
    found: dict[str, list[str]] = {}
    inflected: dict[str, list[list[str]]] = defaultdict(list)
    for (kind, _), group in sorted(same.items()):
        forms = {word: words.forms(word, kind) for word in group} if len(group) > 1 else {}
        for word, own in forms.items():
            found[word] = [other for other in group if other != word]
            for name, form in own.items():
                others = [forms[other][name] for other in group if other != word and name in forms[other]]
                others = [other for other in others if other in common]
                if others and form in common and words.seen(form) <= words.seen(word, kind) / 2:
                    inflected[form].append(others)
    for form, lists in inflected.items():
        if len(lists) == 1 and form not in LEFT_ALONE:  # not the form of two words
            found.setdefault(form, lists[0])
    return dict(sorted(found.items()))


def _fit(words: Database, word: str) -> bool:
    """Whether a word is in lower case, of three letters at least, no form of a commoner word, and not left alone."""
    if len(word) < 3 or not (word.isascii() and word.isalpha()) or word in LEFT_ALONE:
        return False
    return all(words.seen(base, kind) + 0.5 < words.seen(word) for base, kind in words.bases(word))


def _meaning(words: Database, word: str) -> tuple[str, str] | None:
    """The one meaning that a word nearly always has, or None."""
    kinds = [kind for kind in FILES if (word, kind) in words.senses]
    in_all = words.seen(word)
    kind = max(kinds, key=lambda k: words.seen(word, k))
    senses = words.senses[word, kind]
    if not in_all:  # never seen: only what has hardly another meaning
        return (kind, senses[0]) if len(kinds) == 1 and len(senses) <= 2 else None
    as_kind = words.seen(word, kind)
    if as_kind < ONE_KIND * in_all or words.counts[word, kind].get(1, 0) < ONE_SENSE * as_kind:
        return None
    return kind, senses[0]


def main() -> None:
    """Print the table."""
    from trainer.encoders import find_encoder

    parser = argparse.ArgumentParser(prog="python -m trainer.corpus.wordnet", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=Path("/usr/share/wordnet"), help="WordNet's files")
    vocabulary = (find_encoder("minilm").folder / "vocab.txt").read_text("utf-8").split("\n")
    words = read_database(parser.parse_args().folder)
    print("# word, its synonyms; made by python -m trainer.corpus.wordnet from WordNet 3.0. Licence: LICENSE beside it")
    for word, others in table(words, frozenset(vocabulary)).items():
        print(f"{word}\t{' '.join(others)}")


if __name__ == "__main__":
    main()
