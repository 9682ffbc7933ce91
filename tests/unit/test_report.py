"""An evaluation written down: all of it is there, 80 columns hold the text, and what is foreign stays text everywhere."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.cells import cell_len

from goemo_tui.safe_text import clean
from goemo_tui.services.report_file import report_writer
from goemo_tui.services.report_html import html, plot
from goemo_tui.services.report_markdown import _safe as markdown_name
from goemo_tui.services.report_markdown import markdown
from goemo_tui.services.report_text import bar, text
from goemo_tui.services.report_words import verdict
from goemo_tui.wording import limit
from trainer.errors import GoemoError
from trainer.labels import EMOTIONS
from trainer.scoring import bootstrap
from trainer.scoring.evaluation import document, evaluation

EVIL = "<script>alert(1)</script>|`x`\x1b[2J[/s]"


def report(names: tuple[str, ...] = EMOTIONS, compared: bool = False, draws: int = 40, seed: int = 0) -> dict[str, Any]:
    """A document as `eval` makes it."""
    rng = np.random.default_rng(seed)
    truth = rng.random((300, len(names))) < 0.1
    p = np.clip(truth * 0.5 + rng.random(truth.shape) * 0.6, 0, 1)

    def one(model: str, cut: float) -> dict[str, Any]:
        return {
            "model": model, "data": f"/data/{EVIL}", "split": "dev", "n": 300, "cross_fitted": True,
            "notes": ["each half is cut by the other's thresholds", EVIL], "left_out": {"model": [], "corpus": []},
            "thresholds": dict.fromkeys(names, cut), **document(evaluation(names, truth, p, p >= cut, draws)),
        }  # fmt: skip

    made = one(EVIL if EVIL in names else "calm-otter", 0.58)
    if compared:
        made["against"] = one("brave-finch", 0.55)
        found = bootstrap.paired(truth, p >= 0.58, p >= 0.55, max(1, draws))

        def told(d: bootstrap.Difference) -> dict[str, Any]:
            if not draws:
                return {"difference": d.difference, "low": None, "high": None, "better": None, "clear": None}
            return {**vars(d), "clear": d.clear}

        each = {name: told(found["per_label"][k]) for k, name in enumerate(names)}
        made["difference"] = {
            "resamples": draws, **{key: told(found[key]) for key in bootstrap.FIGURES}, "per_label": each
        }  # fmt: skip
    return made


@pytest.mark.parametrize("compared", [False, True])
@pytest.mark.parametrize("draws", [0, 40])
@pytest.mark.parametrize("names", [EMOTIONS, ("joy", EVIL, "感情感情感情感情感情感情感情"), ("x",)])
def test_the_text_fits_on_80_columns_and_is_whole(names: tuple[str, ...], draws: int, compared: bool) -> None:
    made = report(names, compared, draws)
    shown = text(made)
    assert max(cell_len(line) for line in shown.splitlines()) <= 80
    assert "\x1b" not in shown and "300 rows (cross-fitted)" in shown
    for piece in ("macro", "micro", "weighted", "samples", "Hamming loss", "mean AP", "calibration error", "limit"):
        assert piece in shown
    assert ("95%" in shown) is bool(draws)
    assert ("Ekman" in shown and "Sentiment" in shown) is (names == EMOTIONS)
    assert ("B is brave-finch" in shown) is compared


def test_the_text_says_what_the_document_says() -> None:
    made = report()
    shown = text(made)
    for name in EMOTIONS:
        own = made["per_label"][name]
        line = next(row for row in shown.splitlines() if row.startswith(name + " "))
        assert f"{own['f1']:.3f}"[1:] in line and f"{own['average_precision']:.3f}"[1:] in line
        assert f"{own['f1_interval']['low']:.3f}"[1:] in line
    first = made["confusions"][0]
    assert f"{first['true']} → {first['said']} {first['rows']}" in shown


class Page(HTMLParser):
    """Tags that are open, and all that could reach outside."""

    VOID = {"meta", "circle", "rect", "path"}

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.said = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.said += data


@pytest.mark.parametrize("compared", [False, True])
def test_the_page_stands_alone_and_runs_nothing(compared: bool) -> None:
    made = report(("joy", EVIL), compared)
    written = html(made)
    page = Page()
    page.feed(written)
    assert page.open == [] and "script" not in page.tags and not page.tags & {"link", "img", "iframe", "object", "a"}
    assert not [name for name, _ in page.attributes if name.startswith("on") or name in ("src", "href", "xlink:href")]
    assert "://" not in written and "url(" not in written and "\x1b" not in written
    assert "default-src 'none'" in written
    assert "<script>alert(1)</script>" in page.said, "the name is there, as text"
    assert {"svg", "table", "circle"} <= page.tags and "Expected calibration error" in page.said
    assert ("brave-finch (B)" in page.said) is compared


def test_the_plot_has_a_point_for_each_bin_in_its_place() -> None:
    drawn = plot([(0.0, 0.0, 10), (0.5, 1.0, 1)])
    assert drawn.count("<circle") == 2 and 'cx="40.0" cy="310.0"' in drawn and 'cx="190.0" cy="10.0"' in drawn
    assert "<circle" not in plot([])


@pytest.mark.parametrize("compared", [False, True])
def test_the_markdown_is_plain_tables_and_foreign_names_stay_in_their_cells(compared: bool) -> None:
    written = markdown(report(("joy", EVIL), compared))
    assert "\x1b" not in written and "<script>" not in written and r"\<script\>" in written
    rows = [line for line in written.splitlines() if line.startswith("|")]
    widths = [len(re.findall(r"(?<!\\)\|", row)) for row in rows]
    heads = [i for i, row in enumerate(rows) if re.fullmatch(r"\|(-+:?\|)+", row)]
    for at, i in enumerate(heads):
        end = heads[at + 1] - 1 if at + 1 < len(heads) else len(rows)
        assert len(set(widths[i - 1 : end])) == 1, "every row has as many cells as its head"
    assert "## Calibration" in written and "## Emotions" in written and ("(B) against" in written) is compared
    assert "## Ekman" in markdown(report()) and "## Sentiment" in markdown(report())


ODD = (
    "joy", EVIL, "سعادة غامرة", "a_label_without_a_blank" * 6, "# heading", "- list", "1. one", "&amp;<b>x</b>",
    "![x](javascript:alert(1))", "https://evil.example/x", "www.evil.example", "$x^2$", "<!-- ", "~~x~~", "a\nb",
    "@somebody", "a@b",
)  # fmt: skip
"""Names that HTML or Markdown would take for something else."""


def test_markdown_reads_every_odd_name_as_text() -> None:
    from markdown_it import MarkdownIt

    written = markdown(report(ODD, compared=True))
    reader = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    pieces = [piece for token in reader.parse(written) for piece in token.children or [token]]
    made = {piece.type for piece in pieces}
    assert not made & {
        "html_inline",
        "html_block",
        "link_open",
        "image",
        "code_inline",
        "em_open",
        "strong_open",
        "s_open",
    }
    assert made.isdisjoint({"ordered_list_open", "fence", "code_block", "blockquote_open"})
    said = {token.content for token in reader.parse(written) if token.type == "inline"}
    for name in ODD:
        read = "".join(piece.content for piece in reader.parseInline(markdown_name(name))[0].children or [])
        assert read.strip("\u200e ").replace("@\u2060", "@") == clean(name).strip(), name
        assert not re.search(r"@\w", read), "nobody is called"
        assert markdown_name(name).strip() in said, name
    # what viewers that know more make a link or a formula of
    assert "https://" not in written and "www." not in written and not re.search(r"(?<!\\)\$", written)


def test_figures_stay_behind_a_name_that_is_read_from_right_to_left() -> None:
    made = report(("joy", "سعادة"))
    assert "سعادة\u200e" in markdown(made) and "joy\u200e" not in markdown(made)
    assert "<bdi>سعادة</bdi>" in html(made)


def test_a_long_name_hides_no_figure_and_print_loses_no_column() -> None:
    written = html(report(ODD, compared=True))
    assert written.count('<td class="name">') == written.count("</tr>") - written.count("<thead>")
    rules = re.search(r"td\.name \{([^}]*)\}", written)
    assert rules and "white-space: normal" in rules[1] and "max-width" in rules[1]
    assert "overflow-wrap: anywhere" in written
    printed = written[written.index("@media print") :]
    for rule in (".wide { overflow: visible", "tr, .tile", "details::details-content", "@page"):
        assert rule in printed
    assert "@media screen and (prefers-color-scheme: dark)" in written, "paper is white, whatever the screen is"
    assert written.count("<thead>") == written.count("<table>"), "repeated on every sheet"


@pytest.mark.parametrize("draws", [0, 40])
def test_a_column_that_holds_nothing_is_left_out(draws: int) -> None:
    made = report(draws=draws, compared=True)
    assert ("95%</th>" in html(made)) is bool(draws)
    assert any("| 95% |" in line for line in markdown(made).splitlines()) is bool(draws)


def test_an_emotion_without_rows_has_no_interval_and_no_average_precision() -> None:
    truth = np.zeros((40, 3), bool)
    truth[:20, 0], truth[20:, 1] = True, True
    p = np.where(truth, 0.9, 0.1)
    made = {**report(("a", "b", "c")), **document(evaluation(("a", "b", "c"), truth, p, p > 0.5, 40))}
    shown = text(made)
    line = next(row for row in shown.splitlines() if row.startswith("c "))
    assert line.split()[4:6] == ["–", "–"] and ".000–.000" not in line
    assert "mean AP, 2 labels" in shown and "mean AP, 2 labels" in html(made) and "mean AP, 2 labels" in markdown(made)
    for written in (html(made), markdown(made)):
        assert ".000–.000" not in written and "1.000–1.000" in written


def test_two_models_stand_apart_in_every_table() -> None:
    made = report(compared=True)
    own = made["difference"]["per_label"]["joy"]
    own |= {"difference": 1.0 - made["per_label"]["joy"]["f1"], "clear": True, "low": 0.0, "high": 0.0}
    made["per_label"]["joy"]["f1"], own["difference"] = 0.0, 1.0
    line = next(row for row in text(made).splitlines() if row.startswith("joy "))
    assert line.endswith(" 1.000 +1.000*") and cell_len(line) <= 80
    for written in (html(made), markdown(made)):
        assert "F1 of B" in written and "= … =" not in written and ".000 … .000" in written


def test_a_threshold_near_nothing_is_not_shown_as_nothing() -> None:
    made = report()
    made["thresholds"]["joy"] = 0.0005
    assert ".0005" in next(row for row in text(made).splitlines() if row.startswith("joy "))
    assert [limit(t) for t in (0.0, 0.0005, 0.0049, 0.005, 0.47, 0.996, 0.99997, 1.0)] == [
        "0.00", ".0005", ".0049", "0.01", "0.47", ".9960", "1.0000", "1.00",
    ]  # fmt: skip


def test_a_difference_is_put_into_words() -> None:
    told = {"difference": 0.02, "low": 0.01, "high": 0.03, "better": 0.998, "clear": True}
    assert verdict(told) == "better in 99.8% of resamples"
    assert verdict({**told, "difference": -0.02, "better": 0.004}) == "worse in 99.6% of resamples"
    assert verdict({**told, "better": 1.0}) == "better in every resample"
    assert verdict({**told, "clear": False}) == "no clear difference" and verdict({**told, "clear": None}) == ""
    assert [bar(share, 2) for share in (0, 0.5, 1, 2)] == ["", "█", "██", "██"]


def test_the_file_is_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = report()
    for name, begins in (("a.md", "# calm-otter"), ("b.HTML", "<!doctype html>")):
        assert report_writer(str(tmp_path / name))(made).read_text().startswith(begins)

    def full(self: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(GoemoError, match="No space left"):
        report_writer(str(tmp_path / "c.md"))(made)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.md", "b.HTML"]
