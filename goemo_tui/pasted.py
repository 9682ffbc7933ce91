"""Reads what a terminal sends, so that a pasted text stays text.

Textual takes an escape code within a bracketed paste for keys that were pressed, and bytes that are no UTF-8 end the
thread that reads keys. What somebody copied from anywhere may hold both. Knows no widget.
"""

from __future__ import annotations

import codecs

START, END = "\x1b[200~", "\x1b[201~"
"""What a terminal puts around a pasted text."""

PICTURE = "␛"


class KeyReader:
    """An incremental decoder, as the driver wants one: within a paste ESC is a picture, unless it begins its end."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._inside = False
        self._before = ""
        """The last characters outside a paste: its beginning may come in two reads."""
        self._held = ""
        """What may become the end of the paste."""

    def decode(self, data: bytes, final: bool = False) -> str:
        """The text of the next bytes."""
        text = self._held + self._decoder.decode(data, final)
        self._held = ""
        read: list[str] = []
        while text:
            if self._inside:
                body, end, text = text.partition(END)
                if not end:
                    length = next((n for n in range(len(END) - 1, 0, -1) if body.endswith(END[:n])), 0)
                    body, self._held = body[: len(body) - length], body[len(body) - length :]
                read.append(body.replace("\x1b", PICTURE) + end)
                self._inside = not end
            else:
                at = (self._before + text).find(START)
                length = len(text) if at < 0 else at + len(START) - len(self._before)
                read.append(text[:length])
                self._before = (self._before + text)[1 - len(START) :] if at < 0 else ""
                text, self._inside = text[length:], at >= 0
        return "".join(read)
