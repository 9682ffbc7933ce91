"""The terminal in a browser on this machine: `goemo-tui --web`, through textual-serve (extra `web`).

One visitor is one process of the app, which ends with its tab. Nothing here is imported by the app itself.
"""

DRIVER = "goemo_tui.web.driver:PipeDriver"
"""What Textual is told to draw with, by the environment of the app's process."""
