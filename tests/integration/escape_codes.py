"""What the program may send to a terminal, as a grammar: everything else is somebody's text that got through.

A list of what is allowed, for a list of what is not has holes. Fed with the bytes as they come, in whatever pieces.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import re
import unicodedata
from dataclasses import dataclass, field

MOST_MARKS = 8
"""Combining marks on one letter; more than any writing needs would climb out of their line."""

MODES = {7, 25, 1000, 1003, 1004, 1006, 1015, 1049, 2004, 2026, 2048}
"""Private modes that the app sets and resets: wrapping, cursor, mouse, focus, alternate screen, paste, whole frames, size reports."""

ASKED = {"\x1b[?2026$p", "\x1b[?2048$p", "\x1b[c"}
"""What it asks the terminal."""

PLAIN = {
    "\x1b[>25u", "\x1b[<u",  # kitty's keyboard, on and off
    "\x1b[8l", "\x1b[8h",  # who puts right-to-left text into order
    "\x1b[H",
    "\x1b[K",  # to the end of the line: progress bars of the command line
}  # fmt: skip

PROGRESS = {"\x1b[?25l", "\x1b[?25h", "\x1b[2K", "\x1b[1A", "\x1b[K"}
"""What a progress bar of the command line draws itself anew with, on a terminal."""

_CODE = re.compile(
    r"""\x1b(?:
        \[(?P<sgr>[0-9;]*)m
      | \[(?P<row>[0-9]+);(?P<column>[0-9]+)H
      | \[\?(?P<mode>[0-9]+)[hl]
      | \[[0-9;?<=>]*\$?[@-~]
      | \](?P<osc>[^\x07\x1b]*)(?:\x07|\x1b\\)
    )""",
    re.VERBOSE,
)
_PLAIN_RUN = re.compile(r"[ -~]+")
_COLOUR = re.compile(r"[34]8;(?:2;\d{1,3};\d{1,3};\d{1,3}|5;\d{1,3})|[349][0-79]|10[0-7]|[0-9]|2[1-79]")
_UNFINISHED = re.compile(r"\x1b(?:\[[0-9;?<=>$]*|\][^\x07\x1b]*\x1b?)?$")
_POINTER = re.compile(r"22;[a-z-]{4,14}")
_JOINED = "\u200d\ufe0f"

FORBIDDEN_SGR = {"5", "6", "8", "25", "28"}
"""Blinking and hiding: the app does neither."""


@dataclass
class Grammar:
    """Reads what goes to a terminal of `columns` x `rows`; `wrong` tells what is not allowed there.

    `screen`: the app draws (cursor positions, modes); without it only lines of text with colours are. `copies`: it may
    set the clipboard. `notices`: it may send desktop notifications. `tabs`: they divide the columns
    of what goes into a pipe. `document`: marks are let be, a program is to read them.
    """

    columns: int = 120
    rows: int = 36
    screen: bool = True
    copies: bool = False
    notices: bool = False
    tabs: bool = False
    document: bool = False
    wrong: list[str] = field(default_factory=list)
    copied: list[bytes] = field(default_factory=list)
    noticed: list[str] = field(default_factory=list)
    codes: int = 0
    letters: int = 0
    cleared: int = 0
    bells: int = 0

    def __post_init__(self) -> None:
        self._rest = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")("strict")
        self._marks = 0
        self._before = ""

    def feed(self, data: bytes, last: bool = False) -> None:
        """Take in the next bytes; with `last` nothing may be left open."""
        try:
            text = self._rest + self._decoder.decode(data, last)
        except UnicodeDecodeError as error:
            self._say(f"no UTF-8: {error.object[max(0, error.start - 20) : error.end + 20]!r}")
            self._decoder.reset()
            text = self._rest + data.decode("utf-8", "ignore")
        self._rest = ""
        at = 0
        while at < len(text):
            plain = _PLAIN_RUN.match(text, at)
            if plain:
                self.letters += plain.end() - at
                self._marks, self._before, at = 0, text[plain.end() - 1], plain.end()
                continue
            char = text[at]
            if char != "\x1b":
                self._letter(char, text[at + 1 : at + 2], text[max(0, at - 30) : at + 30])
                at += 1
                continue
            code = _CODE.match(text, at)
            if code is None:
                if _UNFINISHED.fullmatch(text, at) and not last:
                    self._rest = text[at:]
                    return
                self._say(f"an escape code of nobody's: {text[max(0, at - 30) : at + 40]!r}")
                at += 1
                continue
            self._code(code)
            at = code.end()

    def _letter(self, char: str, following: str, around: str) -> None:
        self.letters += 1
        if char in "\r\n" or (char == "\t" and self.tabs):
            self._marks = 0
            return
        if char == "\a":
            self.bells += 1
            return
        category = unicodedata.category(char)
        if category in ("Mn", "Me"):
            self._marks += 1
            if self._marks > MOST_MARKS and not self.document:
                self._say(f"more than {MOST_MARKS} marks on a letter: {around!r}")
        else:
            self._marks = 0
        joiner = char == _JOINED[0] and self._before and following and not (self._before + following).isascii()
        if category in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp") and not joiner:
            self._say(f"U+{ord(char):04X} ({category}): {around!r}")
        self._before = char

    def _code(self, code: re.Match[str]) -> None:
        self.codes += 1
        text = code.group()
        if code["osc"] is not None:
            self._osc(code["osc"], text)
        elif code["sgr"] is not None:
            rest = _COLOUR.sub("", code["sgr"]).strip(";")
            attributes = re.sub(r"[34]8;(?:2;\d+;\d+;\d+|5;\d+)", "", code["sgr"]).split(";")
            if rest or FORBIDDEN_SGR & set(attributes):
                self._say(f"style {text!r}")
        elif not self.screen:
            if text not in PROGRESS or self.tabs:
                self._say(f"{text!r} in lines of text")
        elif code["row"] is not None:
            if not (0 < int(code["row"]) <= self.rows and 0 < int(code["column"]) <= self.columns + 1):
                self._say(f"the cursor goes off the screen: {text!r}")
        elif code["mode"] is not None:
            if int(code["mode"]) not in MODES:
                self._say(f"mode {text!r}")
        elif text == "\x1b[2J":
            self.cleared += 1  # once, when the app is left
        elif text not in PLAIN and text not in ASKED:
            self._say(f"{text!r}")

    def _osc(self, body: str, text: str) -> None:
        if self.copies and body.startswith("52;c;"):
            try:
                self.copied.append(base64.b64decode(body[5:], validate=True))
                return
            except binascii.Error:
                pass
        if self.notices and body.startswith("9;goemo: "):
            self.noticed.append(body[9:])
            for char in body:
                self._letter(char, "", body[:60])
            return
        if self.screen and _POINTER.fullmatch(body):
            return
        self._say(f"operating system command {text[:80]!r}")

    def _say(self, what: str) -> None:
        if len(self.wrong) < 20:
            self.wrong.append(what)
