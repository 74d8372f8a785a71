"""The documentation builds as a site, without a warning; a link to nowhere is one."""

import inspect
import re
import subprocess
import sys

import pytest

import mars_pl.api
from tests.pipeline.tiny_run import REPOSITORY

PAGES = REPOSITORY / "tools/site/pages.py"


def build(folder):
    return subprocess.run(
        [sys.executable, "-m", "zensical", "build", "--strict"], cwd=folder, capture_output=True, text=True, timeout=300
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("docs") / "site"
    subprocess.run([sys.executable, str(PAGES), str(folder)], check=True)
    built = build(folder)
    assert built.returncode == 0, built.stdout + built.stderr
    assert "No issues found" in built.stderr + built.stdout
    return folder


def words(page):
    return re.sub(r"<[^>]*>", "", page.read_text())


def test_every_page_is_there_and_in_the_navigation(site):
    pages = {path.relative_to(site / "docs").with_suffix(".html") for path in (site / "docs").rglob("*.md")}
    assert pages <= {path.relative_to(site / "site") for path in (site / "site").rglob("*.html")}
    listed = set(re.findall(r": ([\w/]+)\.md", (site / "mkdocs.yml").read_text()))
    assert {str(page.with_suffix("")) for page in pages} == listed


def test_nothing_is_fetched_from_elsewhere(site):
    for page in (site / "site").rglob("*.html"):
        fetched = re.findall(r'<(?:script|img|link)[^>]+(?:src|href)="(https?://[^"]+)"', page.read_text())
        assert not fetched, page


def test_the_reference_says_defaults_as_values(site):
    modules = words(site / "site/reference/modules.html")
    assert "foreground_clusters=2" in modules
    assert "FOREGROUND_CLUSTERS" not in modules


def test_the_python_door_is_told_with_its_settings(site):
    page = words(site / "site/reference/api.html")
    assert "lift_quantile" in page
    for name in mars_pl.api.__all__:
        first = inspect.getdoc(getattr(mars_pl.api, name)).splitlines()[0]
        assert re.sub(r"[`]", "", first).split("(")[0].strip() in page, name


def test_every_yaml_is_listed(site):
    settings = words(site / "site/settings.html")
    for path in (REPOSITORY / "configs").rglob("*.yaml"):
        assert str(path.relative_to(REPOSITORY / "configs")) in settings


def test_a_link_to_nowhere_is_a_fault(site):
    page = site / "docs/method.md"
    page.write_text(page.read_text() + "\n[nowhere](nowhere.md)\n")
    assert build(site).returncode != 0
