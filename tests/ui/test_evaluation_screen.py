"""The Evaluation tab as a person goes through it: what the stored scores tell, behind one key, at both sizes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.widgets import Static, TabbedContent

from goemo_tui.screens.errors import ErrorsScreen
from goemo_tui.screens.inspect import InspectScreen
from goemo_tui.widgets.evaluation import Evaluation
from goemo_tui.widgets.reliability import ReliabilityPlot
from goemo_tui.widgets.score_table import ScoreTable
from tests.ui.train_story import ended, opened, shown, until
from tests.unit.test_errors import RIGHT, TSV, scored
from trainer.runs.events import EventLog
from trainer.runs.run import Run

SAYS = {**RIGHT, 1: {"love": 0.7}, 3: {"joy": 0.95}, 2: {"anger": 0.8}}
SIZES = [(80, 24), (120, 36)]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    """One whose best epoch confused neutral with joy and fear with anger, and missed a joy."""
    folder = tmp_path / "corpus"
    folder.mkdir()
    for name in ("train", "dev"):
        (folder / f"{name}.tsv").write_text(TSV * 8)
    again = {row + 5 * n: told for n in range(8) for row, told in SAYS.items()}
    made = scored(folder, again, way="global")
    labels = {
        name: {"precision": 0.5, "recall": 0.5, "f1": f1, "support": 16, "threshold": 0.4}
        for name, f1 in (("joy", 0.5), ("fear", 0.4), ("grief", 0.0), ("neutral", 0.3))
    }
    with EventLog(made.folder / "events.jsonl") as log:
        log.append("validation", step=10, epoch=2, macro_f1=0.5, per_label=labels, best=True)
    yield made


@pytest.mark.parametrize("size", SIZES)
async def test_one_key_goes_through_all_that_the_stored_scores_tell(run: Run, size: tuple[int, int]) -> None:
    async with opened(size) as (app, pilot):
        await until(pilot, lambda: run.short in shown(app))
        await pilot.press("m")
        assert app.screen.query_one(TabbedContent).active == "evaluation"
        await until(pilot, lambda: "missed 8" in shown(app))
        text = shown(app)
        assert "− missed 8" in text and "+ said wrongly 8" in text and "missed there neutral 8" in text
        assert ("95%" in text and " AP " in text) is (size[0] == 120), "all columns where there is room"
        table = app.screen.query_one(ScoreTable)
        table.focus()
        await pilot.press("j")
        await until(pilot, lambda: "fear  F1 " in shown(app) and "said instead anger 8" in shown(app))
        assert "(" in shown(app).partition("fear  F1 ")[2][:20], "the interval is told at any width"
        await pilot.press("m")
        await until(pilot, lambda: "Sentiment" in shown(app) and "positive" in shown(app))
        assert all(piece in shown(app) for piece in ("samples-F1 .", "all right ", "Hamming .")), "whole rows"
        line = next(row for row in shown(app).splitlines() if "positive" in row)
        assert "24" in line and app.focused is not None and app.focused.id == "evaluation-page"
        await pilot.press("m")
        await until(pilot, lambda: "◆ fear error" in shown(app))
        assert app.focused is app.screen.query_one(ReliabilityPlot) and "·" in shown(app) and "said" in shown(app)
        await pilot.press("right")
        await until(pilot, lambda: "◆ neutral error" in shown(app))
        await pilot.press("right")
        await until(pilot, lambda: "◆ grief no row" in shown(app))
        await pilot.press("left", "m")
        await until(pilot, lambda: "neutral        → joy" in shown(app) and "fear           → anger" in shown(app))
        await pilot.press("m")
        await until(pilot, lambda: app.focused is table and "missed 8" in shown(app))


async def test_an_emotion_without_rows_is_said(run: Run) -> None:
    async with opened() as (app, pilot):
        await until(pilot, lambda: run.short in shown(app))
        await pilot.press("m")
        table = app.screen.query_one(ScoreTable)
        await until(pilot, lambda: table.row_count == 4 and "missed 8" in shown(app))
        table.focus()
        await pilot.press("G")
        await until(pilot, lambda: "grief  no row of dev carries it: it scores 0" in shown(app))


@pytest.mark.parametrize(("line", "kind"), [(1, "so, but not said"), (2, "said, but not so")])
async def test_a_click_on_missed_or_said_wrongly_lists_those_comments_and_one_goes_to_inspect(
    run: Run, line: int, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, str | None]] = []
    monkeypatch.setattr(InspectScreen, "ask", lambda self, text, model=None, *_: asked.append((text, model)))
    async with opened() as (app, pilot):
        await until(pilot, lambda: run.short in shown(app))
        await pilot.press("m")
        await until(pilot, lambda: "missed 8" in shown(app))
        await pilot.click("#emotion", offset=(5, line + 1))  # its upper edge is a line
        await until(pilot, lambda: isinstance(app.screen, ErrorsScreen) and kind in shown(app))
        other = {"so, but not said": "said, but not so", "said, but not so": "so, but not said"}[kind]
        assert other not in shown(app)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, InspectScreen) and asked)
        assert asked[0][1] == run.id


async def test_columns_that_were_counted_can_be_sorted_by(run: Run) -> None:
    async with opened() as (app, pilot):
        await until(pilot, lambda: run.short in shown(app))
        await pilot.press("m")
        await until(pilot, lambda: "missed 8" in shown(app))
        table = app.screen.query_one(ScoreTable)
        assert table.order == "f1"
        await pilot.press("o")
        assert table.order == "interval"
        await pilot.press("o")
        assert table.order == "average_precision" and table.names[-1] == "grief", "without rows there is none"


async def test_what_is_alike_stays_in_the_order_of_the_labels(run: Run) -> None:
    async with opened() as (app, pilot):
        await until(pilot, lambda: run.short in shown(app))
        await pilot.press("m")
        await until(pilot, lambda: "missed 8" in shown(app))
        table = app.screen.query_one(ScoreTable)
        for _ in range(2):
            table.sort_by("support")
            await pilot.pause()
            assert table.names == ("joy", "fear", "grief", "neutral")


async def test_a_run_without_stored_scores_keeps_its_table_and_says_why_there_is_no_more() -> None:
    run = ended()
    async with opened((80, 24)) as (app, pilot):
        await until(pilot, lambda: run.short in shown(app))
        await pilot.press("m")
        await until(pilot, lambda: "no intervals and confusions: m tells why" in shown(app))
        assert app.screen.query_one(ScoreTable).row_count == 3
        await pilot.press("m")
        page = app.screen.query_one("#evaluation-text", Static)
        await until(pilot, lambda: "before scores were kept" in str(page.render()))


async def test_what_is_counted_is_counted_once_and_beside_the_screen(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    from goemo_tui.services import evaluation as service

    real, calls = service.evaluation_of, []

    def counted(folder: Path) -> object:
        calls.append(threading.current_thread() is threading.main_thread())
        return real(folder)

    monkeypatch.setattr(service, "evaluation_of", counted)
    async with opened() as (app, pilot):
        await until(pilot, lambda: run.short in shown(app))
        await pilot.press("m")
        await until(pilot, lambda: "missed 8" in shown(app))
        await pilot.press("v", "v", "v", "v")
        await until(pilot, lambda: "missed 8" in shown(app))
        assert calls == [False] and app.screen.query_one(Evaluation).found is not None
