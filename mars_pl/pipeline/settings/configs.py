"""Where YAMLs lie: a person's own in `configs` here; the shipped ones beside the package, or within it in a wheel."""

from __future__ import annotations

from pathlib import Path

from datamodules.errors import DataError

OWN = Path("configs")
"""A person's own YAMLs, by the names that the shipped ones would have."""

_PACKAGE = Path(__file__).resolve().parents[2]


def config_folder() -> Path:
    """Return the folder of the shipped configurations.

    Raises:
        DataError: where the installation lacks them.
    """
    for folder in (_PACKAGE / "configs", _PACKAGE.parent / "configs"):
        if (folder / "data").is_dir():
            return folder
    raise DataError(f"{_PACKAGE}: the installation lacks its configs; install mars-pl again")


def find_config(name: str) -> Path:
    """Return a YAML by its path, or by its name: ``wsss/cam`` for ``configs/wsss/cam.yaml``, here or as shipped.

    Raises:
        DataError: where there is neither.
    """
    shipped = config_folder()
    own = [] if OWN.resolve() == shipped else [OWN]  # in a checkout both are one folder
    for folder in (Path(), *own, shipped):
        for path in (folder / name, folder / f"{name}.yaml"):
            if path.is_file():
                return path
    room = (shipped / name).parent
    there = ", ".join(sorted(path.stem for path in room.glob("*.yaml"))) if room.is_dir() else ""
    beside = f"; {room.name}/ has {there}" if there else f"; `ls {shipped}` shows the rooms"
    raise DataError(f"{name}: no such YAML here or among the shipped configs{beside}")
