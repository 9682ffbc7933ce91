"""Whether what is made here can be kept: runs, models, what was chosen. Found out by making the folder that holds them.

Knows no widget.
"""

from __future__ import annotations

import os

from trainer import paths


def trouble() -> str:
    """Why nothing can be kept where runs are, and what to do; empty where all is well."""
    home = paths.home()
    try:
        paths.private_folder(home)
        if not home.is_dir():
            why = "it is no folder"
        elif not os.access(home, os.W_OK | os.X_OK) or os.statvfs(home).f_flag & os.ST_RDONLY:
            why = "it cannot be written"
        else:
            return ""
    except OSError as error:
        why = error.strerror or str(error)
    return f"nothing can be kept in {home}: {why}. Let GOEMO_HOME name a folder of yours"
