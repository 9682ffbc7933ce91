"""What a training will take, in one line of its form: disk at once, time as soon as somebody has it measured.

It owns the child process that measures and ends it with itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from textual import on
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from goemo_tui.safe_text import content
from goemo_tui.services import estimate, keeping
from goemo_tui.services.beside import Done, beside
from goemo_tui.services.estimate import Measurement
from trainer.config import TrainConfig
from trainer.runs.forecast import BEARING, Measured, Room, bearing, forecast, free_now, room


class EstimateLine(Static):
    """Told the settings by `show`; `toggle` measures them, or gives up."""

    DEFAULT_CSS = """
    EstimateLine { height: auto; min-height: 1; max-height: 3; color: $text-muted; pointer: pointer; }
    EstimateLine:hover { background: $boost; }
    """

    class Changed(Message):
        """It has begun or ended to measure."""

    class _Said(Message):
        def __init__(self, of: Measurement, text: str) -> None:
            super().__init__()
            self.of, self.text = of, text

    def __init__(self, command: Sequence[str] = estimate.COMMAND, id: str = "estimate") -> None:
        super().__init__(id=id, markup=False)
        self._command = command
        self._config: TrainConfig | None = None
        self._parameters: int | None = None
        self._beside = ""
        self._learned: int | None = None
        self._free: int | None = None
        self._no_place = ""
        self._child: Measurement | None = None
        self._said = ""
        self._busy: dict[tuple[Any, ...], str] = {}
        """What is to be said of other work that the machine had when each of the measurements began."""
        self._found: dict[tuple[Any, ...], Measured | str] = {}
        """What was measured, or why it could not be, for each set of settings that bear on it."""

    @property
    def measuring(self) -> Measurement | None:
        """The measurement that is under way."""
        return self._child

    def on_mount(self) -> None:
        """See how much of the disk is free."""
        self.tooltip = "^e or a click measures the time with a few steps, and stops measuring"
        beside("free", lambda: (keeping.trouble(), free_now()), self.post_message)

    def on_unmount(self) -> None:
        """Nobody wants to know any more."""
        self.cancel()

    def show(
        self, config: TrainConfig | None, parameters: int | None, others: Sequence[str], learned: int | None = None
    ) -> None:
        """Of these settings (None: they are not right yet); `others` are runs that use the same device now. `learned` of
        the parameters are learned, if not all.
        """
        self._config, self._parameters, self._learned = config, parameters, learned
        self._beside = estimate.beside_words(others)
        self._draw()

    def toggle(self) -> None:
        """Measure the settings that are shown, or stop measuring."""
        if self._child is not None:
            self.cancel()
        elif self._config is not None:
            measurement = self._child = Measurement(self._config, self._command)
            self._said, self._busy[bearing(self._config)] = "starting", estimate.busy_words()
            self._found.pop(bearing(self._config), None)
            beside("estimate", lambda: measurement.result(self._sayer(measurement)), self._poster(measurement))
            self.post_message(self.Changed())
        self._draw()

    def on_click(self) -> None:
        """The mouse's way."""
        self.toggle()

    def cancel(self) -> None:
        """End the child, if there is one."""
        measurement, self._child = self._child, None
        if measurement is not None:
            measurement.cancel()
            self.post_message(self.Changed())
            if self.is_mounted:
                self._draw()

    def _sayer(self, measurement: Measurement) -> Any:
        return lambda text: self.post_message(self._Said(measurement, text))

    def _poster(self, measurement: Measurement) -> Any:
        def post(message: Message) -> bool:
            if isinstance(message, Done):
                message.name = "measured" if measurement is self._child else "given up"
            return self.post_message(message)

        return post

    @on(_Said)
    def _hear(self, message: _Said) -> None:
        message.stop()
        if message.of is self._child:
            self._said = message.text
            self._draw()

    @on(Done)
    def _done(self, message: Done) -> None:
        message.stop()
        if message.name == "free" and message.error is None:
            self._no_place, self._free = cast("tuple[str, int | None]", message.value)
        elif message.name == "measured" and self._child is not None:
            key, self._child = bearing(self._child.config), None
            if message.error is not None:
                self._found[key] = str(message.error)
            elif isinstance(message.value, Measured):
                self._found[key] = message.value
            self.post_message(self.Changed())
        self._draw()

    def _draw(self) -> None:
        text = self._text()
        if self.content != text:
            self.update(text)

    def _text(self) -> Content:
        config = self._config
        if self._child is not None:
            return Content.assemble(("… ", "$accent"), content(f"measuring: {self._said} · ^e stops"))
        if config is None:
            return Content.styled("time and disk: once the settings are right", "$quiet")
        found = self._found.get(bearing(config))
        disk = self._room(config, found if isinstance(found, Measured) else None)
        tail = self._warning(disk)
        if isinstance(found, Measured):
            busy = self._busy.get(bearing(config), "") if found.device == "cpu" else ""
            words = estimate.words(forecast(config, found, self._free), disk)
            return Content.assemble(content(" · ".join(filter(None, (words, self._beside, busy)))), tail)
        if isinstance(found, str):
            return Content.assemble(("✗ not measured: ", "$error"), content(f"{found} · ^e tries again"), tail)
        known = f"up to {estimate.disk_words(disk)} · " if disk is not None else ""
        again = "measures the time anew" if self._found else "measures the time"
        return Content.assemble(content(f"{known}^e {again}{self._changed()}"), tail)

    def _room(self, config: TrainConfig, found: Measured | None) -> Room | None:
        """The disk that it takes; None where no run can be made, or the encoder is not known yet."""
        parameters, learned = (found.parameters, found.learned) if found else (self._parameters, self._learned)
        return room(config, parameters, self._free, learned) if parameters and not self._no_place else None

    def _warning(self, disk: Room | None) -> Content:
        if self._no_place:
            return content(f" ✗ {self._no_place}", style="$error")
        full = " ✗ not enough room: p on the Train screen frees some"
        return Content.styled(full, "$error") if disk is not None and disk.short else Content("")

    def _changed(self) -> str:
        """Which setting the last measurement is no good for any more: ` (batch_size has changed)`."""
        last = next((key for key, value in reversed(self._found.items()) if isinstance(value, Measured)), None)
        if last is None or self._config is None:
            return ""
        names = [name for name, old, new in zip(BEARING, last, bearing(self._config), strict=True) if old != new]
        return f" ({', '.join(names)} changed)" if names else ""
