"""`goemo-tui --web`: the terminal in a browser on this machine. stdout is the address, stderr is talk."""

from __future__ import annotations

from importlib import import_module

from goemo_tui.commands.progress import say
from trainer.errors import ConfigError, GoemoError

PORT = 8080


def run(data: str | None, port: int | None) -> int:
    """Serve the app until a signal comes. Raises GoemoError."""
    port = PORT if port is None else port
    if not 0 <= port < 65_536:
        raise ConfigError(f"--port {port}: a port is a number from 0 (a free one) to 65535", key="port")
    try:
        for name in ("aiohttp", "aiohttp_jinja2", "textual_serve"):
            import_module(name)
    except ImportError as error:
        raise GoemoError(f"{error.name} is not installed, which --web needs: pip install 'goemo-tui[web]'") from None
    from goemo_tui.web.server import HOST, WebServer
    from trainer.address import Address, listen

    listening = listen(Address(HOST, HOST, port))
    say("ctrl-c ends it; the address is a secret of yours, for whoever opens it has the app in hand. Trainings go on.")
    return WebServer([data] if data else [], listening).run(lambda url: print(url, flush=True))
