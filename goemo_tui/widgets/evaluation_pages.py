"""What the Evaluation tab writes beside its table: the selected emotion, the levels, and the confusions.

Pure functions from an evaluation to Content; label names reach it through `language.label`, which cleans them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len, set_cell_size
from textual.content import Content

from goemo_tui.language import figure, label, word
from goemo_tui.right_to_left import APART, present
from goemo_tui.safe_text import cells
from goemo_tui.services.errors import FALSE_NEGATIVE, FALSE_POSITIVE, SIGNS
from goemo_tui.services.report_text import bar
from goemo_tui.services.report_words import LEVELS
from goemo_tui.wording import count, percent, score
from trainer.runs.snapshot import number

if TYPE_CHECKING:
    from goemo_tui.services.evaluation import RunEvaluation
    from trainer.scoring.bootstrap import Resampled
    from trainer.scoring.levels import Level

FIGURES = (("micro", "micro_f1"), ("weighted", "weighted_f1"), ("at .3", "macro_f1_at_0.3"))
NAMES = 15
GROUPS = 11
"""Cells of a name, and of a group's."""
NOT_APPLICABLE = "Ekman's emotions and sentiments group the official 28 labels only; this run has learned other labels."


def emotion(found: RunEvaluation, name: str, width: int) -> Content:
    """The selected emotion in three lines of `width` cells: its figures, what was missed and what was said wrongly."""
    k = found.column(name)
    if k is None:
        return Content(word("the stored scores know no {name}").format(name=label(name)))
    scores, wrong = found.scores, found.mistakes
    if not scores.counts.support[k]:
        first = word(
            "no row of dev carries it: it scores 0, as in scikit-learn, and was said wrongly {n} times"
        ).format(n=count(int(wrong.wrong[k])))
        return Content.assemble(
            (f"{label(name)}  ", "bold"), (cells(first, width - cell_len(label(name)) - 2), "$quiet")
        )
    ends = _ends(scores.resampled, k)
    figures = f"F1 {score(float(scores.counts.f1[k]))}{f' ({ends})' if ends else ''} · AP "
    figures += f"{score(float(scores.average_precision[k]))} · ECE {score(scores.reliabilities[k].ece)}"
    missed, wrongly = int(wrong.missed[k]), int(wrong.wrong[k])
    nothing = [(word("nothing wrong"), int(wrong.silent[k]))] if wrong.silent[k] else []
    said = [(label(scores.names[j]), rows) for j, rows in wrong.said_for(k)]
    true = [(label(scores.names[j]), rows) for j, rows in wrong.true_for(k)]
    return Content("\n").join(
        [
            Content.assemble((f"{label(name)}  ", "bold"), cells(figures, width - cell_len(label(name)) - 2)),
            _mistakes(FALSE_NEGATIVE, f"{word('missed')} {count(missed)}", word("said instead"), [*said[:3], *nothing, *said[3:]], width),
            _mistakes(FALSE_POSITIVE, f"{word('said wrongly')} {count(wrongly)}", word("missed there"), true, width),
        ]
    )  # fmt: skip


def _mistakes(kind: str, head: str, words: str, found: Iterable[tuple[str, int]], width: int) -> Content:
    """`− missed 12  said instead love 4, joy 2`; the head can be clicked for the comments."""
    tone = "$error" if kind == FALSE_POSITIVE else "$warning"
    listed = ", ".join(f"{name} {count(rows)}" for name, rows in found)
    link = Content.from_markup(f"[@click=mistakes('{kind}')]{SIGNS[kind]} {head}[/]").stylize(tone)
    rest = "  " + cells(f"{words} {listed}", width - cell_len(head) - 4) if listed else ""
    return Content.assemble(link, (rest, "$quiet"))


def levels(found: RunEvaluation, width: int) -> Content:
    """How whole rows fare, then Ekman's emotions and sentiment, a line a group."""
    lines = [_rows(found, width), Content.styled(cells(_head(), width), "$quiet")]
    for n, (level, drawn) in enumerate(zip(found.scores.levels, found.scores.level_draws, strict=True)):
        lines += [*([Content("")] if n else []), *_level(level, drawn, width)]
    return Content("\n").join(
        lines if found.scores.levels else [lines[0], Content.styled(word(NOT_APPLICABLE), "$quiet")]
    )


def _rows(found: RunEvaluation, width: int) -> Content:
    """The figures that are a mean over rows, and the share of decisions that is wrong."""
    scores = found.scores
    told = [
        figure(word("samples-F1"), score(scores.averages["samples"].f1)),
        figure(word("all right"), percent(scores.subset_accuracy, 1)),
        figure(word("Hamming"), score(scores.hamming_loss)),
    ]
    return Content(cells(" · ".join(told), width))


def _head() -> str:
    return f"{'':<{GROUPS}}{'P':>5}{'R':>6}{'F1':>6}  {'95%':^9}{word('rows'):>7}"


def _level(level: Level, drawn: Resampled | None, width: int) -> list[Content]:
    from trainer.scoring.bootstrap import interval

    ends = interval(drawn.macro_f1) if drawn is not None else None
    said = f"macro-F1 {score(level.averages['macro'].f1)}" + (
        f" ({score(ends.low)}–{score(ends.high)})" if ends else ""
    )
    said += f" · micro {score(level.averages['micro'].f1)}"
    lines = [
        Content.assemble(
            (set_cell_size(word(LEVELS[level.name]), GROUPS), "bold $accent"), cells(said, max(10, width - GROUPS))
        )
    ]
    counts = level.counts
    room = min(20, width - cell_len(_head()) - 2)
    for k, name in enumerate(level.groups):
        line = f"{set_cell_size(cells(label(name), GROUPS - 1), GROUPS)}{score(float(counts.precision[k])):>5}"
        line += f"{score(float(counts.recall[k])):>6}{score(float(counts.f1[k])):>6}  {_ends(drawn, k) if counts.support[k] else '–':^9}"
        line += f"{count(int(counts.support[k])):>7}"
        lines.append(Content.assemble(line, ("  " + bar(float(counts.f1[k]), room) if room > 4 else "", "$bar")))
    return lines


def confusions(found: RunEvaluation, width: int, most: int = 30) -> Content:
    """The pairs that are confused most often, over all emotions."""
    names, pairs = found.scores.names, found.mistakes.pairs(most)
    if not pairs:
        return Content.styled(word("nothing was missed on a row on which something else was wrongly said"), "$quiet")
    head = set_cell_size(word("missed"), NAMES + 2) + set_cell_size(word("wrongly said"), NAMES) + f"{word('rows'):>6}"
    room, scale = min(24, width - cell_len(head) - 2), pairs[0][2]
    lines = [Content.styled(head, "$quiet")]
    for true, said, rows in pairs:
        pair = (_name(names[true]), _name(names[said]))
        apart = APART if any(map(present, pair)) else ""
        line = f"{pair[0]}{apart}→{apart} {pair[1]}{count(rows):>6}"
        lines.append(Content.assemble(line, ("  " + bar(rows / scale, room) if room > 4 else "", "$bar")))
    return Content("\n").join(lines)


def _name(name: str) -> str:
    return set_cell_size(cells(label(name), NAMES - 1), NAMES)


def _ends(drawn: Resampled | None, k: int) -> str:
    """The 95% interval of a label's F1."""
    from trainer.scoring.bootstrap import interval

    if drawn is None:
        return ""
    ends = interval(drawn.per_label[:, k])
    return f"{score(ends.low)}–{score(ends.high)}"


def head(best: Mapping[str, Any], found: RunEvaluation | None, width: int) -> str:
    """The whole in a line of `width` cells, or in two: the epoch and macro-F1 with its interval, then the other averages."""
    drawn = found.scores.resampled if found is not None else None
    ends = None
    if drawn is not None:
        from trainer.scoring.bootstrap import interval

        ends = interval(drawn.macro_f1)
    first = f"{word('best epoch')} {best.get('epoch', '?')}  macro-F1 {score(number(best.get('macro_f1')))}"
    first += f" ({score(ends.low)}–{score(ends.high)})" if ends is not None else ""
    rest = "  ".join(figure(word(name), score(number(best.get(key)))) for name, key in FIGURES)
    return f"{first}  {rest}" if cell_len(first) + cell_len(rest) + 2 <= width else f"{first}\n{rest}"
