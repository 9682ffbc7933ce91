"""The shell around the three places: keys, header, help, palette, theme, size, errors, signals, and no terminal."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.command import CommandPalette
from textual.widgets import Footer, Input, Static

from goemo_tui import actions, crash, themes
from goemo_tui.app import GoemoApp, run_app
from goemo_tui.remembered import read_state
from goemo_tui.screens.help import HelpScreen
from goemo_tui.screens.place import Place
from goemo_tui.screens.too_small import TooSmall
from goemo_tui.widgets.field import Field
from goemo_tui.widgets.header import GoemoHeader
from trainer.errors import RunError


class Room(Place):
    """A place with a field and something to come home to."""

    HOME = "#home"
    BINDINGS = [Binding("z", "break", "Break")]
    error: BaseException = ValueError("[bold]it\x1b[31m broke")

    def body(self) -> ComposeResult:
        yield Field(id="field")
        home = Static("home", id="home")
        home.can_focus = True
        yield home

    def action_break(self) -> None:
        raise self.error

    @work(thread=True)
    def break_in_a_thread(self) -> None:
        raise self.error


def room(place: str) -> Callable[[], Place]:
    return type(f"{place.title()}Room", (Room,), {"PLACE": place})


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> Iterator[GoemoApp]:
    monkeypatch.setattr(GoemoApp, "MODES", {place: room(place) for place, _, _ in actions.PLACES})
    yield GoemoApp("sample")


def toasts(app: GoemoApp) -> str:
    return "\n".join(f"{n.title}: {n.message}" for n in app._notifications)


async def test_places_by_digit_and_by_function_key_while_typing(app: GoemoApp) -> None:
    async with app.run_test() as pilot:
        assert app.current_mode == "data"
        for key, place in [("2", "train"), ("3", "inspect"), ("1", "data")]:
            await pilot.press(key)
            assert app.current_mode == place
        app.screen.query_one(Field).focus()
        await pilot.press("2", "q", "question_mark")
        assert app.screen.query_one(Field).value == "2q?"
        assert app.current_mode == "data"
        await pilot.press("f3")
        assert app.current_mode == "inspect"
        await pilot.press("f1")
        assert app.current_mode == "data"
        assert app.screen.query_one(Field).value == "2q?"


async def test_escape_leaves_a_field_for_home(app: GoemoApp) -> None:
    async with app.run_test() as pilot:
        app.screen.query_one(Field).focus()
        await pilot.press("a", "escape")
        assert app.focused is not None
        assert app.focused.id == "home"


@pytest.mark.parametrize(("key", "typing"), [("q", False), ("ctrl+q", True)])
async def test_quitting(app: GoemoApp, key: str, typing: bool) -> None:
    async with app.run_test() as pilot:
        if typing:
            app.screen.query_one(Field).focus()
        await pilot.press(key)
        await pilot.pause()
        assert not app.is_running


async def test_a_click_on_a_tab_goes_there(app: GoemoApp) -> None:
    async with app.run_test() as pilot:
        await pilot.click("#tab-inspect")
        assert app.current_mode == "inspect"


async def test_the_running_run_stands_in_every_header_as_plain_text(app: GoemoApp) -> None:
    async with app.run_test(size=(120, 30)) as pilot:
        await pilot.press("2")
        app.set_run_line("● [b]calm\x1b[2J-otter[/b]  61%", "calm-otter")
        for key in "123":
            await pilot.press(key)
            await pilot.pause()
            shown = str(app.screen.query_one(".header--run", Static).render())
            assert "[b]calm␛[2J-otter[/b]  61%" in shown
        app.screen.query_one(GoemoHeader).run_line = "set by hand"
        await pilot.pause()
        assert "set by hand" in str(app.screen.query_one(".header--run", Static).render())


async def test_the_footer_shows_the_tables_keys(app: GoemoApp) -> None:
    async with app.run_test(size=(120, 30)) as pilot:
        await pilot.pause()
        shown = {(key.key_display, key.description) for key in app.screen.query("FooterKey")}  # type: ignore[attr-defined]
        wanted = {(a.shown_key, a.label) for a in actions.of("everywhere") if a.footer}
        assert wanted <= shown
        assert app.screen.query_one(Footer).size.height == 1


async def test_in_a_text_field_the_footer_shows_the_keys_that_work_there(app: GoemoApp) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        app.screen.query_one(Field).focus()
        await pilot.pause()
        shown = {key.key_display: key.description for key in app.screen.query("FooterKey")}  # type: ignore[attr-defined]
        assert {"Esc", "^g", "^p", "^q", "F2", "F3"} <= shown.keys()
        assert not {"?", "q", "F1"} & shown.keys(), "letters are text there, and one is in Data already"
        assert (shown["^g"], shown["F2"]) == ("Help", "Train")


async def test_help_tells_of_the_focused_part_and_closes(app: GoemoApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        field = app.screen.query_one(Field)
        field.ABOUT = "what [this] field is for"
        field.focus()
        await pilot.press("ctrl+g")
        assert isinstance(app.screen, HelpScreen)
        page = app.screen.page().plain
        assert "what [this] field is for" in page
        assert "Go on to what the field is about" in page
        await pilot.press("escape")
        assert isinstance(app.screen, Room)
        await pilot.press("escape", "question_mark")
        assert isinstance(app.screen, HelpScreen)
        await pilot.press("question_mark")
        assert isinstance(app.screen, Room)


def test_help_tells_neither_what_is_told_below_nor_keys_of_a_place_that_is_covered() -> None:
    from goemo_tui.screens.new_run import NewRunScreen
    from goemo_tui.widgets.comment_table import CommentTable

    here = HelpScreen("data", CommentTable()).page().plain.partition("Data")[0]
    assert "Show this comment in full" in here
    assert "PgUp" not in here and "↑" not in here
    form = HelpScreen("train", None, NewRunScreen("sample", ())).page().plain
    assert "Check everything and start the training" in form
    assert actions.PLACES[1][2] not in form and "New run" not in form
    assert "Everywhere" in form


async def test_the_palette_finds_and_does_an_action(app: GoemoApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("ctrl+p")
        assert isinstance(app.screen, CommandPalette)
        await pilot.press(*"go to inspect".replace(" ", "_").split("_")[0], "space", *"to", "space", *"inspect")
        await pilot.pause(0.5)
        await pilot.press("enter")
        await pilot.pause(0.3)
        assert app.current_mode == "inspect"


async def test_the_palette_offers_the_table(app: GoemoApp) -> None:
    from goemo_tui.palette import ActionProvider

    async with app.run_test():
        offered = [entry.english for entry in ActionProvider(app.screen).actions()]
        told = [a for where in ("data", "everywhere") for a, _ in actions.told_once(where)]
        assert offered == [(a.label, a.help) for a in told if a.id not in ("app.palette", "app.leave")]


async def test_the_palette_offers_only_what_can_be_done_now(app: GoemoApp, monkeypatch: pytest.MonkeyPatch) -> None:
    from goemo_tui.palette import ActionProvider

    monkeypatch.setattr(Room, "check_action", lambda self, action, parameters: action != "clear_filter")
    async with app.run_test():
        offered = {entry.title for entry in ActionProvider(app.screen).actions()}
        assert "Data: Split" in offered
        assert "Data: All" not in offered


async def test_keys_for_a_palette_that_is_not_there_yet_do_nothing(app: GoemoApp) -> None:
    from goemo_tui.palette import Palette

    palette = Palette()
    async with app.run_test() as pilot:
        app.push_screen(palette)  # nothing is on it until its own messages are read
        for action in ("cursor_down", "command_list('page_up')", "command_list('page_down')"):
            await app.run_action(action, palette)
        await pilot.pause()
        assert app.screen is palette and not crash.log_file().exists()


async def test_the_palette_takes_a_theme_by_name(app: GoemoApp) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.press("ctrl+p", *"fjord")
        await pilot.pause(0.5)
        await pilot.press("enter")
        await pilot.pause(0.3)
        assert app.theme == "goemo-fjord" == read_state().theme


async def test_a_palette_that_fails_says_so(app: GoemoApp, monkeypatch: pytest.MonkeyPatch) -> None:
    from goemo_tui.palette import ActionProvider

    monkeypatch.setattr(ActionProvider, "actions", lambda self: 1 / 0)
    async with app.run_test() as pilot:
        await pilot.press("ctrl+p")
        for _ in range(100):
            if toasts(app):
                break
            await pilot.pause(0.05)
        assert "ZeroDivisionError" in toasts(app)
        assert app.is_running
        assert isinstance(app._exception, ZeroDivisionError)
        app._exception = None


async def test_it_begins_in_the_place_that_was_left(app: GoemoApp) -> None:
    async with app.run_test() as pilot:
        await pilot.press("2")
    assert read_state().place == "train"
    again = GoemoApp()
    async with again.run_test():
        assert again.current_mode == "train"
    asked = GoemoApp("sample")  # whoever names a corpus wants to see it
    async with asked.run_test():
        assert asked.current_mode == "data"


async def test_themes_go_round_and_are_remembered(app: GoemoApp) -> None:
    async with app.run_test() as pilot:
        seen = [app.theme]
        for _ in themes.THEMES:
            await pilot.press("ctrl+t")
            seen.append(app.theme)
        assert seen[0] == seen[-1] == themes.DEFAULT
        assert len(set(seen)) == len(themes.THEMES)
        await pilot.press("ctrl+t")
        assert read_state().theme == app.theme != themes.DEFAULT
    assert GoemoApp("sample").theme == app.theme


@pytest.mark.parametrize("plain", [False, True])
async def test_without_colours_the_frame_itself_tells_the_focus(
    app: GoemoApp, plain: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if plain:
        monkeypatch.setenv("NO_COLOR", "1")
    app = GoemoApp("sample")
    async with app.run_test() as pilot:
        home = app.screen.query_one("#home")
        home.add_class("pane")
        await pilot.pause()
        assert app.focused is home
        assert home.styles.border_top[0] == ("double" if plain else "round")
        home.blur()
        await pilot.pause()
        assert home.styles.border_top[0] == "round"


async def test_too_small_says_so_and_comes_back(app: GoemoApp) -> None:
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press("question_mark")
        await pilot.resize_terminal(40, 10)
        await pilot.pause()
        assert isinstance(app.screen, TooSmall)
        assert "40x10" in str(app.screen.query_one(Static).render())
        await pilot.press("2")
        assert app.current_mode == "data"
        await pilot.resize_terminal(60, 16)
        await pilot.pause()
        assert isinstance(app.screen, HelpScreen)


async def test_an_action_that_fails_is_a_toast_and_a_log_entry(app: GoemoApp, goemo_home: Path) -> None:
    async with app.run_test() as pilot:
        await pilot.press("z")
        said = toasts(app)
        assert app.is_running
        assert isinstance(app._exception, ValueError)
        app._exception = None
    error_id = re.search(r"Details under ([0-9a-f]{6})", said)
    assert error_id is not None
    assert "ValueError: [bold]it␛[31m broke" in said
    log = crash.log_file().read_text(encoding="utf-8")
    assert crash.log_file().is_relative_to(goemo_home)
    assert error_id[1] in log
    assert "Traceback" in log
    assert "\x1b" not in log


async def test_an_error_meant_for_people_is_said_as_it_is(app: GoemoApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Room, "error", RunError("the run is still going: stop it first"))
    async with app.run_test() as pilot:
        await pilot.press("z")
        assert "the run is still going: stop it first" in toasts(app)
        assert app.is_running
    assert not crash.log_file().exists()


async def test_a_worker_that_fails_does_not_end_the_app(app: GoemoApp) -> None:
    async with app.run_test() as pilot:
        assert isinstance(app.screen, Room)
        app.screen.break_in_a_thread()
        for _ in range(100):
            if toasts(app):
                break
            await pilot.pause(0.05)
        assert "That did not work" in toasts(app)
        assert app.is_running
        assert app.fatal_line is None
        assert app._exception is not None
        app._exception = None


async def test_anything_else_ends_it_with_one_line(app: GoemoApp) -> None:
    with pytest.raises(ZeroDivisionError):
        async with app.run_test() as pilot:
            app.call_later(lambda: 1 / 0)
            await pilot.pause()
            await pilot.pause()
    assert app.fatal_line is not None
    assert "\n" not in app.fatal_line
    assert "ZeroDivisionError" in app.fatal_line
    assert app.fatal_line.split("under ")[1][:6] in crash.log_file().read_text(encoding="utf-8")


async def test_toasts_never_read_markup(app: GoemoApp) -> None:
    async with app.run_test() as pilot:
        app.notify("[/s] [@click=app.quit]x\x1b]52;c;x\x07", title="[b]\x9b")
        await pilot.pause()
        (toast,) = app._notifications
        assert toast.message == "[/s] [@click=app.quit]x␛]52;c;x␇"
        assert toast.title == "[b]⟪9B⟫"
        assert toast.markup is False


async def test_a_broken_settings_file_is_said_and_the_app_runs(
    goemo_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    goemo_home.mkdir(parents=True)
    goemo_home.joinpath("settings.toml").write_text(
        'theme = "none such"\nmax_length = "x"\nwhat = 1\n', encoding="utf-8"
    )
    monkeypatch.setattr(GoemoApp, "MODES", {place: room(place) for place, _, _ in actions.PLACES})
    app = GoemoApp()
    async with app.run_test() as pilot:
        await pilot.pause()
        said = toasts(app)
        assert "no setting is called 'what'" in said
        assert "max_length = 'x' is no whole number" in said
        assert "theme = 'none such' is unknown" in said
        assert app.theme == themes.DEFAULT


async def test_pasting_joins_clean_lines(app: GoemoApp) -> None:
    from textual.events import Paste

    async with app.run_test() as pilot:
        field = app.screen.query_one(Field)
        field.focus()
        await pilot.pause()
        app.screen.post_message(Paste("first\x1b[31m line\nsecond"))
        await pilot.pause()
        assert field.value == "first␛[31m line second"
        assert isinstance(app.focused, Input)


def test_without_a_terminal_it_names_the_headless_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_app("sample") == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("goemo-tui needs a terminal")
    for command in ("train", "runs", "predict", "eval", "data", "doctor"):
        assert command in said.err


def test_over_ssh_there_are_no_animations() -> None:
    code = "import goemo_tui.app, textual.constants as c; print(c.TEXTUAL_ANIMATIONS, c.MAX_FPS)"
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("TEXTUAL", "SSH"))}
    here = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    environment["SSH_CONNECTION"] = "10.0.0.1 5 10.0.0.2 22"
    there = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert here.stdout.split() == ["full", "60"]
    assert there.stdout.split() == ["none", "15"]


def read_until(terminal: int, wanted: bytes, seconds: float = 60.0) -> bytes:
    """What the terminal got until `wanted` stood in it, or until it was closed."""
    got = b""
    end = time.monotonic() + seconds
    while wanted not in got and time.monotonic() < end:
        if select.select([terminal], [], [], 0.5)[0]:
            try:
                piece = os.read(terminal, 65536)
            except OSError:
                break
            if not piece:
                break
            got += piece
    return got


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_ends_it_cleanly(number: signal.Signals, code: int) -> None:
    master, slave = pty.openpty()
    start = "import sys; from goemo_tui.app import run_app; sys.exit(run_app('sample'))"
    process = subprocess.Popen(
        [sys.executable, "-c", start],
        stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
        env={**os.environ, "TERM": "xterm-256color"},
    )  # fmt: skip
    os.close(slave)
    try:
        assert b"Inspect" in read_until(master, b"Inspect")
        process.send_signal(number)
        rest = read_until(master, b"\x1b[?1049l")
        assert b"\x1b[?1049l" in rest, "the terminal was not given back"
        assert process.wait(30) == code
        assert b"Traceback" not in rest
    finally:
        process.kill()
        process.wait()
        os.close(master)


def test_a_terminal_that_goes_away_ends_it() -> None:
    master, slave = pty.openpty()
    start = "import sys; from goemo_tui.app import run_app; sys.exit(run_app('sample'))"
    process = subprocess.Popen(
        ["setsid", "--ctty", sys.executable, "-c", start],
        stdin=slave, stdout=slave, stderr=slave,
        env={**os.environ, "TERM": "xterm-256color"},
    )  # fmt: skip
    os.close(slave)
    try:
        assert b"Inspect" in read_until(master, b"Inspect")
    finally:
        os.close(master)
    try:
        assert process.wait(30) in (129, -signal.SIGHUP)
    finally:
        process.kill()
        process.wait()


async def test_ctrl_c_says_what_leaves() -> None:
    async with GoemoApp("sample").run_test(size=(100, 30)) as pilot:
        await pilot.press("ctrl+c")
        await pilot.pause()
        assert [n.message for n in pilot.app._notifications] == ["q or ^q leaves; a training goes on."]
