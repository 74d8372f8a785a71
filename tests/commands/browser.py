"""A headless Chromium, the machine's own: Playwright drives it and downloads none."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@contextmanager
def chromium() -> Iterator[Any]:
    """Start a browser; the test is skipped where there is none, or Playwright is not installed."""
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip(f"no browser: none of {', '.join(NAMES)} is on the path")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


class Watched:
    """A page, and all that it should not do: errors and messages of its console, requests other than for files."""

    def __init__(self, browser: Any, path: Path, width: int, scheme: str = "light") -> None:
        self.faults: list[str] = []
        self.files: list[str] = []
        self.page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        self.page.set_default_timeout(20_000)
        self.page.on("console", lambda message: self.faults.append(f"console: {message.text}"))
        self.page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        self.page.on("request", lambda request: self._requested(request.url))
        self.page.on("requestfailed", lambda request: self.faults.append(f"failed: {request.url[:200]}"))
        self.page.goto(path.resolve().as_uri())

    def _requested(self, url: str) -> None:
        if url.startswith("file:"):
            self.files.append(url)
        elif not url.startswith("data:"):
            self.faults.append(f"request: {url}")

    def texts(self, selector: str) -> list[str]:
        """What the elements say."""
        return [text.strip() for text in self.page.locator(selector).all_inner_texts()]
