"""New comments from those that are there: synonyms put in, words left out, or a translation there and back.

Pure functions of (texts, labels, seed): which comments get a new version, rare emotions first, and what it says. What
marks an emotion or turns a sentence round is never touched. Knows no file but the table of synonyms, and no model.
"""

from __future__ import annotations

import heapq
import random
import re
import unicodedata
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from trainer import paths
from trainer.corpus.interrupt import Cancelled

VERSIONS = 4
"""New versions of one comment at most: more would teach its words rather than its emotion."""

REPLACED, LEFT_OUT = 0.2, 0.1
"""Share of a comment's words that are replaced, or left out; one at least."""

LEAST_WORDS = 4
"""A comment with fewer words is not shortened: each of them may be what it is about."""

NEGATIONS = frozenset(
    """no not never none nothing nobody nowhere neither nor without hardly barely scarcely cannot cant dont doesnt didnt
    isnt arent wasnt werent wont wouldnt couldnt shouldnt hasnt havent hadnt aint nope nah
    لا لم لن ليس ليست ما غير بدون بلا""".split()  # noqa: SIM905
)

# What is one thing and no word: [NAME], /s, a link, r/aww, u/somebody, @somebody, #tag.
_MARK = re.compile(r"\[[^\[\]\n]{1,40}\]|https?://\S+|(?<!\S)/?[ru]/\S+|(?<!\S)/\w+|[@#]\w+")
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_NUMBER = re.compile(r"\d+")
_SOUND = re.compile(r"(?:^|\s)([Aa]n?)\s+$")


@dataclass(frozen=True)
class Made:
    """A new comment: `origin` is the row it was made of, whose labels it has; `method` is how."""

    origin: int
    text: str
    method: str


Method = Callable[[str, random.Random], str]
Translate = Callable[[Sequence[str]], list[str]]
"""Each text there and back, in the same order."""


@dataclass(frozen=True)
class Word:
    """A word of a comment that may be changed: `text[start:end]`."""

    start: int
    end: int
    text: str


def words(text: str) -> list[Word]:
    """The words that may be replaced or left out: no mark such as [NAME], no number, no emoji, no negation."""
    marks = [match.span() for match in _MARK.finditer(text)]
    found = []
    for match in _WORD.finditer(text):
        start, end = match.span()
        glued = text[max(0, start - 1) : start] + text[end : end + 1]
        if any(c.isalnum() or c in "_'’*<>&=" for c in glued) or any(a < end and start < b for a, b in marks):
            continue
        if not is_negation(match[0]):
            found.append(Word(start, end, match[0]))
    return found


def is_negation(word: str) -> bool:
    """Whether a word turns what is said round: not, never, don't …"""
    plain = word.lower().replace("’", "'")
    return plain in NEGATIONS or plain.endswith("n't")


@cache
def synonym_table() -> dict[str, tuple[str, ...]]:
    """Word in lower case -> the words that may stand in its place (see `trainer.corpus.wordnet`). Some 1,220 of them."""
    lines = (paths.shipped() / "wordnet" / "synonyms.tsv").read_text("utf-8").splitlines()
    pairs = (line.split("\t") for line in lines if line and not line.startswith("#"))
    return {word: tuple(others.split()) for word, others in pairs}


def replace_synonyms(text: str, rng: random.Random) -> str:
    """Some words replaced by a synonym with their capitals, `a` and `an` put right. Unchanged where none is known."""
    table, all_words = synonym_table(), words(text)
    known = [word for word in all_words if word.text.lower() in table]
    count = min(len(known), max(1, round(REPLACED * len(all_words))))
    for word in sorted(rng.sample(known, count), key=lambda w: w.start, reverse=True):
        other = rng.choice(table[word.text.lower()])
        before, after = text[: word.start], text[word.end :]
        text = _article(before, word.text, other) + _like(word.text, other) + after
    return text


def _like(word: str, other: str) -> str:
    """`other` with the capitals of `word`."""
    if len(word) > 1 and word.isupper():
        return other.upper()
    return other.capitalize() if word[0].isupper() else other


def _article(before: str, word: str, other: str) -> str:
    """`before` with its a or an as `other` wants it, unless `word` had it otherwise already."""
    found = _SOUND.search(before)
    if not found or (word[0].lower() in "aeiou") == (other[0] in "aeiou"):
        return before
    article = found[1][0] + ("n" if other[0] in "aeiou" else "")
    return before[: found.start(1)] + article + before[found.end(1) :]


def delete_words(text: str, rng: random.Random) -> str:
    """Some words left out, punctuation kept. Unchanged where too few words would be left."""
    there = words(text)
    if len(there) < LEAST_WORDS:
        return text
    count = max(1, round(LEFT_OUT * len(there)))
    for word in sorted(rng.sample(there, count), key=lambda w: w.start, reverse=True):
        before, after = text[: word.start], text[word.end :]
        if before and before[-1].isspace():
            before = before[:-1]
        else:
            after = after.lstrip(" ")
        if not before and word.text[0].isupper() and after[:1].islower():
            after = after[0].upper() + after[1:]
        text = before + after
    return text if text.strip() else ""


CHEAP: dict[str, Method] = {"synonyms": replace_synonyms, "deletion": delete_words}
"""The methods that need no model: text and random numbers in, text out (the same text where nothing can be done)."""


def kept_marks(text: str) -> Counter[str]:
    """What a new version has to hold as well: marks such as [NAME], numbers, emoji, and whether something is negated."""
    signs = [c for c in text if ord(c) > 0x7F and unicodedata.category(c) in ("So", "Sk", "Sm")]
    found = Counter([*_MARK.findall(text), *_NUMBER.findall(text), *signs])
    if any(is_negation(word) for word in _WORD.findall(text)):
        found["not"] = 1
    return found


def augment(
    texts: Sequence[str],
    labels: Sequence[Sequence[int]],
    methods: Sequence[str],
    count: int,
    seed: int,
    translate: Translate | None = None,
    cancelled: Callable[[], bool] = lambda: False,
) -> list[Made]:
    """`count` new comments, or as many as can be made, no text twice. The same arguments give the same comments.

    Each goes to a comment of the emotion that has fewest by then. `methods` are drawn evenly; where one can make
    nothing of a comment, the others are tried. `translate` is needed for back_translation: it is called once, and what
    lost a mark, a number, an emoji or a negation on the way is not taken. Raises Cancelled.
    """
    maker = _Maker(texts, tuple(methods), seed)
    for row in _rarest_first(labels, count, seed, maker.make):
        if cancelled():
            raise Cancelled("asked to stop")
        del row
    if maker.waiting:
        if translate is None:
            raise ValueError("back_translation needs a translation")
        maker.take(translate([texts[maker.made[place].origin] for place in maker.waiting]))
    return [made for made in maker.made if made.text]


def _rarest_first(labels: Sequence[Sequence[int]], count: int, seed: int, make: Callable[[int], bool]) -> Iterator[int]:
    """Call `make(row)` on rows until it was true `count` times, and yield these rows.

    Always a row of the label that has fewest rows, new ones included; its rows take turns, in an order drawn by `seed`.
    """
    order = list(range(len(labels)))
    random.Random(f"{seed}:rows").shuffle(order)
    turns: dict[int, deque[int]] = {}
    for row in order:
        for label in set(labels[row]):
            turns.setdefault(label, deque()).append(row)
    have = {label: len(rows) for label, rows in turns.items()}
    left = dict.fromkeys(order, VERSIONS)
    queue = [(number, label) for label, number in have.items()]
    heapq.heapify(queue)
    while queue and count > 0:
        number, label = heapq.heappop(queue)
        if number != have[label]:  # rows of another label carried this one too
            heapq.heappush(queue, (have[label], label))
            continue
        while turns[label]:
            row = turns[label].popleft()
            if left[row] and make(row):
                left[row] -= 1
                turns[label].append(row)
                for each in set(labels[row]):
                    have[each] += 1
                heapq.heappush(queue, (have[label], label))
                count -= 1
                yield row
                break
            left[row] = 0


class _Maker:
    """Makes new versions one after the other; `made` holds them, with an empty text where a translation is awaited."""

    def __init__(self, texts: Sequence[str], methods: tuple[str, ...], seed: int) -> None:
        self.texts, self.methods, self.seed = texts, methods, seed
        self.made: list[Made] = []
        self.waiting: list[int] = []
        self.seen = set(texts)
        self.versions: Counter[int] = Counter()
        self.translated: set[int] = set()

    def make(self, row: int) -> bool:
        """One new version of a row, if there can be one."""
        rng = random.Random(f"{self.seed}:{row}:{self.versions[row]}")
        for method in rng.sample(self.methods, len(self.methods)):
            if method not in CHEAP:
                if row in self.translated:  # which says the same each time
                    continue
                self.translated.add(row)
                self.waiting.append(len(self.made))
                self.made.append(Made(row, "", method))
            elif not self.cheaply(row, method, rng, len(self.made)):
                continue
            self.versions[row] += 1
            return True
        return False

    def cheaply(self, row: int, method: str, rng: random.Random, place: int) -> bool:
        """A version that needs no model, if it is a new one, as number `place`."""
        for _ in range(3):
            text = CHEAP[method](self.texts[row], rng)
            if text and text not in self.seen:
                self.seen.add(text)
                self.made[place : place + 1] = [Made(row, text, method)]
                return True
        return False

    def take(self, texts: Sequence[str]) -> None:
        """The translations, in the order of `waiting`; another method steps in for one that cannot be used."""
        for place, text in zip(self.waiting, texts, strict=True):
            before = self.made[place]
            text = " ".join(text.split())
            if text and text not in self.seen and kept_marks(text) == kept_marks(self.texts[before.origin]):
                self.seen.add(text)
                self.made[place] = Made(before.origin, text, before.method)
                continue
            rng = random.Random(f"{self.seed}:{before.origin}:instead")
            any(self.cheaply(before.origin, method, rng, place) for method in self.methods if method in CHEAP)
        self.waiting = []


def versions_of(text: str, methods: Sequence[str], seed: int, number: int = 1) -> list[tuple[str, str]]:
    """What the methods that need no model make of one text: (method, new text), `number` of each at most, none twice."""
    found: dict[str, str] = {}
    for method in methods:
        rng = random.Random(f"{seed}:{method}")
        made = {CHEAP[method](text, rng): None for _ in range(3 * number)} if method in CHEAP else {}
        fresh = [new for new in made if new and new != text and new not in found]
        found.update(dict.fromkeys(fresh[:number], method))
    return [(method, new) for new, method in found.items()]
