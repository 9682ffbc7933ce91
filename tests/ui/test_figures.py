"""The corpus in figures as a person goes through them: by keys, by mouse, at sizes that do not fit, and to the rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from goemo_tui.services.corpus import SplitColumns, columns_of, find
from goemo_tui.widgets import corpus_views
from goemo_tui.widgets.figures import Figures
from tests.ui.alone import Alone, Rows, columns, drawn, until
from trainer.corpus import load_corpus
from trainer.labels import LabelSet

JOY, LOVE, ANGER, ANNOYANCE, NEUTRAL = 17, 18, 2, 3, 27
TRAIN: Rows = [
    ("I love it", (JOY, LOVE)), ("lovely", (LOVE,)), ("so angry", (ANGER, ANNOYANCE)), ("well", (NEUTRAL,)),
    ("I love it", (LOVE,)), ("well", (NEUTRAL,)), ("fine", (NEUTRAL,)), ("grr [/s] \x1b[2J", (ANGER,)),
]  # fmt: skip
DEV: Rows = [("lovely", (JOY,)), ("new", (NEUTRAL,))]
TOKENS = {"train": [5, 3, 4, 3, 5, 3, 70, 90], "dev": [3, 3]}


def small(counted: bool = True) -> dict[str, SplitColumns]:
    return columns(tokens=TOKENS if counted else None, train=TRAIN, dev=DEV)


def rows_of(splits: dict[str, SplitColumns], message: Figures.Chosen, here: str = "train") -> list[int]:
    """The lines that a chosen filter finds."""
    there = splits[message.split or here]
    found = find(there, message.filter_text)
    assert found.rows is not None, found.error
    return [int(line) for line in there.lines[found.rows]]


async def test_counts_stand_side_by_side_and_enter_finds_their_rows() -> None:
    splits = small()
    app = Alone(Figures(), Figures.Chosen)
    async with app.run_test(size=(100, 30)) as pilot:
        figures = app.query_one(Figures)
        figures.show("counts", splits["train"], splits, 64)
        await pilot.pause()
        assert "love 3 rows (37.5%) to joy 1: 3 to 1" in figures.text
        first = next(line for line in drawn(figures) if "█" in line)
        assert first.split()[:2] == ["▸", "love"] and "37.5%" in first and "0.0%" in first
        await pilot.press("enter")
        assert (app.heard[-1].filter_text, app.heard[-1].split) == ("label:love", "train")
        assert rows_of(splits, app.heard[-1]) == [1, 2, 5]
        await pilot.press("down", "right")
        assert "neutral in dev: 1 of 2 rows" in figures.text
        await pilot.press("space")
        assert rows_of(splits, app.heard[-1]) == [2] and app.heard[-1].split == "dev"


async def test_a_bar_without_rows_says_so_and_chooses_nothing() -> None:
    splits = small()
    app = Alone(Figures(), Figures.Chosen)
    async with app.run_test(size=(100, 30)) as pilot:
        figures = app.query_one(Figures)
        figures.show("counts", splits["train"], splits, 64)
        await pilot.press("G", "enter")
        assert app.heard == []
        assert "0 of 8 rows" in next(n.message for n in app._notifications)


async def test_where_there_is_no_room_the_splits_stand_below_one_another() -> None:
    splits = small()
    app = Alone(Figures(), Figures.Chosen)
    async with app.run_test(size=(50, 10)) as pilot:
        figures = app.query_one(Figures)
        figures.show("counts", splits["train"], splits, 64)
        await pilot.pause()
        body = [line for line in drawn(figures) if "█" in line]
        assert body[0].split()[:3] == ["▸", "love", "train"] and body[1].split()[:2] == ["neutral", "train"]
        assert body[0].rstrip("▁▂▃▄▅▆▇ ").endswith("37.5%")
        await pilot.press("down", "down", "down", "enter")
        assert (app.heard[-1].split, rows_of(splits, app.heard[-1])) == ("dev", [2])
        await pilot.resize_terminal(100, 30)
        await pilot.pause()
        assert any("neutral" in line and "37.5%" in line and "50.0%" in line for line in drawn(figures))


async def test_counts_by_ekman_and_by_sentiment() -> None:
    splits = small()
    app = Alone(Figures(), Figures.Chosen)
    async with app.run_test(size=(100, 30)) as pilot:
        figures = app.query_one(Figures)
        figures.show("counts", splits["train"], splits, 64)
        figures.next_grouping()
        await pilot.pause()
        assert "Ekman" in figures.title and len(figures.figure.stops) == 2 * 7
        names = [line.split()[0] for line in figures.figure.text.splitlines() if "█" in line]
        assert names[:3] == ["joy", "neutral", "anger"]
        await pilot.press("down", "down", "enter")
        assert rows_of(splits, app.heard[-1]) == [3, 8]
        assert app.heard[-1].filter_text == "label:anger,annoyance,disapproval"
        figures.next_grouping()
        assert "sentiment" in figures.title and "negative" in figures.text
        figures.next_grouping()
        assert "by label" in figures.title


async def test_labels_of_ones_own_are_not_grouped_and_it_says_why() -> None:
    splits = columns(LabelSet(("good one", "bad,one")), train=[("a", (0,)), ("b", (0, 1))])
    app = Alone(Figures(), Figures.Chosen)
    async with app.run_test(size=(100, 30)) as pilot:
        figures = app.query_one(Figures)
        figures.show("counts", splits["train"], splits, 64)
        figures.next_grouping()
        await pilot.pause()
        assert "labels of its own" in next(n.message for n in app._notifications)
        assert figures.grouping == "emotions"
        await pilot.press("enter", "down", "enter")
        assert [rows_of(splits, message) for message in app.heard] == [[1, 2], [2]]
        figures.show("lengths", splits["train"], splits, 64)
        figures.next_grouping()
        await pilot.pause()
        assert "Only the counts" in [n.message for n in app._notifications][-1]


async def test_the_heat_map_tells_each_cell_in_words_and_opens_its_rows() -> None:
    splits = small()
    app = Alone(Figures(), Figures.Chosen)
    async with app.run_test(size=(100, 45)) as pilot:
        figures = app.query_one(Figures)
        figures.show("together", splits["train"], splits, 64)
        await until(pilot, lambda: bool(figures.figure.stops))
        assert len(figures.figure.stops) == 28 * 28
        await pilot.press(*["down"] * JOY, *["right"] * LOVE)
        assert "joy with love: 1 row, 100% of joy, 33% of love, lift 2.7" in figures.text
        await pilot.press("enter")
        assert app.heard[-1].filter_text == "label:joy label:love"
        assert rows_of(splits, app.heard[-1]) == [1]
        await pilot.press("down")
        assert "love alone: 2 rows, 67% of its 3" in figures.text
        await pilot.press("enter")
        assert rows_of(splits, app.heard[-1]) == [2, 5]
        await pilot.press("h", "k", "k", "enter")
        assert "gratitude" not in str(app.heard[-1].filter_text) and len(app.heard) == 2
        body = drawn(figures)
        joy = next(line for line in body if " joy " in line and "17" in line)
        assert "█" in joy and "╲" in joy


async def test_shades_are_signs_and_the_cursor_is_seen_without_colour() -> None:
    rows = [("x", (JOY, LOVE))] + [("y", (JOY,))] * 4 + [("z", (JOY, ANGER))] * 20 + [("w", (JOY,))] * 75
    splits = columns(train=rows)
    app = Alone(Figures(), Figures.Chosen)
    async with app.run_test(size=(120, 45)) as pilot:
        figures = app.query_one(Figures)
        figures.show("together", splits["train"], splits, 64)
        await until(pilot, lambda: bool(figures.figure.stops))
        await pilot.press(*["down"] * JOY)
        joy = next(line for line in drawn(figures) if line.startswith("▸ joy"))
        cells = joy[figures.figure.frozen :]
        stops = figures.figure.stops[JOY * 28 : JOY * 28 + 28]
        at = [cells[stop.x - figures.figure.frozen :][: stop.width] for stop in stops]
        assert "[" in at[0] and "]" in at[0]
        assert at[ANGER].strip("█ ") == "" and "█" in at[ANGER]
        assert "░" in at[LOVE]


async def test_the_heat_map_scrolls_both_ways_in_a_small_place() -> None:
    splits = small()
    app = Alone(Figures(), Figures.Chosen)
    async with app.run_test(size=(49, 10)) as pilot:
        figures = app.query_one(Figures)
        figures.show("together", splits["train"], splits, 64)
        await until(pilot, lambda: bool(figures.figure.stops))
        await pilot.press("G", *["l"] * 27)
        shown = drawn(figures)
        assert any(line.startswith("▸ neutral") and "[" in line for line in shown)
        assert "27" in next(line for line in shown if " 26" in line)
        assert figures.scroll_offset.x > 0 and figures.scroll_offset.y > 0
        assert "neutral alone: 3 rows, 100% of its 3" in figures.text
        await pilot.press("g", *["h"] * 27)
        assert figures.scroll_offset == (0, 0)


async def test_a_click_and_a_look_with_the_mouse() -> None:
    splits = small()
    app = Alone(Figures(), Figures.Chosen)
    async with app.run_test(size=(100, 45)) as pilot:
        figures = app.query_one(Figures)
        figures.show("together", splits["train"], splits, 64)
        await until(pilot, lambda: bool(figures.figure.stops))
        stop = figures.figure.stops[ANGER * 28 + ANNOYANCE]
        y = len(figures.figure.head) + stop.line
        await pilot.hover(Figures, offset=(stop.x + 1, y))
        await pilot.pause()
        assert "anger with annoyance: 1 row" in drawn(figures)[-1] + drawn(figures)[-2]
        assert app.heard == []
        await pilot.click(Figures, offset=(stop.x + 1, y))
        assert rows_of(splits, app.heard[-1]) == [3]


async def test_lengths_mark_the_cut_and_what_is_lost() -> None:
    splits = small()
    app = Alone(Figures(), Figures.Chosen)
    async with app.run_test(size=(100, 45)) as pilot:
        figures = app.query_one(Figures)
        figures.show("lengths", splits["train"], splits, 64)
        await pilot.pause()
        assert "✂ max_length 64 cuts 2 comments (25.00%) and 32 tokens (17.49% of all)" in figures.text
        lines = figures.figure.text.splitlines()
        mark = next(i for i, line in enumerate(lines) if "✂ max_length 64 ┄" in line)
        assert lines[mark - 1].split()[0].endswith("64") and lines[mark + 1].split()[0].startswith("65")
        await pilot.press("enter")
        assert rows_of(splits, app.heard[-1]) == [2, 3, 4, 6]
        await pilot.press("G", "enter")
        assert rows_of(splits, app.heard[-1]) == [8] and "tokens:>=" in app.heard[-1].filter_text
        every: list[int] = []
        for stop in figures.figure.stops:
            if stop.filter:
                every += rows_of(splits, Figures.Chosen(stop.filter))
        assert sorted(every) == [1, 2, 3, 4, 5, 6, 7, 8]


async def test_lengths_before_the_tokens_are_counted() -> None:
    splits = small(counted=False)
    app = Alone(Figures(), Figures.Chosen)
    async with app.run_test(size=(100, 30)) as pilot:
        figures = app.query_one(Figures)
        figures.show("lengths", splits["train"], splits, 64)
        await pilot.pause()
        assert "tokens are not counted yet (0 of 8 comments)" in figures.text and "words" in figures.title
        await pilot.press("enter")
        assert app.heard == []
        splits["train"].tokens[:] = TOKENS["train"]
        figures.show("lengths", splits["train"], splits, 64)
        await pilot.pause()
        assert "tokens" in figures.title and "not counted" not in figures.text


async def test_duplicates_conflicts_and_leaks_open_exactly_their_rows() -> None:
    splits = small()
    app = Alone(Figures(), Figures.Chosen)
    async with app.run_test(size=(100, 30)) as pilot:
        figures = app.query_one(Figures)
        figures.show("duplicates", splits["train"], splits, 64)
        await until(pilot, lambda: bool(figures.figure.stops))
        assert (
            "3 texts stand on several rows: 2 with different labels (≠), 1 with the same (=); 1 in several"
            in figures.text
        )
        assert (
            "⇄≠   2× lovely" in figures.text and " ≠   2× I love it" in figures.text and " =   2× well" in figures.text
        )
        found = []
        for _ in range(4):
            await pilot.press("enter", "down")
            found.append((app.heard[-1].split, rows_of(splits, app.heard[-1])))
        assert found == [("train", [2]), ("dev", [1]), ("train", [1, 5]), ("train", [4, 6])]
        await pilot.press("g")
        assert "labels differ in joy, love · also in dev" in figures.text


async def test_one_repeated_text_stands_alone_and_none_says_it_once() -> None:
    splits = columns(train=[("one", (JOY,)), ("one", (JOY,))])
    assert (
        "1 text stands on several rows"
        in corpus_views.duplicates(corpus_views.repeats(splits), splits["train"], splits, 90).text
    )
    splits = columns(train=[("one", (JOY,)), ("two", (JOY,))])
    assert corpus_views.duplicates(corpus_views.repeats(splits), splits["train"], splits, 90).text == ""


@pytest.mark.parametrize("view", ["counts", "lengths"])
@pytest.mark.parametrize("width", [60, 100])
async def test_the_cursor_leaves_the_bars_as_they_are(view: str, width: int) -> None:
    splits = small()
    app = Alone(Figures(), Figures.Chosen)
    async with app.run_test(size=(width, 30)) as pilot:
        figures = app.query_one(Figures)
        figures.show(view, splits["train"], splits, 64)
        figures.focus()
        await pilot.pause()
        ground = figures.get_component_rich_style("figures--cursor").bgcolor
        line = next(line for line in range(figures.size.height) if "▸" in drawn(figures)[line])
        cells = [(s.text, s.style.bgcolor if s.style else None) for s in figures.render_line(line)]
        assert any(colour == ground for text, colour in cells if text.strip(" █▏▎▍▌▋▊▉"))
        bars = [row for row in figures.figure.body if "%" in "".join(text for text, _ in row)]
        assert any(name == "bar" for row in bars for _, name in row)
        assert not any("█" in text and colour == ground for text, colour in cells)
        assert sum(len(text) for text, colour in cells if colour != ground) >= 8, "an empty bar is no full one"


async def test_no_duplicates_and_hostile_texts() -> None:
    splits = columns(train=[("one", (JOY,)), ("two", (JOY,))])
    app = Alone(Figures(), Figures.Chosen)
    async with app.run_test(size=(80, 12)) as pilot:
        figures = app.query_one(Figures)
        figures.show("duplicates", splits["train"], splits, 64)
        await until(pilot, lambda: "every text stands on one row only" in figures.text)
        await pilot.press("enter", "down", "right", "pagedown", "G")
        assert app.heard == []
        evil = "\x1b]52;c;eA==\x07[@click=app.quit]\u202e"
        splits = columns(LabelSet((evil, "b")), train=[(evil, (0, 1)), (evil, (0,))])
        for view in ("counts", "together", "lengths", "duplicates"):
            figures.show(view, splits["train"], splits, 64)
            await until(pilot, lambda: bool(figures.figure.stops))
            assert not {"\x1b", "\x07", "\u202e"} & set("".join(drawn(figures)) + figures.text), view
            await pilot.press("right", "down", "enter")
        assert app.is_running


@pytest.mark.parametrize("view", ["counts", "together", "lengths", "duplicates"])
@pytest.mark.parametrize("size", [(200, 60), (50, 10), (30, 6), (12, 3)])
async def test_every_view_at_every_size_and_the_cursor_in_sight(view: str, size: tuple[int, int]) -> None:
    splits = small()
    app = Alone(Figures(), Figures.Chosen)
    async with app.run_test(size=size) as pilot:
        figures = app.query_one(Figures)
        figures.show(view, splits["train"], splits, 64)
        await until(pilot, lambda: bool(figures.figure.stops))
        for keys in (["G", "l", "l"], ["ctrl+u", "pageup"], ["ctrl+d", "j", "h"], ["g"]):
            await pilot.press(*keys)
            if size[1] >= 6:
                assert any("▸" in line or "[" in line for line in drawn(figures)), (view, size, keys)
        assert all(len(line) <= size[0] for line in drawn(figures))


async def test_the_same_view_again_keeps_the_cursor_and_another_split_does_not() -> None:
    splits = small()
    app = Alone(Figures(), Figures.Chosen)
    async with app.run_test(size=(100, 30)) as pilot:
        figures = app.query_one(Figures)
        figures.show("counts", splits["train"], splits, 64)
        await pilot.press("down", "down")
        figures.show("counts", splits["train"], splits, 64)
        assert figures.cursor != 0
        figures.show("counts", splits["dev"], splits, 64)
        assert figures.cursor == 0
        assert "Enter" in figures.ABOUT


@pytest.mark.corpus
async def test_the_real_corpus(goemotions: Path) -> None:
    corpus = load_corpus(goemotions)
    splits = {name: columns_of(corpus, name) for name in corpus.splits}
    app = Alone(Figures(), Figures.Chosen)
    async with app.run_test(size=(82, 30)) as pilot:
        figures = app.query_one(Figures)
        figures.show("together", splits["train"], splits, 64)
        await until(pilot, lambda: bool(figures.figure.stops))
        await pilot.press("down", "down", "l", "l", "l", "enter")
        assert "anger with annoyance: 269 rows, 17% of anger, 11% of annoyance, lift 3.0" in figures.text
        assert len(rows_of(splits, app.heard[-1])) == 269
        figures.show("duplicates", splits["train"], splits, 64)
        await until(pilot, lambda: "145 texts stand on several rows" in figures.text)
        figures.show("counts", splits["train"], splits, 64)
        await pilot.pause()
        assert "neutral 14,219 rows (32.8%) to grief 77: 185 to 1" in figures.text
