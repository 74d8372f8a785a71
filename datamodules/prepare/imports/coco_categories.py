"""COCO's JSON with categories of one's own: image labels, and masks where every object has its shape."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from datamodules.errors import DataError
from datamodules.prepare.coco_annotations import checked_shape
from datamodules.prepare.imports.export import Export, ExportedImage, Region, once, split_of, text_at
from datamodules.prepare.imports.json_file import read_export_json

TABLES = ("images", "annotations", "categories")


def read_coco_categories(source: Path) -> Export:
    """Read a file of instances; the classes are its categories in the order of their ids.

    A category that only stands above others and has no object, as Roboflow writes it, is none.

    Args:
        source: the JSON file.

    Raises:
        DataError: where it is none, or an entry is at fault.
    """
    content = read_export_json(source)
    tables = content if isinstance(content, dict) else {}
    images, annotations, categories = (_entries(source, tables, name) for name in TABLES)
    names = _names(source, categories, annotations)
    of_image: dict[int, list[Mapping[str, Any]]] = {}
    for entry in annotations:
        of_image.setdefault(_id(source, "an annotation's image_id", entry.get("image_id")), []).append(entry)
    found = []
    for entry in images:
        place = text_at(source, "an image's file_name", entry.get("file_name")).replace("\\", "/")
        objects = of_image.pop(_id(source, f"{place}: its id", entry.get("id")), [])
        regions = _regions(source, place, entry, objects, names)
        shown = once(names[_category(source, place, one, names)] for one in objects)
        found.append(ExportedImage(place, shown, regions, split_of(place.split("/")[:-1])))
    if of_image:
        raise DataError(f"{source}: an annotation is of image {next(iter(of_image))}, which is none; export it again")
    if not found:
        raise DataError(f"{source}: names no images; export it again")
    return Export(tuple(names.values()), found)


def _entries(source: Path, tables: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    entries = tables.get(name)
    if not isinstance(entries, list) or not all(isinstance(one, dict) for one in entries):
        raise DataError(f"{source}: no list of {name}; COCO's instances have images, annotations and categories")
    return entries


def _names(source: Path, categories: list[Any], annotations: list[Any]) -> dict[int, str]:
    above = {str(one.get("supercategory")) for one in categories if one.get("supercategory") != one.get("name")}
    used = {str(one.get("category_id")) for one in annotations}
    named = {
        _id(source, "a category's id", one.get("id")): text_at(source, "a category's name", one.get("name"))
        for one in categories
        if not (isinstance(one.get("name"), str) and one["name"] in above and str(one.get("id")) not in used)
    }
    if not named or len(set(named.values())) < len(named):
        raise DataError(f"{source}: no categories, or two of one name; mend them there")
    return dict(sorted(named.items()))


def _id(source: Path, where: str, value: Any) -> int:
    if type(value) is not int:
        raise DataError(f"{source}: {where} is no whole number but {str(value)[:60]!r}; export it again")
    return value


def _category(source: Path, place: str, entry: Mapping[str, Any], names: Mapping[int, str]) -> int:
    category = entry.get("category_id")
    if type(category) is not int or category not in names:
        raise DataError(f"{source}: {place}: category {str(category)[:60]} is none of the file's; export it again")
    return category


def _regions(
    source: Path, place: str, image: Mapping[str, Any], objects: list[Mapping[str, Any]], names: Mapping[int, str]
) -> tuple[Region, ...]:
    """The shapes of all objects; none where one is a box alone."""
    height, width = image.get("height"), image.get("width")
    if not objects or not all(one.get("segmentation") for one in objects):
        return ()
    if type(height) is not int or type(width) is not int:
        raise DataError(f"{source}: {place}: no height and width in whole numbers; export it again")
    try:
        return tuple(
            Region(names[_category(source, place, one, names)], checked_shape(one["segmentation"], height, width))
            for one in objects
        )
    except DataError as error:
        text = str(error)
        raise DataError(text if text.startswith(str(source)) else f"{source}: {place}: {text}") from None
