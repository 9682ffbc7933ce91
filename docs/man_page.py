"""docs/goemo-tui.1 from the command line's own parser and tables, in the macros of man(7)."""

from __future__ import annotations

import argparse
import re
import sys
import textwrap
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from goemo_tui.cli import parser
from trainer import __version__
from trainer.config import SETTINGS, TrainConfig

DATE = "2026-11-29"
"""Of the release that the page is of; a page wants one, and it must not change with the day it is made."""

WIDE = 66
"""Signs on a line of running text; a sign may take several in roff, which wants lines of 80 at most."""

INTRODUCTION = (
    "opens a terminal application in three places: Data, to know a corpus of emotional comments before one trains on it; Train, to "
    "fine-tune a small encoder on it in a process of its own that survives the terminal; Inspect, to see what a sentence feels. Each "
    "thing it does has a command as well. What commands print on stdout is data; progress and advice go to stderr; --json prints one "
    "document.",
    "A MODEL is a run (its id, its two words, its name), an imported model, a folder, a Hub name, or starter, which ships with the "
    "program. Left out, it "
    "is the one of the settings, else starter. A corpus is sample, which ships too, goemotions once it is downloaded, a folder of "
    "train, dev and test files, or one file.",
)
FILES = (
    ("~/.local/share/goemo-tui/runs/", "one folder a run: config.toml, events.jsonl, checkpoints, model"),
    ("~/.local/share/goemo-tui/models/", "imported models, one folder each"),
    ("~/.local/share/goemo-tui/corpora/", "what goemo-tui data download fetched"),
    ("~/.config/goemo-tui/settings.toml", "the settings; goemo-tui settings --edit opens it"),
    ("~/.cache/goemo-tui/", "what can be made again: tokens, indexes, partial downloads"),
)
ENVIRONMENT = (
    ("GOEMO_HOME", "one folder for all of the above"),
    ("GOEMO_THEME, GOEMO_LANGUAGE, ...", "a setting; it wins over settings.toml (goemo-tui settings lists all)"),
    ("GOEMO_TRACK", "such a setting: the trackers to which each new run is mirrored, such as tensorboard,mlflow"),
    ("NO_COLOR", "no colours"),
    ("HF_HUB_OFFLINE", "1: never ask the Hugging Face Hub"),
)
EXITS = (
    ("0", "as asked"), ("1", "an error, which is told on stderr"), ("2", "a command line or setting that cannot be"),
    ("3", "a run, model, corpus or file that is not there"), ("130, 143", "ended by ctrl-c or SIGTERM"),
)  # fmt: skip
EXAMPLES = (
    ("What does it feel?", 'goemo-tui predict "what a day, I could hug everyone"'),
    ("Train on the sample corpus in the background, watch it, leave it, come back", "goemo-tui train --set epochs=6"),
    ("Each row of a file", "goemo-tui score reviews.csv --column review --out felt.parquet"),
    ("The real corpus, and a score on it", "goemo-tui data download && goemo-tui eval --data goemotions --split test"),
)


def page() -> str:
    """The whole page."""
    top = parser()
    lines = [
        '.\\" Made by `python docs/generated.py` from the command line\'s parser.',
        f'.TH GOEMO\\-TUI 1 {DATE} "goemo\\-tui {__version__}" "User Commands"',
        ".SH NAME", r"goemo\-tui \- know a corpus, fine\-tune an encoder, see what a text feels",
        ".SH SYNOPSIS", _synopsis("goemo-tui", top), ".br", r".B goemo\-tui", r".I COMMAND", r"[\fIARGUMENT\fR ...]",
        ".SH DESCRIPTION", r".B goemo\-tui", *_paragraphs(INTRODUCTION),
        ".SH OPTIONS", *_arguments(top), ".SH COMMANDS",
    ]  # fmt: skip
    for name, one in _commands(top):
        lines += _command(f"goemo-tui {name}", name, one)
    lines += [
        ".SH SETTINGS OF A TRAINING",
        *_paragraphs(("What --set KEY=VALUE may name, with the default of the recipe goemo.",)),
    ]
    plain = TrainConfig()
    for key, setting in SETTINGS.items():
        allowed = f"; one of {', '.join(setting.choices)}" if setting.choices and len(setting.choices) < 8 else ""
        lines += _item(f"{key}={_value(getattr(plain, key))}", f"{setting.help}{allowed}")
    for title, pairs in (("FILES", FILES), ("ENVIRONMENT", ENVIRONMENT), ("EXIT STATUS", EXITS)):
        lines += [f".SH {title}", *(line for pair in pairs for line in _item(*pair))]
    lines.append(".SH EXAMPLES")
    for number, (what, command) in enumerate(EXAMPLES):
        lines += [
            *([".PP"] if number else []),
            f"{_plain(what)}:",
            ".PP",
            ".RS 4",
            ".nf",
            _plain(command),
            ".fi",
            ".RE",
        ]
    lines += [
        ".SH SEE ALSO",
        _text("The guide, in English and Arabic, and all other pages are in the folder docs of the sources."),
        "",
    ]
    return "\n".join(lines)


def _value(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else f"{value}"


def _commands(top: argparse.ArgumentParser) -> list[tuple[str, argparse.ArgumentParser]]:
    found = []
    for action in top._actions:
        if isinstance(action, argparse._SubParsersAction):
            found += [(name, child) for name, child in action.choices.items()]
    return found


def _helps(top: argparse.ArgumentParser) -> dict[str, str]:
    for action in top._actions:
        if isinstance(action, argparse._SubParsersAction):
            return {one.dest: one.help or "" for one in action._get_subactions()}
    return {}


def _command(called: str, name: str, one: argparse.ArgumentParser) -> list[str]:
    lines = [f".SS {_plain(name)}", _synopsis(called, one)]
    if one.description:
        lines += [".PP", *_paragraphs((one.description,))]
    lines += _arguments(one)
    helps = _helps(one)
    for action, child in _commands(one):
        told = child.description or helps.get(action, "")
        lines += [
            ".PP",
            _synopsis(f"{called} {action}", child),
            ".PP",
            *_paragraphs((told,)),
            ".RS 4",
            *_arguments(child),
            ".RE",
        ]
    return lines


def _synopsis(called: str, one: argparse.ArgumentParser) -> str:
    words = [rf"\fB{_plain(called)}\fR"]
    for action in _shown(one):
        value = _values(action)
        if action.option_strings:
            option = rf"\fB{_plain(action.option_strings[-1])}\fR{' ' + value if value else ''}"
            words.append(option if action.required else f"[{option}]")
        else:
            words.append(value if action.nargs in (None, "+") else f"[{value}]")
    return "\n".join(words)


def _arguments(one: argparse.ArgumentParser) -> list[str]:
    lines = []
    for action in _shown(one):
        names = ", ".join(rf"\fB{_plain(option)}\fR" for option in action.option_strings)
        value = _values(action)
        told = (
            (action.help or "").replace("%%", "%") % {} if "%(" not in (action.help or "") else _expanded(one, action)
        )
        if action.choices and not action.option_strings:
            told = f"{told}: {', '.join(map(str, action.choices))}"
        lines += [".TP", " ".join(filter(None, (names, value))), _text(told)]
    return lines


def _expanded(one: argparse.ArgumentParser, action: argparse.Action) -> str:
    return str(one._get_formatter()._expand_help(action))


def _shown(one: argparse.ArgumentParser) -> list[argparse.Action]:
    """All arguments but --help and the commands, in their order."""
    apart = (argparse._HelpAction, argparse._SubParsersAction)
    return [a for a in one._actions if not isinstance(a, apart) and a.help != argparse.SUPPRESS]


def _values(action: argparse.Action) -> str:
    """What stands behind an option, or for an argument."""
    if action.nargs == 0:
        return ""
    named = action.metavar if isinstance(action.metavar, str) else action.dest.upper()
    value = rf"\fI{_plain(named)}\fR"
    if action.option_strings and action.nargs == "?":
        return f"[{value}]"
    return f"{value} ..." if action.nargs in ("*", "+") else value


def _item(name: str, told: str) -> list[str]:
    return [".TP", rf"\fB{_plain(name)}\fR", _text(told)]


def _paragraphs(texts: tuple[str, ...]) -> list[str]:
    lines: list[str] = []
    for text in texts:
        lines += [*([".PP"] if lines else []), _text(text)]
    return lines


def _text(text: str) -> str:
    """Running text, a sentence a line as man pages have it."""
    sentences = re.split(r"(?<=[.:;?!]) (?=[A-Z])", " ".join(text.split()))
    lines = [
        line for one in sentences for line in textwrap.wrap(one, WIDE, break_on_hyphens=False, break_long_words=False)
    ]
    return _plain("\n".join(lines))


def _plain(text: str) -> str:
    """Text whose signs mean nothing to roff."""
    safe = text.replace("\\", r"\e").replace("-", r"\-").replace("…", "...").replace("'", r"\(aq").replace("`", r"\(ga")
    safe = safe.replace("~", r"\(ti").replace("^", r"\(ha").replace("→", r"\(->")
    return "\n".join(rf"\&{line}" if line.startswith(".") else line for line in safe.split("\n"))
