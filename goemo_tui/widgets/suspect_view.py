"""Rows whose labels a model most disbelieves, the most doubtful first: given labels, the model's, and what was decided.

Suspects in, rows of spans and stops out, no widget state. One stop is one row, in the order of the ranking.
"""

from __future__ import annotations

from typing import Any

from rich.cells import cell_len

from goemo_tui import language, safe_text, wording
from goemo_tui.services.corpus import SplitColumns
from goemo_tui.services.suspects import WORDS, Doubt, Judged
from goemo_tui.widgets.corpus_views import wrapped
from goemo_tui.widgets.figure import Figure, Stop
from goemo_tui.widgets.lines import Row
from trainer.corpus.decisions import Decision, Verdict

MOST = 1_000
"""Rows that are listed; `goemo-tui data suspects --json --top N` knows them all."""

TITLE = "suspect labels of train"

Drawn = tuple[tuple[Row, Row], str]

_SIGNS: dict[Verdict, str] = {"fine": "✓", "wrong": "✗", "model": "→"}


def nothing(why: str, command: str, width: int) -> Figure:
    """Why there is nothing to show, and the command that finds out."""
    head = wrapped(why, width, "quiet", 4)
    if not command:
        return Figure(TITLE, tuple(head), empty="there is nothing to rank")
    rows = [*head, (("", ""),), *wrapped(safe_text.clean(command), width, "strong", 4)]
    return Figure(
        TITLE, tuple(rows), empty="y copies the command · what it found is here when you come back to this view"
    )


def draw(found: Judged, columns: SplitColumns, width: int, share: float, known: dict[Any, Drawn]) -> Figure:
    """The ranking. `share` of the judged rows, the most doubtful, are what an export leaves out: a line stands below them.

    `known` keeps what was drawn of each row of this ranking, from one time to the next.
    """
    told, about = found.suspects.ranking.told, found.suspects.scores.about
    rows, some, both = (int(told.get(key, 0)) for key in ("rows", "any", "both"))
    unjudged = len(columns) - rows
    left_out, after = _cut(found, share)
    f1 = about.get("macro_f1")
    scored = f" (macro-F1 {wording.score(f1)})" if isinstance(f1, float) else ""
    summary = (
        f"{wording.percent(some / max(1, rows), 1)} of {rows:,} rows have a label that the models{scored} doubt, "
        f"{wording.percent(both / max(1, rows), 1)} one that another would fit better. "
        + (f"{unjudged:,} rows were not judged. " if unjudged else "")
        + "Doubted is not wrong: people disagree too"
    )
    body: list[Row] = []
    stops: list[Stop] = []
    for rank, row in enumerate(map(int, found.suspects.order[:MOST]), 1):
        if rank == after + 1:
            body.append(((_line_of_cut(left_out, rows, share, bool(found.decisions), width), "warn"),))
        key = (rank, width, language.language(), found.decisions.get(row))
        if key not in known:  # a decision changes one row of a thousand
            known[key] = _drawn(found.doubt(rank, row), columns, width, key[-1])
        lines, said = known[key]
        stops.append(Stop(len(body), said, f"line:{columns.lines[row]}", "train", height=2))
        body += lines
    if len(found.suspects.order) > MOST:
        more = len(found.suspects.order) - MOST
        body.append(((f"  … and {more:,} more: goemo-tui data suspects --json --top {len(columns)} has all", "quiet"),))
    return Figure(
        TITLE, tuple(wrapped(summary, width, "quiet", 4)), tuple(body), tuple(stops), empty="no row was judged"
    )


def _cut(found: Judged, share: float) -> tuple[int, int]:
    """How many rows an export leaves out, and the rank of the last of them that nobody decided on."""
    out = found.suspects.worst(share, found.decisions)
    out[[row for row, decision in found.decisions.items() if decision.verdict == "model" and row < len(out)]] = False
    undecided = out.copy()
    undecided[[row for row in found.decisions if row < len(out)]] = False
    ranks = undecided[found.suspects.order].nonzero()[0]
    return int(out.sum()), int(ranks[-1]) + 1 if len(ranks) else 0


def _line_of_cut(left_out: int, rows: int, share: float, decided: bool, width: int) -> str:
    """What an export leaves out, as a line across."""
    if decided:
        said = f"  ✂ an export leaves out {left_out:,} of {rows:,} rows: those above, but ✓ and →, and all ✗ "
    else:
        said = f"  ✂ above: the {wording.percent(share)} that an export leaves out, if nothing is decided "
    return safe_text.cells(said, width) + "┄" * max(0, width - cell_len(said))


def _drawn(doubt: Doubt, columns: SplitColumns, width: int, decided: Decision | None) -> Drawn:
    """A row's two lines, and what is said of it."""
    sign = _SIGNS[decided.verdict] if decided else " "
    text = safe_text.cells(columns.split.text[doubt.row], max(8, width - 10))
    first: Row = ((f"  {doubt.rank:>5} ", "quiet"), (f"{sign} ", "strong"), (text, ""))
    return (first, _labels(doubt, columns)), _said(doubt, columns, decided)


def _labels(doubt: Doubt, columns: SplitColumns) -> Row:
    """Given labels and the model's, each with its probability; those that they do not agree on stand out."""

    def named(ids: tuple[int, ...], odd: tuple[int, ...], style: str) -> list[tuple[str, str]]:
        spans = [
            (f"{language.label(columns.labels.names[i])} {wording.percent(float(doubt.probability[i]))} ",
             style if i in odd else "quiet")
            for i in ids
        ]  # fmt: skip
        return spans or [("nothing ", "quiet")]

    new = tuple(i for i in doubt.suggested if i not in doubt.given)
    surer = named(doubt.suggested, new, "head") if doubt.suggested != doubt.given else [("no other is surer", "quiet")]
    return (" " * 10, ""), *named(doubt.given, doubt.doubted, "warn"), ("→ ", "quiet"), *surer


def _said(doubt: Doubt, columns: SplitColumns, decided: Decision | None) -> str:
    def named(ids: tuple[int, ...]) -> str:
        return ", ".join(language.label(columns.labels.names[i]) for i in ids)

    parts = [f"line {columns.lines[doubt.row]:,}"]
    if decided is not None:
        parts.append(
            f"found {WORDS[decided.verdict]}" if decided.verdict != "model" else "the model's labels are right"
        )
    if doubt.doubted:
        parts.append(f"doubted: {named(doubt.doubted)}")
    if doubt.missing:
        parts.append(f"missing: {named(doubt.missing)}")
    keys = " ".join(f"{_key(f'data.{verdict}')} {word}" for verdict, word in WORDS.items())
    return " · ".join([*parts, keys, "Enter shows it"])


def _key(action: str) -> str:
    from goemo_tui.actions import ACTIONS

    return next(one.shown_key for one in ACTIONS if one.id == action)
