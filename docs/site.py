"""`make docs`: README, these pages and the measurements as a site in build/site, which needs no network to be read.

Files are laid out as in the checkout, so that every link works there and here. What the generator would fetch from elsewhere
when a page is read is switched off; a link that leads nowhere and anything loaded from another host fail the build.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag

import tomli_w

ROOT = Path(__file__).parent.parent

COPIED = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "data/wordnet/LICENSE", "data/starter/README.md",
          "benchmarks/*.md", "docs/*.md", "docs/*.svg", "docs/*.css", "docs/guide/*.md", "docs/examples/*.py", "docs/docker/*")  # fmt: skip

RIGHT_TO_LEFT = ("docs/guide/ar.html",)
AROUND = {"On this page": "في هذه الصفحة", ">Search<": ">بحث<", "Back to top": "إلى الأعلى"}
"""Pages in Arabic, and what the generator, which knows one language a site, says around them."""

NAV = [
    {"goemo-tui": "README.md"},
    {"Install": "docs/install.md"},
    {"A tour": "docs/tour.md"},
    {"Guide": [{"English": "docs/guide/en.md"}, {"العربية": "docs/guide/ar.md"}]},
    {"How to": [{"Whole files": "docs/score.md"}, {"Why": "docs/why.md"}, {"Suspect labels": "docs/suspects.md"}]},
    {"As a library": "docs/api.md"},
    {"Durability": "docs/durability.md"},
    {
        "Measured": [
            {"Quality": "benchmarks/QUALITY.md"},
            {"Speed": "benchmarks/RESULTS.md"},
            {"Size": "benchmarks/SCALE.md"},
        ]
    },
    {"Contributing": "CONTRIBUTING.md"},
    {"Changes": "CHANGELOG.md"},
]
"""The order of the pages that have a place of their own; all others in docs/ come under More."""

THEME = {
    "language": "en", "font": False,
    "features": ["content.code.copy", "navigation.footer", "navigation.top", "search.highlight", "navigation.sections"],
    "palette": [
        {"media": "(prefers-color-scheme: light)", "scheme": "default", "toggle": {"icon": "lucide/sun", "name": "Dark"}},
        {"media": "(prefers-color-scheme: dark)", "scheme": "slate", "toggle": {"icon": "lucide/moon", "name": "Light"}},
    ],
}  # fmt: skip

EXTENSIONS = {
    "md_in_html": {}, "attr_list": {}, "tables": {}, "toc": {"permalink": True},
    "pymdownx": {"highlight": {"pygments_lang_class": True}, "superfences": {}},
}  # fmt: skip


def build(folder: Path) -> Path:
    """The site below `folder`; its own folder. Raises SystemExit where the generator or the check finds something."""
    pages, site = folder / "pages", folder / "site"
    for old in (pages, site):
        shutil.rmtree(old, ignore_errors=True)
    for pattern in COPIED:
        for source in sorted(ROOT.glob(pattern)):
            to = pages / source.relative_to(ROOT)
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, to)
    project = {
        "site_name": "goemo-tui", "docs_dir": "pages", "site_dir": "site", "use_directory_urls": False, "nav": _nav(),
        "site_description": "Know a corpus of emotional comments, fine-tune a small encoder on it, see what a sentence feels.",
        "extra_css": ["docs/site.css"], "theme": THEME, "markdown_extensions": EXTENSIONS,
    }  # fmt: skip
    config = folder / "zensical.toml"
    config.write_text(tomli_w.dumps({"project": project}), "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "zensical", "build", "--clean", "--strict", "-f", str(config)], cwd=folder
    )
    if done.returncode:
        raise SystemExit(f"zensical found something wrong (exit code {done.returncode})")
    for name in RIGHT_TO_LEFT:
        _turn(site / name)
    wrong = list(troubles(site))
    if wrong:
        raise SystemExit("\n".join(["the site is not whole:", *wrong]))
    return site


def _nav() -> list[dict[str, object]]:
    named = re.findall(r"docs/[\w/.-]+\.md", str(NAV))
    more = [p for p in sorted((ROOT / "docs").glob("*.md")) if f"docs/{p.name}" not in named]
    others = [{_title(p): f"docs/{p.name}"} for p in more]
    return [*NAV, {"More": others}] if others else list(NAV)


def _title(page: Path) -> str:
    found = re.search(r"^# (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return found[1].replace("`", "") if found else page.stem


def _turn(page: Path) -> None:
    """A page that is read from right to left, with all that stands around it."""
    text = page.read_text("utf-8")
    for english, arabic in AROUND.items():
        text = text.replace(english, arabic)
    turned = text.replace('<html lang="en"', '<html lang="ar"', 1).replace('<body dir="ltr"', '<body dir="rtl"', 1)
    if turned.count('<body dir="rtl"') != 1:
        raise SystemExit(f"{page}: no body to turn round")
    page.write_text(turned, "utf-8")


class Links(HTMLParser):
    """What a page leads to, what it loads, and where in it one can be led to."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.to: list[str] = []
        self.loads: list[str] = []
        self.ids: set[str] = set()
        self.feed(page.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at one tag."""
        has = {name: value or "" for name, value in attrs}
        self.ids |= {has[name] for name in ("id", "name") if name in has}
        if tag == "a" and "href" in has:
            self.to.append(has["href"])
        elif tag == "link" and has.get("rel") not in ("canonical", "alternate", "prev", "next"):
            self.loads.append(has.get("href", ""))
        elif "src" in has:
            self.loads.append(has["src"])


def troubles(site: Path) -> Iterator[str]:
    """Links that lead nowhere, and what would be loaded from another host, page by page."""
    pages = {page: Links(page) for page in sorted(site.rglob("*.html")) if page.name != "404.html"}
    for page, links in pages.items():
        shown = page.relative_to(site)
        for link in (*links.to, *links.loads):
            if re.match(r"[a-z]+:|//", link):
                if link in links.loads and not link.startswith("data:"):
                    yield f"{shown} loads {link}"
                continue
            path, place = urldefrag(link)
            target = (page.parent / unquote(path)).resolve() if path else page
            target = target / "index.html" if target.is_dir() else target
            if not target.is_file():
                yield f"{shown} leads to {link}, which is not there"
            elif place and target in pages and unquote(place) not in pages[target].ids:
                yield f"{shown} leads to {link}, and there is no such place on that page"
    for sheet in site.rglob("*.css"):
        yield from (
            f"{sheet.relative_to(site)} loads {url}"
            for url in re.findall(r"url\(\"?(https?:[^)]+)", sheet.read_text("utf-8"))
        )


def main() -> int:
    """Build, and say where."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("folder", nargs="?", type=Path, default=ROOT / "build")
    folder = options.parse_args().folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    site = build(folder)
    print(f"{site / 'index.html'}: {len(list(site.rglob('*.html')))} pages")
    return 0


if __name__ == "__main__":
    sys.exit(main())
