"""Lay out the pages of the documentation's site: `python tools/site/pages.py FOLDER`, then `zensical build` in it.

Pages of `docs/` are taken as they are, README, CONTRIBUTING and CHANGELOG too; every shipped YAML is listed with its
comments; the reference has every class that a YAML can name, from its docstring.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OF_ROOT = {"README.md": "index.md", "CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}
"""Pages of the repository's own folder, and what they are called on the site."""

ROOMS = {
    "data": "Data sets: `data=`",
    "wsss": "Pseudo labels: `wsss=`",
    "backbone": "Vision transformers: `backbone=`",
    "uss": "Pixel features: `uss=`",
    "debias": "Debiasing: `centroids=`",
    "segment": "Segmenters: `segmenter=`",
    "train": "Labels and teacher: `train=`",
    "mixing": "Mixing images: `mixing=`",
    "rounds": "Labels of later rounds: `rounds=`",
    "trainer": "Trainers: `trainer=`",
    "choices": "What a data set and features prefer",
    "size": "Networks and lengths for a CPU, or as published: `size=`",
    "sweeps": "Sweeps",
}

REFERENCE = {
    "data": "Data modules",
    "modules": "Modules: one stage each",
    "callbacks": "Callbacks, writers and loggers",
    "refinement": "Refinement",
    "networks": "Networks, losses and parts of methods",
}
"""Pages of the reference; `page_of` says which class goes on which."""

API = ("debiased_centroids", "debias", "DebiasedCentroids", "Complement", "WeightedCrossEntropy", "predict")


def write_pages(folder: Path) -> None:
    """Write the site's settings and all its pages into a new ``folder``."""
    docs = folder / "docs"
    shutil.copytree(ROOT / "docs", docs)
    for path in docs.glob("*.md"):
        path.write_text(to_site(path.read_text()))
    for source, page in OF_ROOT.items():
        (docs / page).write_text(to_site((ROOT / source).read_text()))
    (docs / "settings.md").write_text(settings_page())
    (docs / "reference").mkdir()
    named = sorted(named_classes())
    for page, title in REFERENCE.items():
        chosen = [name for name in named if page_of(name) == page]
        (docs / "reference" / f"{page}.md").write_text(reference_page(title, chosen))
    (docs / "reference/api.md").write_text(reference_page("From Python", [f"mars_pl.api.{name}" for name in API]))
    settings = (ROOT / "tools/site/mkdocs.yml").read_text()
    (folder / "mkdocs.yml").write_text(settings.replace("REPOSITORY", str(ROOT)))


def to_site(markdown: str) -> str:
    """Rewrite links of Markdown from the repository's folders to the site's pages."""
    for source, page in OF_ROOT.items():
        markdown = re.sub(rf"\]\((?:\.\./)?{re.escape(source)}(#[^)]*)?\)", rf"]({page}\1)", markdown)
    markdown = re.sub(r"\]\(docs/([^)]*)\)", r"](\1)", markdown)
    return re.sub(r"\[([^\]]*)\]\((?:\.\./)?(?:CITATION\.cff|LICENSE)\)", r"\1", markdown)  # are no pages


def settings_page() -> str:
    """Return every shipped YAML as it is: its comments say the source of what it sets."""
    lines = [
        "# Every YAML that ships",
        "",
        "A stage reads them from left to right; [the pipeline](pipeline.md) says which. Each names its source. A "
        "default that no YAML sets stands in the reference, with the class that takes it.",
    ]
    for room, title in ROOMS.items():
        lines += ["", f"## {title}"]
        for path in sorted((ROOT / "configs" / room).rglob("*.yaml")):
            lines += ["", f"### {path.relative_to(ROOT / 'configs')}", "", "```yaml", path.read_text().rstrip(), "```"]
    return "\n".join(lines) + "\n"


def named_classes() -> Iterator[str]:
    """Yield the full name of every class of ours that a YAML names, each once."""
    pattern = re.compile(r"\b(?:mars_pl|callbacks|datamodules)(?:\.[a-z_0-9]+)+\.[A-Z]\w*")
    yield from {name for path in (ROOT / "configs").rglob("*.yaml") for name in pattern.findall(path.read_text())}


def page_of(name: str) -> str:
    """Return the page of the reference that a class belongs to, by its full name."""
    if name.startswith("datamodules."):
        return "data"
    if name.startswith(("callbacks.", "mars_pl.dashboards.")):
        return "callbacks"
    if name.startswith("mars_pl.refine."):
        return "refinement"
    return "modules" if name.endswith("Module") else "networks"


def reference_page(title: str, names: list[str]) -> str:
    """Return a page with the docstring of each class."""
    return "\n\n".join([f"# {title}", *(f"::: {name}" for name in names)]) + "\n"


if __name__ == "__main__":
    write_pages(Path(sys.argv[1]))
