"""The pane with the tokens that a model sees of the sentence. The tokenizer is read beside the screen, once a model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

from textual import on
from textual.app import ComposeResult
from textual.containers import VerticalScroll

from goemo_tui.language import word
from goemo_tui.services.beside import Done, beside
from goemo_tui.services.prediction import Model
from goemo_tui.widgets.token_line import TokenLine

if TYPE_CHECKING:
    from tokenizers import Tokenizer


class SentenceTokens(VerticalScroll, can_focus=False):
    """Shown where there is a sentence and the model's tokenizer is known."""

    def __init__(self, *, id: str, classes: str = "") -> None:
        super().__init__(id=id, classes=classes)
        self._tokenizer: Tokenizer | None = None
        self._of = ""
        self._text = ""
        self._model: Model | None = None

    def compose(self) -> ComposeResult:
        """The chips."""
        yield TokenLine()

    def on_mount(self) -> None:
        """Nothing to show yet."""
        self.border_title = word("tokens")
        self.display = False

    def take(self, model: Model | None) -> None:
        """Show what this model sees from now on."""
        self._model = model
        path = model.path if model is not None else ""
        if path and path != self._of:
            self._tokenizer = None
            beside("tokenizer", lambda: (path, _tokenizer(Path(path))), self.post_message)
        self.show(self._text)

    @on(Done)
    def _done(self, message: Done) -> None:
        message.stop()
        if message.error is not None:
            self.notify(str(message.error), title=message.name, severity="warning", timeout=8)
            return
        self._of, self._tokenizer = cast("tuple[str, Tokenizer]", message.value)
        self.show(self._text)

    def show(self, text: str) -> None:
        """The tokens of `text`."""
        self._text = text
        model, tokenizer = self._model, self._tokenizer
        if model is None or tokenizer is None or self._of != model.path or not text.strip():
            self.display = False
            return
        self.display = True
        from trainer.corpus.tokens import token_view

        length = model.max_length or 64
        view = token_view(text, tokenizer, length)
        note = f"✂ cut here: {view.lost} more tokens are not read (max_length {length})" if view.lost else ""
        if view.unknown:
            many = f"{len(view.unknown)} tokens are" if len(view.unknown) > 1 else "1 token is"
            note = f"{many} not in the vocabulary (marked ?)" + (f" · {note}" if note else "")
        self.query_one(TokenLine).show(view.tokens, view.ids, view.unknown, note)
        self.border_title = word("tokens · {n} of at most {most}").format(n=len(view.tokens), most=length)


def _tokenizer(folder: Path) -> Tokenizer:
    from trainer.corpus.tokens import load_tokenizer

    return load_tokenizer(folder)
