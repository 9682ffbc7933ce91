"""Work beside the screen: whoever waits for it is told of its end, however it ended."""

from __future__ import annotations

from textual.message import Message

from goemo_tui import crash
from goemo_tui.services.beside import Done, beside
from trainer.errors import NotFoundError


def outcome(work) -> Done:  # type: ignore[no-untyped-def]
    said: list[Message] = []
    beside("work", work, said.append).join()
    (done,) = said
    assert isinstance(done, Done) and done.name == "work"
    return done


def test_the_value_comes_back() -> None:
    assert outcome(lambda: 7).value == 7


def test_an_error_for_people_comes_back_as_it_is() -> None:
    def work() -> None:
        raise NotFoundError("no such run")

    assert str(outcome(work).error) == "no such run"


def test_what_nobody_foresaw_comes_back_too_and_is_in_the_log_under_the_id_that_is_said() -> None:
    said = str(outcome(lambda: [][1]).error)
    assert "IndexError" in said and str(crash.log_file()) in said
    error_id = said.split("written down as ")[1].split(" ")[0]
    assert f"{error_id} thread work" in crash.log_file().read_text()
