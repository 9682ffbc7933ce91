"""An evaluation as one HTML file that stands alone: no script, no network, and every foreign string escaped."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from goemo_tui.safe_text import clean
from goemo_tui.services import report_words as words
from goemo_tui.services.report_words import Document, between, signed
from goemo_tui.wording import count, percent, score
from trainer import __version__

STYLE = """
:root { color-scheme: light dark; --ink: #1c2330; --soft: #5f6880; --line: #d9deea; --ground: #fff; --bar: #3f74d1;
  --faint: #e6ebf5; --good: #1d8348; --bad: #c0392b; }
@media screen and (prefers-color-scheme: dark) { :root { --ink: #e4e8f2; --soft: #98a2bb; --line: #333b4e;
  --ground: #151a24; --bar: #4c7ddd; --faint: #252c3b; --good: #7fd39b; --bad: #f08b7f; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--ground); max-width: 72rem;
  margin: 2rem auto; padding: 0 1rem; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; margin: 0 0 .2rem; } h2 { font-size: 1.1rem; margin: 2.2rem 0 .6rem; }
.soft, li, footer { color: var(--soft); } ul { padding-left: 1.1rem; } p.soft { max-width: 62rem; }
.tiles { display: flex; flex-wrap: wrap; gap: .7rem; margin: 1.2rem 0; }
.tile { border: 1px solid var(--line); border-radius: .5rem; padding: .5rem .9rem; min-width: 8.5rem; }
.tile b { display: block; font-size: 1.35rem; } .tile small { color: var(--soft); display: block; }
.wide { overflow-x: auto; max-width: 100%; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .22rem .55rem; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }
th { color: var(--soft); font-weight: 500; } .name, .left { text-align: left; }
td.name { white-space: normal; min-width: 9em; max-width: 16em; }
.name { position: sticky; left: 0; background: var(--ground); }
td.left { white-space: normal; min-width: 15rem; max-width: 24rem; color: var(--soft); }
svg { display: block; } svg text { fill: var(--soft); font-size: 11px; } .plot { max-width: 100%; height: auto; }
.good { color: var(--good); } .bad { color: var(--bad); } summary { cursor: pointer; margin: .6rem 0; }
@media (max-width: 40rem) { td.name { max-width: 10em; } .tile { flex: 1 1 8rem; } }
@media print {
  @page { margin: 12mm; }
  body { font-size: 10px; margin: 0; max-width: none; padding: 0; }
  .wide { overflow: visible; } .name { position: static; } th, td { padding: .12rem .3rem; }
  td.left { min-width: 0; }
  h2 { break-after: avoid; margin-top: 1.4rem; } tr, .tile, .tiles, svg { break-inside: avoid; } .bar { width: 56px; }
  p.soft { break-after: avoid; } svg { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  summary { display: none; } details::details-content { content-visibility: visible; block-size: auto; }
}
"""
SIDE, EDGE = 300, 40
"""Width and height of the reliability plot, and of what stands beside it, in pixels."""


def html(report: Document) -> str:
    """The report."""
    title = _safe(words.heading(report))
    notes = [*report["notes"], *([how] if (how := words.drawn_how(report)) else [])]
    body = [
        f"<h1>{title}</h1>",
        f'<div class="soft">{_safe(report["data"])}</div>',
        f"<ul>{''.join(f'<li>{_safe(note)}</li>' for note in notes)}</ul>" if notes else "",
        _tiles(report), _difference(report), _labels(report), _levels(report), _calibration(report), _confusions(report),
        f"<footer><p>goemo-tui {__version__}</p></footer>",
    ]  # fmt: skip
    return "\n".join(
        [
            '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
            f"<title>{title}</title><style>{STYLE}</style></head><body>",
            *(part for part in body if part),
            "</body></html>\n",
        ]
    )


def _tiles(report: Document) -> str:
    tiles = [
        (f"{way}-F1", f1, ends or f"P {precision} · R {recall}")
        for way, precision, recall, f1, ends in words.means(report)
    ]
    tiles += [(name, figure, "") for name, figure in words.whole(report)]
    inner = "".join(
        f'<div class="tile">{_safe(name)}<b>{_safe(figure)}</b><small>{_safe(under)}</small></div>'
        for name, figure, under in tiles
    )
    return f'<div class="tiles">{inner}</div>'


def _labels(report: Document) -> str:
    head = [
        "emotion",
        "precision",
        "recall",
        "F1",
        "",
        "95%",
        "AP",
        "support",
        "threshold",
        "said instead, when missed",
    ]
    rows = []
    for name, told in report["per_label"].items():
        said = ", ".join(f"{_name(other)}&nbsp;{count(many)}" for other, many in words.instead(told))
        rows.append(
            [_name(name), score(told["precision"]), score(told["recall"]), f"<b>{score(told['f1'])}</b>", _bar(told),
             words.f1_between(told), words.put_first(told), count(told["support"]),
             f"{report['thresholds'][name]:.3f}", said]
        )  # fmt: skip
    return "<h2>Emotions</h2>" + _table(head, rows, left=len(head) - 1)


def _levels(report: Document) -> str:
    parts = []
    for key, level in report["levels"].items():
        ends = between((level["bootstrap"] or {}).get("macro_f1"))
        rows = [
            [_name(name), score(told["precision"]), score(told["recall"]), f"<b>{score(told['f1'])}</b>", _bar(told),
             words.f1_between(told), count(told["support"])]
            for name, told in level["per_label"].items()
        ]  # fmt: skip
        said = f"macro-F1 {score(level['macro_f1'])}" + (f" ({ends})" if ends else "")
        parts.append(f'<h2>{words.LEVELS[key]} <span class="soft">{said}</span></h2>')
        parts.append(_table(["group", "precision", "recall", "F1", "", "95%", "support"], rows))
    return "".join(parts)


def _calibration(report: Document) -> str:
    calibration = report["calibration"]
    told = (
        f"Expected calibration error {calibration['ece']:.4f} over all decisions (each label of each row is one), "
        f"{calibration['mean_ece']:.4f} as the mean over labels; Brier score {calibration['brier']:.4f}. On the diagonal a "
        "probability means what it says; below it the model is too sure."
    )
    points = [(float(b["probability"]), float(b["true"]), int(b["decisions"])) for b in calibration["bins"]]
    rows = [[percent(p, 1), percent(t, 1), count(n)] for p, t, n in points]
    table = _table(["said, on average", "true", "decisions"], rows)
    flex = f'<div class="tiles">{plot(points)}{table}</div>'
    return f'<h2>Calibration</h2><p class="soft">{told}</p>{flex}'


def plot(points: Sequence[tuple[float, float, int]]) -> str:
    """The reliability plot: (mean probability, share true, decisions) as points over the diagonal, larger where there are more."""

    def at(x: float, y: float) -> str:
        return f"{EDGE + x * SIDE:.1f} {10 + (1 - y) * SIDE:.1f}"

    most = max((n for _, _, n in points), default=1)
    line = " L ".join(at(p, t) for p, t, _ in points)
    marks = "".join(
        f'<circle cx="{at(p, t).split()[0]}" cy="{at(p, t).split()[1]}" r="{3 + 5 * (n / most) ** 0.25:.1f}" fill="var(--bar)">'
        f"<title>{percent(p, 1)} said, {percent(t, 1)} true, {count(n)} decisions</title></circle>"
        for p, t, n in points
    )
    ticks = "".join(
        f'<text x="{at(v, 0).split()[0]}" y="{SIDE + 26}" text-anchor="middle">{v:.0%}</text>'
        f'<text x="{EDGE - 6}" y="{at(0, v).split()[1]}" text-anchor="end" dominant-baseline="middle">{v:.0%}</text>'
        for v in (0, 0.25, 0.5, 0.75, 1)
    )
    wide, high = SIDE + EDGE + 20, SIDE + 50
    return (
        f'<svg class="plot" width="{wide}" height="{high}" viewBox="0 0 {wide} {high}" role="img" aria-label="reliability plot">'
        f'<rect x="{EDGE}" y="10" width="{SIDE}" height="{SIDE}" fill="none" stroke="var(--line)"/>'
        f'<path d="M {at(0, 0)} L {at(1, 1)}" stroke="var(--soft)" stroke-dasharray="4 4"/>'
        + (f'<path d="M {line}" fill="none" stroke="var(--bar)" stroke-width="2"/>' if line else "")
        + marks
        + ticks
        + f'<text x="{EDGE + SIDE / 2}" y="{SIDE + 44}" text-anchor="middle">said, on average</text>'
        + f'<text x="{EDGE + 8}" y="24">true</text></svg>'
    )


def _confusions(report: Document) -> str:
    rows = [[_name(c["true"]), count(c["rows"]), _name(c["said"])] for c in report["confusions"]]
    return "<h2>What was said instead</h2>" + _table(["missed", "rows", "wrongly said"], rows, left=2) if rows else ""


def _difference(report: Document) -> str:
    if "difference" not in report:
        return ""
    difference, other = report["difference"], report["against"]
    notes = "".join(f"<li>{_safe(note)}</li>" for note in other["notes"] if note not in report["notes"])
    rows = [
        [name, score(report[key]), score(other[key]), _signed(difference[key]), words.ends(difference[key]),
         words.verdict(difference[key])]
        for key, name in words.FIGURES
    ]  # fmt: skip
    each = [
        [_name(name), *words.f1_of_both(report, name), _signed(told), words.ends(told), words.verdict(told)]
        for name, told in difference["per_label"].items()
    ]
    return (
        f"<h2>{_name(other['model'])} (B) against {_name(report['model'])} (A)</h2>"
        + (f"<ul>{notes}</ul>" if notes else "")
        + _table(["figure", "A", "B", "B−A", "95%", ""], rows, left=5)
        + "<details><summary>emotion by emotion</summary>"
        + _table(["emotion", "F1 of A", "F1 of B", "B−A", "95%", ""], each, left=5)
        + "</details>"
    )


def _signed(told: Document) -> str:
    """A difference, coloured where it is clear."""
    tone = ("good" if told["difference"] > 0 else "bad") if told["clear"] else ""
    return f'<span class="{tone}">{signed(told["difference"])}</span>'


def _bar(told: Document) -> str:
    """F1 as a bar, its interval as a line over it."""
    ends = told["f1_interval"]
    whisker = (
        f'<path d="M {100 * ends["low"]:.1f} 6 H {100 * ends["high"]:.1f}" stroke="var(--ink)" stroke-width="1.5"/>'
        if ends
        else ""
    )
    return (
        '<svg class="bar" width="100" height="12" viewBox="0 0 100 12" aria-hidden="true">'
        '<rect width="100" height="12" fill="var(--faint)"/>'
        f'<rect width="{100 * told["f1"]:.1f}" height="12" fill="var(--bar)"/>{whisker}</svg>'
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], left: int | None = None) -> str:
    """Cells are HTML already. The column `left` is text; those that hold nothing are left out."""
    kept = [i for i in range(len(head)) if any(row[i] for row in rows)]
    kinds = {0: ' class="name"', left: ' class="left"'}

    def line(cells: Sequence[str], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}{kinds.get(i, '')}>{cells[i]}</{tag}>" for i in kept) + "</tr>"

    body = "".join(line(row, "td") for row in rows)
    return f'<div class="wide"><table><thead>{line(head, "th")}</thead><tbody>{body}</tbody></table></div>'


def _safe(text: object) -> str:
    return escape(clean(str(text)))


def _name(text: object) -> str:
    """A foreign name amid our words: one that is read from right to left does not draw them with it."""
    return f"<bdi>{_safe(text)}</bdi>"
