"""`because` and `like` under the bars: the words that speak for the selected emotion, and the nearest training comments.

How strongly a word speaks is said by a sign and capitals, and by colour. Takes the rows it is given, never more.
"""

from __future__ import annotations

from rich.cells import cell_len, set_cell_size

from goemo_tui.language import label, word
from goemo_tui.right_to_left import APART, present
from goemo_tui.safe_text import cells, clean
from goemo_tui.services.explaining import Explaining
from goemo_tui.services.why import Because, Like, Neighbour, marked
from goemo_tui.widgets.lines import Lines, Row, Span, row_width
from goemo_tui.wording import count

HEAD = 12
"""Cells of `  because   `."""

MOST = {False: 3, True: 5}
"""Rows on a low screen and on a high one."""

BARS = 4
"""Rows that stay the bars' in any case."""

_STYLES = {2: "why--for-strong", 1: "why--for", 0: "why--word", -1: "why--against", -2: "why--against-strong"}


class WhyLines(Lines):
    """`show` draws what is known; `fit_into` takes rows of what there is."""

    COMPONENT_CLASSES = {
        "why--head", "why--word", "why--for", "why--for-strong", "why--against", "why--against-strong", "why--quiet",
        "why--label", "why--note",
    }  # fmt: skip
    DEFAULT_CSS = """
    WhyLines { height: 3; width: 1fr; display: none; }
    WhyLines > .why--head { color: $quiet; text-style: bold; }
    WhyLines > .why--for-strong { color: $success; text-style: bold underline; }
    WhyLines > .why--for { color: $success; }
    WhyLines > .why--against { color: $warning; }
    WhyLines > .why--against-strong { color: $warning; text-style: bold; }
    WhyLines > .why--quiet { color: $quiet; }
    WhyLines > .why--label { color: $primary; }
    WhyLines > .why--note { color: $warning; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._because: Because | None = None
        self._like: Like | None = None
        self._trouble = ""
        self._mark = ""
        self._named = ""

    def fit_into(self, height: int, tall: bool, wanted: bool) -> None:
        """Take rows at the end of `height` rows, as many as leave the bars theirs; none where nothing is `wanted`."""
        rows = min(MOST[tall], height - BARS) if wanted else 0
        seen = rows > 1
        if self.display is not seen:
            self.display = seen
        if seen and (self.styles.height is None or self.styles.height.value != rows):
            self.styles.height = rows

    def show(self, explaining: Explaining, mark: str = "") -> int:
        """Draw this; `mark` names the model where there are two."""
        self._because, self._like, self._trouble = explaining.because, explaining.like, explaining.trouble
        self._mark = mark
        # the first bar's is plain to see; one that was chosen may stand far below
        of = explaining.because.emotion if explaining.because is not None else ""
        self._named = f"{label(of)}: " if of and of == explaining.chosen else ""
        return self.redraw()

    def rows(self, width: int, height: int) -> list[Row]:
        """The words first, the comments in the rows that they leave."""
        room = max(8, width - HEAD)
        if self._trouble:
            return [(self._head(word("because")), (cells(f"✗ {self._trouble}", room), "why--note"))]
        named = cells(self._named, room // 2)
        words = word_rows(self._because, room - cell_len(named), max(1, height - 1 if height < 4 else height // 2))
        if named:
            words[0] = ((named, "why--label"), _apart(named, words[0]), *words[0])
        comments = like_rows(self._like, room, height - len(words))
        heads = [word("because"), *[""] * (len(words) - 1), word("like"), *[""] * (len(comments) - 1)]
        drawn = zip(heads, [*words, *comments], strict=True)
        return [(self._head(head), _apart(self._mark, row), *row) for head, row in drawn][:height]

    def _head(self, text: str) -> Span:
        named = f"{text} {self._mark}" if text and self._mark else text
        return (f"  {set_cell_size(named, HEAD - 2)}", "why--head")


def _apart(before: str, after: Row | str) -> Span:
    """Sets what is read from right to left apart from what stands one blank before it; else nothing."""
    text = after if isinstance(after, str) else "".join(part for part, _ in after)
    return (APART if before and present(before + text) else "", "")


def word_rows(because: Because | None, width: int, most: int) -> list[Row]:
    """The words in at most `most` rows; of a longer text those around the strongest word."""
    if because is None:
        return [()]
    rows: list[list[Span]] = [[]]
    levels: list[int] = [0]
    for text, level in marked(because):
        piece = cells(text, width)
        if rows[-1] and row_width(tuple(rows[-1])) + 1 + cell_len(piece) > width:
            rows.append([])
            levels.append(0)
        if rows[-1]:
            rows[-1].append((" ", ""))
        rows[-1].append((piece, _STYLES[level]))
        levels[-1] = max(levels[-1], level)
    unread = word("{n} more words are not read").format(n=count(because.unread)) if because.unread else ""
    if unread:
        if row_width(tuple(rows[-1])) + 2 + cell_len(unread) > width:
            rows.append([])
            levels.append(0)
        rows[-1] += (
            [("  ", ""), (cells(unread, width), "why--note")] if rows[-1] else [(cells(unread, width), "why--note")]
        )
    if len(rows) > most:
        strongest = levels.index(max(levels))
        first = max(0, min(strongest - most // 2, len(rows) - most))
        last = first + most
        cut = [tuple(row) for row in rows[first:last]]
        return [
            _open(row, i == 0 and first > 0, i == most - 1 and last < len(rows), width) for i, row in enumerate(cut)
        ]
    return [tuple(row) for row in rows]


def _open(row: Row, before: bool, after: bool, width: int) -> Row:
    """A row with dots where the text goes on."""
    row = (("… ", "why--quiet"), *row) if before else row
    if not after:
        return row
    while row and row_width(row) + 2 > width:
        row = row[:-1]
    return (*row, (" …", "why--quiet"))


def like_rows(like: Like | None, width: int, most: int) -> list[Row]:
    """A comment a row, or where there is one row only, as many as find room in it."""
    if like is None:
        return [()]
    if like.indexing:
        said = word("indexing {done} of {of} training comments …" if like.of else "reading the training comments …")
        return [((cells(said.format(done=count(like.done), of=count(like.of)), width), "why--quiet"),)]
    if not like.rows:
        return [((word("no training comment"), "why--quiet"),)]
    if most < 2:
        note = f"{_short(like.note)}: " if like.note else ""
        half = (width - cell_len(note) - 5) // 2
        pair = like.rows[:2] if half >= 24 else like.rows[:1]
        each = half if len(pair) > 1 else width - cell_len(note)
        spans: list[Span] = [(note, "why--note")] if note else []
        for i, near in enumerate(pair):
            comment = _comment(near, each, row=False)
            spans += [("  ·  ", "why--quiet")] if i else [_apart(note, comment)]
            spans += comment
        return [tuple(spans)]
    rows: list[Row] = [_comment(near, width, row=True) for near in like.rows[: most - 1 if like.note else most]]
    if like.note:
        rows.append(((cells(_note(like.note), width), "why--note"),))
    return rows


_OF_OTHER = "of {name}: what the model was trained on is not at hand"


def _note(note: str) -> str:
    """What the child says of the corpus, in the language of the screen."""
    before, after = _OF_OTHER.split("{name}")
    if note.startswith(before) and note.endswith(after):
        return word(_OF_OTHER).format(name=note.removeprefix(before).removesuffix(after))
    return word(note)


def _short(note: str) -> str:
    return word("sample only" if "sample" in note else "other corpus")


def _comment(near: Neighbour, width: int, row: bool) -> Row:
    """The text in quotes, its labels, and in a row of its own how similar it is."""
    same = word("same") if near.same else ""
    how = set_cell_size(same or f"{near.similarity:.2f}".removeprefix("0"), 6) if row else f"{same} " if same else ""
    named = cells(" ".join(label(name) for name in near.labels), max(8, width // 3))
    room = max(4, width - cell_len(how) - cell_len(named) - 4)
    text = clean(near.text)
    quoted = f'"{cells(text, room)}"'
    return ((how, "why--quiet"), _apart(how, quoted), (quoted, "why--word"), ("  ", ""), (named, "why--label"))
