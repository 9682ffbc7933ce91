"""`goemo-tui completion SHELL`: the script by which a shell completes every command, written from the parser itself.

shtab writes it; here stands what it cannot know: which words are runs, models, corpora, settings, files or folders.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Iterator
from typing import Any

from trainer.errors import ConfigError

SHELLS = ("bash", "zsh", "fish", "tcsh")

FILES, FOLDERS = "file", "dir"
"""What may stand there besides words. A function of bash is called by them: so shtab knows that paths come. Their first
letter is what bash and tcsh call them."""

ASKED = ("runs", "models", "imported", "corpora")
"""Words that only this machine knows: asked for when they are wanted (a fifth of a second)."""

COMMAND = "goemo-tui completion --words {kind}"
ASK = f"$({COMMAND} 2>/dev/null)"

BY_METAVAR = {
    "RUN": ("runs", ""), "ID": ("runs", ""), "MODEL": ("models", FOLDERS), "FILE": ("", FILES), "PATH": ("", FILES),
    "DIR": ("", FOLDERS), "FOLDER": ("", FOLDERS), "EMOTION": ("emotions", ""), "KEY=VALUE": ("settings", ""),
    "TRACKER[,…]": ("trackers", ""),
}  # fmt: skip
BY_NAME = {
    "data": ("corpora", FILES), "app_data": ("corpora", FILES), "path": ("corpora", FILES), "input": ("", FILES),
    "model": ("models", FOLDERS), "more": ("runs", ""), "folder": ("", FOLDERS), "encoder": ("encoders", FOLDERS),
    "recipe": ("recipes", ""), "device": ("devices", ""), "split": ("splits", ""), "threshold": ("thresholds", ""),
    "precision": ("precisions", ""), "track": ("tracks", ""), "labels": ("orders", FILES),
}  # fmt: skip
"""Name, or else metavar, of an argument -> which words it takes, and whether files or folders too."""

BY_BOTH = {("model", "NAME"): ("imported", "")}
"""The same where a name means something else: `models rm` removes imported models alone."""


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "completion",
        help="what makes a shell complete these commands",
        description="Prints a script; docs/install.md says where it goes. For the shell at hand: "
        'eval "$(goemo-tui completion bash)", the same with zsh, and in fish: goemo-tui completion fish | source.',
    )
    parser.add_argument("shell", nargs="?", choices=SHELLS, help="which shell")
    parser.add_argument("--words", choices=ASKED, help=argparse.SUPPRESS)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Print the script, or the words that it asks for."""
    if options.words:
        print("\n".join(asked(options.words)))
        return 0
    if options.shell is None:
        raise ConfigError(f"name a shell: goemo-tui completion {SHELLS[0]}, or {', '.join(SHELLS[1:])}")
    print(script(options.shell), end="")
    return 0


def script(shell: str) -> str:
    """The whole script for a shell, the same on every machine."""
    import shtab

    from goemo_tui.cli import parser

    top = parser()
    for action in _arguments(top):
        wanted = wants(action)
        if wanted is not None:
            action.complete = _pattern(*wanted)  # type: ignore[attr-defined]
    text = str(shtab.complete(top, shell))
    if shell == "bash":
        text = f"{text}\n{_BASH}"
    return "".join(f"{line.rstrip()}\n" for line in text.rstrip().split("\n"))


def asked(kind: str) -> list[str]:
    """The words of this machine; none that a shell would read as more than one word."""
    from trainer.modelfolder import STARTER, imported_models
    from trainer.runs.run import list_runs

    found: list[str] = []
    if kind == "corpora":
        from trainer import paths

        there = sorted(p.name for p in paths.corpora_folder().glob("*") if p.is_dir())
        found = ["sample", "goemotions", *there]
    elif kind == "imported":
        found = [model.name for model in imported_models()]
    else:
        runs = [one for one in list_runs() if kind == "runs" or one.model is not None]
        found = [name for one in runs for name in (one.short, one.id)]
        if kind == "models":
            found = [STARTER, *found, *(model.name for model in imported_models())]
    return [word for word in dict.fromkeys(found) if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", word)]


def known(kind: str) -> tuple[str, ...]:
    """Words that are the same on every machine."""
    from trainer.config import RECIPES, SETTINGS
    from trainer.labels import EMOTIONS
    from trainer.track.tracker import NAMES

    words: dict[str, Callable[[], tuple[str, ...]]] = {
        "emotions": lambda: EMOTIONS,
        "trackers": lambda: tuple(NAMES),
        "tracks": lambda: (*NAMES, "none"),
        "orders": lambda: ("emotions", "alphabetical"),
        "encoders": lambda: ("minilm", "distilbert"),
        "recipes": lambda: tuple(RECIPES),
        "devices": lambda: ("auto", "cpu", "cuda", "mps"),
        "splits": lambda: ("train", "dev", "test"),
        "thresholds": lambda: ("tuned", "0.3"),
        "precisions": lambda: ("fp32", "bf16", "int8"),
        "settings": lambda: tuple(f"{key}=" for key in SETTINGS),
        "values": lambda: tuple(f"{key}={choice}" for key, one in SETTINGS.items() for choice in one.choices),
    }
    return words[kind]()


def wants(action: argparse.Action) -> tuple[str, str] | None:
    """Which words an argument takes (a kind, or none) and whether files or folders too; None: nothing that is known."""
    if action.nargs == 0 or action.choices is not None:
        return None
    if action.dest == "settings" and action.metavar == "KEY=VALUE":
        return "settings", ""
    if isinstance(action.metavar, str) and (action.dest, action.metavar) in BY_BOTH:
        return BY_BOTH[action.dest, action.metavar]
    if action.dest in BY_NAME:
        return BY_NAME[action.dest]
    return BY_METAVAR.get(action.metavar) if isinstance(action.metavar, str) else None


def _arguments(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for child in action.choices.values():
                yield from _arguments(child)
        else:
            yield action


def _pattern(kind: str, place: str) -> dict[str, Any]:
    """What shtab is told of such an argument: for each shell a function (tcsh has none), and its text."""
    name = "_".join(("_goemo_tui", *filter(None, (kind, place))))
    if kind == "settings":
        texts = _settings(name)
        tcsh = f"({' '.join(known(kind))})"
    else:
        words = ASK.format(kind=kind) if kind in ASKED else " ".join(known(kind)) if kind else ""
        texts = {"bash": _bash(name, words, place), "zsh": _zsh(name, words, place), "fish": _fish(name, words, place)}
        tcsh = f"`{COMMAND.format(kind=kind)}`" if kind in ASKED else f"({words})" if words else place[0]
    return {"bash": name, "zsh": name, "fish": f"({name})", "tcsh": tcsh, "preamble": texts}


def _bash(name: str, words: str, place: str) -> str:
    lines = [f'compgen -W "{words}" -- "$1"'] if words else []
    lines += [f'compgen -{place[0]} -- "$1"'] if place else []
    return _function(f"{name}() {{", lines, "}")


def _zsh(name: str, words: str, place: str) -> str:
    lines = [f'compadd -- ${{(f)"{words}"}}' if words.startswith("$") else f"compadd -- {words}"] if words else []
    lines += ["_files -/" if place == FOLDERS else "_files"] if place else []
    return _function(f"{name}() {{", lines, "}")


def _fish(name: str, words: str, place: str) -> str:
    lines = [words.removeprefix("$(").removesuffix(")") if words.startswith("$") else f"string split ' ' -- '{words}'"]
    paths = "__fish_complete_directories" if place == FOLDERS else "__fish_complete_path"
    return _function(
        f"function {name}", [*lines[: bool(words)], *([f"{paths} (commandline -ct)"] * bool(place))], "end"
    )


def _settings(name: str) -> dict[str, str]:
    """Keys first, and what a key may be once its = is there."""
    keys, values = (" ".join(known(kind)) for kind in ("settings", "values"))
    bash = [f'local words="{keys}"', f'[[ $1 == *=* ]] && words="{values}"', 'compgen -W "$words" -- "$1"']
    zsh = [f"if [[ $PREFIX == *=* ]]; then compadd -- {values}", f"else compadd -S '' -- {keys}; fi"]
    return {
        "bash": _function(f"{name}() {{", bash, "}"),
        "zsh": _function(f"{name}() {{", zsh, "}"),
        "fish": _function(f"function {name}", [f"string split ' ' -- '{keys} {values}'"], "end"),
    }


def _function(head: str, lines: list[str], end: str) -> str:
    return "\n".join([head, *(f"  {line}" for line in lines), end])


_BASH = """\
# bash divides words at "=": --set key=value is put together again, --data=PATH becomes two words, and nothing stands
# behind a "key=" to which a value is wanted.
_goemo_tui() {
  local -a words=()
  local i n glue=0 current=0
  for i in "${!COMP_WORDS[@]}"; do
    n=${#words[@]}
    if [[ ${COMP_WORDS[i]} == "=" && n -gt 1 ]]; then
      if [[ ${words[n-1]} == --* ]]; then words+=(""); else words[n-1]+="="; fi
      glue=1
    elif ((glue)) && [[ ${COMP_WORDS[i]} != --* ]]; then
      words[${#words[@]}-1]+=${COMP_WORDS[i]}
      glue=0
    else
      words+=("${COMP_WORDS[i]}")
      glue=0
    fi
    ((i == COMP_CWORD)) && current=$((${#words[@]} - 1))
  done
  local -a COMP_WORDS=("${words[@]}")
  local COMP_CWORD=$current
  _shtab_goemo_tui "$@"
  local cut=""
  [[ ${words[current]} == *=* ]] && cut=${words[current]%%=*}=
  for i in "${!COMPREPLY[@]}"; do
    COMPREPLY[i]=${COMPREPLY[i]#"$cut"}
  done
  if [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *= ]]; then
    compopt -o nospace 2>/dev/null || :
  fi
  return 0
}
complete -o bashdefault -F _goemo_tui goemo-tui
"""
