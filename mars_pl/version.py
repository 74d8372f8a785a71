"""The version of the package that runs."""

from __future__ import annotations

import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

BEHIND_FIGURES = ("torch", "torchvision", "pytorch-lightning", "timm", "numpy")
"""Packages on whose versions the last digits of figures hang."""

CHECKOUT = Path(__file__).resolve().parents[1] / "pyproject.toml"


def running_version() -> str:
    """Return the installed version; that of a checkout that was never installed ends in ``+checkout``."""
    try:
        return version("mars-pl")
    except PackageNotFoundError:
        said = tomllib.loads(CHECKOUT.read_text(encoding="utf-8"))["project"]["version"] if CHECKOUT.is_file() else "0"
        return f"{said}+checkout"


def installed_version(package: str) -> str | None:
    """Return the version of a package that is installed, or None."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None
