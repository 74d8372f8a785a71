"""A folder a class: ``cat/x.jpg``, perhaps below ``images``, ``train`` and ``val``."""

from __future__ import annotations

from pathlib import Path

from datamodules.errors import DataError
from datamodules.files.image_folder import files_below
from datamodules.files.image_list import SUFFIXES, is_hidden
from datamodules.prepare.imports.export import SPLITS, Export, ExportedImage, split_of


def read_class_folders(source: Path) -> Export:
    """Read which classes images show from the folders that they lie in.

    An image that lies, the same to the last byte, in several folders shows the classes of all.

    Args:
        source: holds a folder a class, or ``train`` and ``val`` that do.

    Raises:
        DataError: where images lie in no such folder, or two of one name are not the same.
    """
    found: dict[str, ExportedImage] = {}
    for path in sorted(files_below(source)):
        place = path.relative_to(source)
        if is_hidden(place) or path.suffix.lower() not in SUFFIXES or not path.is_file():
            continue
        parts = [part for part in place.parts[:-1] if part.lower() not in SPLITS]
        parts = parts[1:] if parts[:1] == ["images"] else parts
        if not parts:
            raise DataError(f"{path}: lies in no folder of a class; put it into one that has the class's name")
        before = found.get(path.name)
        if before is None:
            found[path.name] = ExportedImage(path.name, (parts[0],), split=split_of(place.parts[:-1]), file=path)
        elif before.file is not None and before.file.read_bytes() == path.read_bytes():
            names = tuple(dict.fromkeys([*before.names, parts[0]]))
            found[path.name] = ExportedImage(path.name, names, split=before.split, file=before.file)
        else:
            raise DataError(f"{path}: called like {before.file} and another image; rename one of them")
    if not found:
        raise DataError(f"{source}: no images ({', '.join(SUFFIXES)}) in folders of classes; name the one above")
    classes = sorted({name for image in found.values() for name in image.names})
    return Export(tuple(classes), list(found.values()))
