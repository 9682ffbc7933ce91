"""Asks which corpus to open: a path that is checked before anything happens, a known corpus, or a recent one."""

from __future__ import annotations

from pathlib import Path

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.suggester import Suggester
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option
from textual.worker import get_current_worker

from goemo_tui import safe_text
from goemo_tui.screens.dialog import Dialog
from goemo_tui.widgets.field import Field
from trainer.corpus.read import EXTENSIONS


def complaint_about(answer: str) -> str:
    """Why `answer` cannot be opened, or nothing. Known names are `sample` and what was downloaded."""
    from trainer.paths import corpora_folder

    if not answer.strip():
        return "type the path of a folder or file, or choose one below"
    if "\0" in answer:
        return "no path holds such a character"
    if answer in ("sample", "goemotions") or (corpora_folder() / Path(answer).name == corpora_folder() / answer):
        if answer == "sample" or (corpora_folder() / answer).is_dir():
            return ""
        if answer == "goemotions":
            return "not downloaded yet: Esc, then d fetches it"
    path = Path(answer).expanduser()
    try:
        if not path.exists():
            return "no such folder or file"
        if path.is_dir():
            there = any(child.suffix.lower() in EXTENSIONS for child in path.iterdir())
            return "" if there else f"no {', '.join(EXTENSIONS)} file in this folder"
    except OSError as error:
        return f"cannot be read: {error.strerror or error}"
    return (
        "" if path.suffix.lower() in EXTENSIONS else f"a corpus is a folder or a file ending in {', '.join(EXTENSIONS)}"
    )


class PathSuggester(Suggester):
    """Completes the path that is being typed with the first folder or file that fits."""

    def __init__(self) -> None:
        super().__init__(use_cache=False, case_sensitive=True)

    async def get_suggestion(self, value: str) -> str | None:
        """The whole path, or nothing."""
        head, slash, begun = value.rpartition("/")
        if not slash or "\0" in value:
            return None
        try:
            names = sorted(
                child.name + ("/" if child.is_dir() else "")
                for child in Path(head or "/").expanduser().iterdir()
                if child.name.startswith(begun) and (begun or not child.name.startswith("."))
            )
        except OSError:
            return None
        return f"{head}/{names[0]}" if names and names[0].isprintable() else None


class OpenCorpus(Dialog[str | None]):
    """Answers with what `load_corpus` takes, or None."""

    HEADING = "Open a corpus"
    FOOT = "Enter opens · → completes the path · Esc closes"
    DEFAULT_CSS = """
    OpenCorpus Field, OpenCorpus Field:focus { background: $panel; }
    OpenCorpus #complaint { color: $error; height: 1; margin-bottom: 1; }
    OpenCorpus OptionList { height: auto; max-height: 14; border: none; background: $surface; padding: 0; }
    OpenCorpus OptionList:focus { border: none; }
    """

    def __init__(self, recent: tuple[str, ...]) -> None:
        super().__init__()
        self.recent = recent

    def body(self) -> ComposeResult:
        """Field, complaint, choices."""
        field = Field(id="path", placeholder="folder with train.tsv, or a .tsv .csv .jsonl .parquet file")
        field.suggester = PathSuggester()
        yield Static(Content("Path"), classes="quiet")
        yield field
        yield Static(Content(""), id="complaint")
        yield OptionList(id="known", markup=False)

    def on_mount(self) -> None:
        """Recent ones at once, known ones as soon as they are counted."""
        known = self.query_one("#known", OptionList)
        for path in ("sample", *(p for p in self.recent if p != "sample")):
            known.add_option(Option(safe_text.content(safe_text.cells(path, 80)), id=path))
        self.run_worker(self._look_around, thread=True, group="known")
        self.set_focus(self.query_one("#path"))

    def _look_around(self) -> None:
        from trainer.corpus import list_corpora

        worker = get_current_worker()
        found = list_corpora()
        if not worker.is_cancelled:
            self.app.call_from_thread(self._add_known, [(c.name, str(c.path), c.splits) for c in found])

    def _add_known(self, found: list[tuple[str, str, dict[str, int]]]) -> None:
        known = self.query_one("#known", OptionList)
        ids = {option.id for option in known.options}
        for name, _path, splits in found:
            rows = " · ".join(f"{split} {n:,}" for split, n in splits.items()) or "cannot be read"
            prompt = Content.assemble(safe_text.content(name), (f"  {rows}", "$quiet"))
            if name in ids:
                known.replace_option_prompt(name, prompt)
            else:
                known.add_option(Option(prompt, id=name))

    @on(Input.Changed, "#path")
    def _typed(self) -> None:
        self.query_one("#complaint", Static).update(Content(""))

    @on(Input.Submitted, "#path")
    def _submitted(self, event: Input.Submitted) -> None:
        complaint = complaint_about(event.value.strip())
        if complaint:
            self.query_one("#complaint", Static).update(safe_text.content(f"✗ {complaint}"))
        else:
            self.dismiss(event.value.strip())

    @on(Field.Onward)
    def _to_list(self) -> None:
        known = self.query_one("#known", OptionList)
        self.set_focus(known)
        known.highlighted = 0

    @on(OptionList.OptionSelected, "#known")
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        chosen = str(event.option.id)
        complaint = complaint_about(chosen)
        if complaint:
            self.query_one("#complaint", Static).update(safe_text.content(f"✗ {complaint}"))
        else:
            self.dismiss(chosen)
