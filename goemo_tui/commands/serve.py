"""`goemo-tui serve`: a model behind HTTP, on this machine alone unless there is a token. Does its work in this process.

stdout is the address, once texts are taken; stderr is talk.
"""

from __future__ import annotations

import argparse
import os
import stat
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from goemo_tui.commands.progress import say
from goemo_tui.safe_text import clean, json_line
from trainer.errors import ConfigError, GoemoError, NotFoundError

if TYPE_CHECKING:
    from trainer.address import Address
    from trainer.infer.predictor import Predictor
    from trainer.serve.limits import Limits
    from trainer.serve.watch import Asked

VARIABLE = "GOEMO_SERVE_TOKEN"

SHORTEST = 16
"""Characters of a token; a shorter one can be guessed."""

BOUNDS = {
    "max-texts": ("texts", "texts of one request"),
    "max-characters": ("characters", "characters of one text"),
    "max-body": ("body_bytes", "bytes of one request"),
    "queue": ("queue", "texts that wait; more are answered with 429"),
}
"""Option -> the field of `Limits`, and what it bounds."""


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "serve",
        help="a model behind HTTP, for other programs",
        description="Answer POST /v1/predict with what each text feels, until ctrl-c or SIGTERM; then whoever asked still "
        "gets an answer. GET /v1/model, /healthz, /readyz, /metrics and /openapi.json tell the rest. Listens on this "
        f"machine alone, unless --token-file or {VARIABLE} gives a token.",
    )
    parser.add_argument(
        "--http", metavar="HOST:PORT", default="127.0.0.1:8000", help="where to listen; port 0: a free one"
    )
    parser.add_argument("--model", help="a run, an imported model, a folder, a Hub name or starter")
    parser.add_argument("--threshold", default="tuned", help="tuned (the model's own), or one value such as 0.3")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps")
    parser.add_argument("--token-file", metavar="FILE", help="a file whose first line is the token that is asked for")
    for option, (_, about) in BOUNDS.items():
        parser.add_argument(f"--{option}", metavar="N", type=int, help=about)
    parser.add_argument(
        "--deadline", metavar="SECONDS", type=float, help="how long a request may wait before it gets 503 (default: 30)"
    )
    parser.add_argument(
        "--access-log", action="store_true", help="a line on stderr for each request, without its texts"
    )
    parser.add_argument("--json", action="store_true", help="the address as one JSON document on stdout")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Serve until a signal comes. Raises GoemoError."""
    _installed()
    from goemo_tui import crash
    from goemo_tui.settings import read_settings
    from trainer.address import address, hosts, listen, shown
    from trainer.infer.predictor import Predictor
    from trainer.modelfolder import find_model
    from trainer.serve.gate import Rules
    from trainer.serve.running import Told, serve

    limits = _limits(options)
    where = address(options.http)
    token = read_token(options.token_file)
    _may_listen(where, token)
    settings, _ = read_settings()
    folder = find_model(options.model, settings.model or None)
    listening = listen(where)
    port = listening.getsockname()[1]
    if token and not where.is_loopback:
        say("others reach this machine here: nothing is encrypted, so let only a proxy with TLS be reached from afar")

    def load() -> Predictor:
        predictor = Predictor(folder, options.device, options.threshold)
        predictor.predict(["warm"])  # the first pass takes longer than those that follow
        return predictor

    def ready(predictor: Predictor) -> None:
        for text in predictor.warnings:
            say(text)
        url = shown(where, port)
        document = json_line({"address": url, "model": predictor.name, "pid": os.getpid()})
        print(document if options.json else url, flush=True)

    told = Told(
        ready, _log if options.access_log else lambda asked: None, lambda error: _unforeseen(crash.log_error, error)
    )
    try:
        return serve(load, listening, Rules(token, hosts(where, port)), limits, told)
    finally:
        listening.close()


def read_token(file: str | None) -> str | None:
    """The token of the file, else of the environment, which forgets it; None where there is neither. Raises GoemoError."""
    named = os.environ.pop(VARIABLE, None)
    if file is None:
        return None if named is None else _checked(named, VARIABLE)
    from trainer.paths import expanded

    path = expanded(file)
    try:
        lines = path.read_text("utf-8").splitlines()
        open_to = stat.S_IMODE(Path(path).stat().st_mode) & 0o077
    except FileNotFoundError:
        raise NotFoundError(f"--token-file {file}: no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise GoemoError(f"--token-file {file}: cannot be read ({error})") from None
    if open_to:
        say(f"{path} can be read by others on this machine: chmod 600 keeps it yours")
    return _checked(lines[0] if lines else "", f"--token-file {file}")


def _checked(token: str, where: str) -> str:
    token = token.strip()
    if len(token) < SHORTEST or not token.isascii() or not token.isprintable() or " " in token:
        raise ConfigError(
            f"{where}: a token has at least {SHORTEST} letters, digits or signs and no blank; "
            "openssl rand -hex 32 makes one",
            key="token",
        )
    return token


def _may_listen(where: Address, token: str | None) -> None:
    if token is None and not where.is_loopback:
        raise ConfigError(
            f"--http {where.host}:{where.port}: others could reach it, and anybody could ask. Listen on 127.0.0.1, or "
            f"give a token with --token-file or {VARIABLE}",
            key="http",
        )


def _limits(options: argparse.Namespace) -> Limits:
    from trainer.serve.limits import Limits

    given = {field: getattr(options, option.replace("-", "_")) for option, (field, _) in BOUNDS.items()}
    given["wait_s"] = options.deadline
    named = {field: value for field, value in given.items() if value is not None}
    if "queue" in named:
        named.setdefault("texts", max(1, min(Limits.texts, named["queue"])))
    return Limits(**named)


def _installed() -> None:
    try:
        for name in ("fastapi", "prometheus_client", "uvicorn"):
            import_module(name)
    except ImportError as error:
        raise GoemoError(
            f"{error.name} is not installed, which serving needs: pip install 'goemo-tui[serve]'"
        ) from None


def _log(asked: Asked) -> None:
    when = time.strftime("%Y-%m-%d %H:%M:%S")
    code = asked.code or "gone"
    print(
        f"{when} {clean(asked.client)} {asked.method} {asked.route} {code} {asked.seconds * 1000:.0f} ms",
        file=sys.stderr, flush=True,
    )  # fmt: skip


def _unforeseen(log_error: Callable[[BaseException, str], str], error: BaseException) -> str:
    error_id = log_error(error, "goemo-tui serve")
    say(f"a request failed; the log knows it as {error_id}")
    return error_id
