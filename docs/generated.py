"""What is made from the sources: docs/api.md, the man page, and the shells' completion that a wheel ships.

python docs/generated.py            writes them anew (`make man`)
python docs/generated.py --check    says which differ, and fails
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS.parent))
sys.path.insert(0, str(DOCS))

SHELLS = {"bash": "goemo-tui.bash", "zsh": "_goemo-tui", "fish": "goemo-tui.fish"}


def made() -> dict[Path, str]:
    """Path -> what is to stand there."""
    import api_page
    import man_page

    from goemo_tui.commands.completion import script

    return {
        DOCS / "api.md": api_page.page(),
        DOCS / "goemo-tui.1": man_page.page(),
        **{DOCS / "completion" / name: script(shell) for shell, name in SHELLS.items()},
    }


def main() -> int:
    """Write, or compare."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--check", action="store_true", help="write nothing")
    check = options.parse_args().check
    differ = []
    for path, text in made().items():
        if path.is_file() and path.read_text("utf-8") == text:
            continue
        differ.append(path)
        if not check:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, "utf-8")
    shown = ", ".join(str(path.relative_to(DOCS.parent)) for path in differ)
    if check and differ:
        print(f"not as the sources have it: {shown}. Made anew by: python docs/generated.py", file=sys.stderr)
        return 1
    print(f"made anew: {shown}" if differ else "all is as the sources have it")
    return 0


if __name__ == "__main__":
    sys.exit(main())
