"""Runs side by side: what differs, who is best, and that nothing is subtracted which was not measured alike."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from rich.cells import cell_len

from goemo_tui.services.compare import MOST, Comparison, Side, _figures, compare, side_of, signed
from goemo_tui.services.compare_page import bar, page, text
from tests.unit.command_line import cli, finished, one_document
from trainer.config import TrainConfig
from trainer.runs.events import EventLog
from trainer.runs.lock import RunLock
from trainer.runs.run import Run
from trainer.runs.snapshot import Snapshot


def scored(f1: Mapping[str, float], dev: str = "one", end: Mapping[str, Any] | None = None, **settings: Any) -> Run:
    """A finished run with these F1s, scored on the dev split with this fingerprint."""
    run = Run.create(TrainConfig(**settings), {"corpus": {"path": "/data", "sha256": {"dev": dev}}} if dev else None)
    mean = math.fsum(f1.values()) / len(f1)
    per_label = {name: {"precision": v, "recall": v, "f1": v, "support": 9, "threshold": 0.3} for name, v in f1.items()}
    with RunLock(run.folder), EventLog(run.folder / "events.jsonl") as log:
        log.append("started", steps=10, epochs=2, labels=list(f1), parameters=22_700_000)
        log.append("step", step=10, epoch=2, loss=0.25, examples_per_s=100 * mean)
        log.append(
            "validation", step=10, epoch=2, loss=1 - mean, macro_f1=mean, micro_f1=mean, weighted_f1=mean,
            per_label=per_label, best=True,
        )  # fmt: skip
        log.append("finished", step=10, **(end or {"seconds": 60.0}))
    return run


def compared(*runs: Run) -> Comparison:
    return compare([side_of(run.folder) for run in runs])


ONE, TWO = {"joy": 0.5, "fear": 0.4, "love": 0.3}, {"joy": 0.6, "fear": 0.1, "love": 0.3}


def test_only_what_differs_is_listed_and_everything_can_be() -> None:
    c = compared(scored(ONE), scored(TWO, lr=5e-4, epochs=5))
    assert set(c.differing()) == {"lr", "epochs"} and c.differing()["lr"] == ("0.001", "0.0005")
    assert len(c.settings) > 15
    shown = text(page(c, 76, False, str))
    assert "batch_size" not in shown and "lr" in shown
    assert "batch_size" in text(page(c, 76, True, str)) and "≠ lr" in text(page(c, 76, True, str))


def test_the_rate_is_that_of_the_whole_run_and_not_of_its_last_steps() -> None:
    found = _figures(Snapshot(examples_per_s=9.0, rows_per_s=105.0), {})
    assert found["examples_per_s"] == 105.0


def test_emotions_stand_in_the_order_of_their_difference() -> None:
    c = compared(scored(ONE), scored(TWO))
    assert [row.label for row in c.deltas] == ["fear", "joy", "love"]
    assert [signed(row.deltas[1]) for row in c.deltas] == ["-.300", "+.100", "="]
    assert all(row.deltas[0] is None for row in c.deltas)
    lines = text(page(c, 76, False, str)).splitlines()
    fear, joy = (next(line for line in lines if line.startswith(name)) for name in ("fear", "joy"))
    assert "-.300" in fear and "█│" in fear and "+.100" in joy and "│█" in joy, "to the left what is worse"
    assert "1 better, 1 worse, 1 alike" in text(page(c, 76, False, str))


def test_the_best_of_each_figure_has_a_sign() -> None:
    c = compared(scored(ONE), scored(TWO, end={"seconds": 30.0}))
    assert c.best("macro_f1") == {0} and c.best("loss") == {0} and c.best("seconds") == {1}
    assert c.best("epochs") == frozenset() and c.best("parameters") == frozenset()
    line = next(x for x in text(page(c, 76, False, str)).splitlines() if x.startswith("macro-F1"))
    assert ".400*" in line and line.count("*") == 1


def test_other_comments_are_not_subtracted_and_that_is_said() -> None:
    c = compared(scored(ONE), scored(TWO, dev="two"), scored(TWO))
    assert c.other == ("", "other comments", "")
    assert all(row.deltas[1] is None and row.f1[1] is None for row in c.deltas)
    assert c.deltas[0].deltas[2] is not None
    assert c.best("macro_f1") == {0}, "who was asked other questions cannot win"
    shown = text(page(c, 100, False, str))
    assert "not scored on the dev comments of" in shown and "≠ other comments" in shown


def test_other_labels_are_not_subtracted_even_where_they_have_the_same_name() -> None:
    c = compared(scored(ONE), scored({"joy": 0.9, "anger": 0.9}, taxonomy="ekman"))
    assert c.other == ("", "other labels") and [row.label for row in c.deltas] == ["joy", "fear", "love"]
    assert all(d is None for row in c.deltas for d in row.deltas)
    shown = text(page(c, 76, False, str))
    assert "not the labels of" in shown and "nothing to subtract" in shown and "anger" not in shown


def test_a_corpus_known_by_its_path_alone_is_compared_with_a_warning() -> None:
    c = compared(scored(ONE), scored(TWO, dev=""))
    assert c.other == ("", "") and any("may have changed" in note for note in c.notes)
    assert compared(scored(ONE), scored(TWO, dev="", data="/elsewhere")).other == ("", "other comments")


def test_a_run_without_a_validation_has_dashes_and_is_named() -> None:
    young = Run.create(TrainConfig())
    c = compared(scored(ONE), young)
    assert any("no validation yet" in note for note in c.notes)
    assert c.sides[1].figures["macro_f1"] is None
    line = next(x for x in text(page(c, 76, False, str)).splitlines() if x.startswith("macro-F1"))
    assert line.rstrip().endswith("–")


def test_any_run_can_be_the_one_that_others_are_held_against() -> None:
    sides = [side_of(scored(f1).folder) for f1 in (ONE, TWO)]
    c = compare(sides, base=1)
    assert c.deltas[0].label == "fear" and signed(c.deltas[0].deltas[0]) == "+.300" and c.deltas[0].deltas[1] is None


@pytest.mark.parametrize("many", [2, 3, 4, 5, 6])
@pytest.mark.parametrize("width", [76, 116, 190])
def test_no_line_is_wider_than_its_room(many: int, width: int) -> None:
    sides = [side_of(scored(ONE, data=f"/a/very/long/way/to/the/corpus/number{i}").folder) for i in range(many)]
    hostile = "\x1b[2J[/s]" + "w" * 60
    sides[-1] = replace(sides[-1], title=hostile, dev="other", settings={**sides[-1].settings, "encoder": hostile})
    for row in page(compare(sides), width, True, str):
        said = "".join(piece for piece, _ in row)
        assert cell_len(said.rstrip()) <= width and "\x1b" not in said, said


@pytest.mark.parametrize(("delta", "drawn"), [(0.1, "   │███"), (-0.1, "███│   "), (0.05, "   │█▌ "), (0.0, "   │   ")])
def test_bars_go_to_both_sides(delta: float, drawn: str) -> None:
    assert bar(delta, 0.1, 7) == drawn


def test_compare_from_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    one, two = scored(ONE), scored(TWO, lr=5e-4)
    assert cli("runs", "compare", one.short, two.id) == 0
    out = capsys.readouterr().out
    assert one.short in out and "-.300" in out and "\x1b" not in out
    assert cli("runs", "compare", one.short, two.short, "--json") == 0
    document = one_document(capsys.readouterr().out)
    assert [run["run"] for run in document["runs"]] == [one.id, two.id] and document["base"] == one.id
    assert document["settings"] == {"lr": ["0.001", "0.0005"]}
    assert document["scores"]["macro_f1"] == pytest.approx([0.4, 1 / 3])
    assert document["per_label"]["fear"]["delta"] == [None, pytest.approx(-0.3)]


def test_two_to_six_different_runs_are_needed(capsys: pytest.CaptureFixture[str]) -> None:
    runs = [finished() for _ in range(MOST + 1)]
    assert cli("runs", "compare") == 2
    assert cli("runs", "compare", runs[0].id) == 2
    assert cli("runs", "compare", runs[0].id, runs[0].short) == 2
    assert cli("runs", "compare", *(run.id for run in runs)) == 2
    assert cli("runs", "compare", runs[0].id, "nobody") == 3
    assert cli("runs", "compare", *(run.id for run in runs[:MOST])) == 0
    assert sum(line.startswith("macro-F1  ") for line in capsys.readouterr().out.splitlines()) == 1


def test_a_side_is_read_from_a_run_whose_settings_cannot_be() -> None:
    run = scored(ONE)
    (run.folder / "config.toml").write_text("format = 99\n")
    side = side_of(run.folder)
    assert isinstance(side, Side) and not side.settings and side.per_label == ONE


def guessing(share: float, taxonomy: str = "emotions", seed: int = 0) -> Run:
    """A finished run on the sample whose stored scores of dev are right in `share` of the decisions on what is true."""
    import numpy as np

    from trainer.corpus import load_corpus
    from trainer.runs.dev_scores import DevScores, write_dev_scores

    corpus = load_corpus("sample")
    split, names = corpus.under(taxonomy).splits["dev"], corpus.under(taxonomy).labels.names
    source = np.random.default_rng(seed)
    p = source.random((len(split), len(names))).astype(np.float32) * 0.3
    for row, ids in enumerate(split.labels):
        p[row, list(ids)] += np.where(source.random(len(ids)) < share, 0.6, 0.0).astype(np.float32)
    run = scored(ONE, dev=corpus.fingerprint["dev"], taxonomy=taxonomy, data="sample")
    limits = np.full(len(names), 0.4, np.float32)
    write_dev_scores(run.folder, DevScores(p, names, limits, 2, corpus.fingerprint["dev"]))
    return run


def test_runs_are_held_against_each_other_on_the_same_resamples(capsys: pytest.CaptureFixture[str]) -> None:
    weak, strong, like, old = guessing(0.4), guessing(0.8), guessing(0.41, seed=0), scored(ONE, data="sample", dev="")
    assert cli("runs", "compare", weak.id, strong.id, like.id, old.id, "--json") == 0
    told = one_document(capsys.readouterr().out)["paired"]
    macro = told[strong.id]["macro_f1"]
    assert (
        macro["clear"]
        and 0 < macro["low"] < macro["difference"] < macro["high"]
        and told[strong.id]["resamples"] == 1000
    )
    assert not told[like.id]["macro_f1"]["clear"] and told[like.id]["micro_f1"]["low"] <= 0
    assert "before scores were kept" in told[old.id]["trouble"]
    assert cli("runs", "compare", weak.id, strong.id, like.id) == 0
    shown = capsys.readouterr().out
    assert "better in" in shown and "no clear difference" in shown and "macro-F1 over" in shown
    assert cli("runs", "compare", strong.id, weak.id) == 0
    assert "worse in" in capsys.readouterr().out


def test_runs_of_other_labels_are_not_drawn_against_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    a, b = guessing(0.5), guessing(0.5, taxonomy="ekman")
    assert cli("runs", "compare", a.id, b.id, "--json") == 0
    assert one_document(capsys.readouterr().out)["paired"][b.id]["trouble"] == "other labels"


def test_the_paired_lines_fit_on_80_columns() -> None:
    from goemo_tui.services.compare import paired_with

    runs = [guessing(0.4), guessing(0.8), scored(TWO, dev="two")]
    c = compared(*runs)
    lines = text(page(c, 76, False, str, paired_with(c, [run.folder for run in runs]))).splitlines()
    assert max(cell_len(line) for line in lines) <= 76
    assert any("not known: other comments" in line for line in lines)
    assert "drawing the comments" in text(page(c, 76, False, str))
