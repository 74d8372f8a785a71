"""Class scores of other projects become label files."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from datamodules.errors import DataError
from datamodules.files.about import write_about
from datamodules.files.image_folder import ImageFolder
from datamodules.files.labels import Label, as_label, write_label
from datamodules.foreign.scores import SCORE_READERS, keys_hold_background, seam_content
from mars_pl.commands.file_loop import each_image, image_ids
from mars_pl.commands.labels.against_labels import contradictions, shown_in, tell
from mars_pl.commands.labels.from_scores import LabelRule, ScoreFolder, label_of
from mars_pl.commands.labels.label_folder import claim
from mars_pl.commands.labels.options import chosen_classes
from mars_pl.commands.labels.sweep import Count, Sweep

SUFFIXES = {"irn": ".npy", "seam": ".npy", "rsepm": ".pkl"}

JUDGED = 16
"""Of IRN's files so many are asked whether their keys hold the background."""

PUBLISHED = {"irn": LabelRule(background=0.15), "seam": LabelRule(background=0.26), "rsepm": LabelRule(alpha=2.0)}
"""Kind → the background its own scripts take (eval_cam.py, infer_SEAM.py, convert_seed_to_pseudo_masks.py)."""


def run(options: argparse.Namespace) -> None:
    """Import the kinds `irn`, `seam` and `rsepm`; raises DataError where files or options are at fault."""
    num_classes, over = chosen_classes(options)
    ids = image_ids(options.list, options.source, SUFFIXES[options.kind])
    source = _open(options, ids, num_classes)
    shown = shown_in(options, ids)
    rule = _rule(options, source.own_background)
    swept_ids, split = _sweep_images(options, ids)
    target = claim(options.target)
    origin = ""
    if options.sweep:
        count = Count(source, options.truth, rule, options.sweep)
        counts = each_image(count, swept_ids, "sweeping", options.workers, processes=bool(rule.crf))
        sweep = Sweep.from_counts(counts, over, split, rule, options.sweep)
        rule = replace(rule, background=rule.background if sweep.chosen is None else sweep.chosen)
        sweep.print()
        sweep.write(target / "sweep.json")
        origin = f", {sweep.verdict}"
    refined = rule.crf is not None or source.form == "seam-crf"
    note = f"{source.form} scores of {source.folder}; {rule}{origin}"
    write_about(target, refinement="crf" if refined else "none", note=note)
    make = Make(source, rule, target)
    classes = list(each_image(make, ids, "importing", options.workers, processes=bool(rule.crf)))
    print(f"{len(classes):,} labels in {target}: {rule}, refinement {rule.crf or 'none'}")
    tell([contradictions(shown, name, source.path(name), held) for name, held in zip(ids, classes, strict=True)])


@dataclass(frozen=True)
class Make:
    """Makes the label file of one image; a worker process can be given it."""

    source: ScoreFolder
    rule: LabelRule
    target: Path

    def __call__(self, image_id: str) -> Label:
        """Write `<id>.png`; returns the classes of its scores. Raises DataError where scores or image are at fault."""
        scores = self.source.read(image_id)
        image = self.source.image(image_id) if self.rule.crf else None
        label = as_label(label_of(scores, self.rule, image), self.source.num_classes)
        write_label(self.target / f"{image_id}.png", label)
        return as_label(scores.class_ids, self.source.num_classes)


def _open(options: argparse.Namespace, ids: Sequence[str], num_classes: int) -> ScoreFolder:
    """Look at the first file with a class for what the folder holds."""
    images = None if options.images is None else ImageFolder(options.images)
    source = ScoreFolder(options.kind, options.source, SUFFIXES[options.kind], num_classes, images=images)
    if options.kind == "irn":
        source = replace(source, form=_irn_form(options, [source.path(image_id) for image_id in ids[:JUDGED]]))
    content = getattr(options, "content", "auto")
    for image_id in ids:
        path = source.path(image_id)
        try:
            if options.kind == "seam":
                source = replace(source, form=seam_content(path) if content == "auto" else f"seam-{content}")
            scores = SCORE_READERS[source.form](path, num_classes)
        except DataError:  # met again, and counted, when every file is read
            continue
        if len(scores.maps):
            return replace(source, own_background=scores.background is not None)
    return source


def _irn_form(options: argparse.Namespace, first: Sequence[Path]) -> str:
    """Return which keys IRN's files have, as told; raises DataError where nobody told and 0 looks like background."""
    if options.keys is not None:
        return "irn-background" if options.keys == "background" else "irn"
    try:
        doubtful = keys_hold_background(first)
    except DataError:  # met again, and counted, when every file is read
        doubtful = False
    if doubtful:
        fault = "each of the first files has key 0 before others, as if it were the background"
        raise DataError(f"{options.source}: {fault}; say --keys background, or --keys classes if all show class 1")
    return "irn"


def _rule(options: argparse.Namespace, own_background: bool) -> LabelRule:
    """The background that is asked for, else the sweep's to be chosen, else the published one; and its CRF."""
    if own_background:
        if options.sweep or options.background is not None or options.alpha is not None:
            fault = "the scores have a background of their own"
            raise DataError(f"{options.source}: {fault}; leave --background, --alpha and --sweep away")
        rule = LabelRule()
    elif options.background is not None or options.alpha is not None:
        rule = LabelRule(options.background, options.alpha)
    else:
        rule = LabelRule() if options.sweep else PUBLISHED[options.kind]
    if options.refine == "none":
        if options.crf:
            raise DataError(f"--crf {options.crf}: there is no refinement; add --refine crf or leave it away")
        return rule
    if options.images is None:
        raise DataError("--refine crf: it follows the images; name their folder by --images")
    from mars_pl.refine.dense_crf import DenseCRF  # starts torch

    soft = own_background or rule.alpha is not None
    preset = options.crf or ("irn-label" if not soft else "deeplab" if options.kind == "rsepm" else "cam")
    DenseCRF(preset, options.crf_scale)  # refuses a name that it does not know
    return replace(rule, crf=preset, crf_scale=options.crf_scale)


def _sweep_images(options: argparse.Namespace, ids: Sequence[str]) -> tuple[Sequence[str], str]:
    """Return the images to sweep on and their split's name.

    Raises:
        DataError: where the options of the sweep do not go together, or there is no truth to measure against.
    """
    if bool(options.sweep) != bool(options.truth):
        raise DataError("--sweep and --truth go together: scores to try, and masks to measure them against")
    if not options.sweep:
        return [], ""
    if options.alpha is not None:
        raise DataError(f"--alpha {options.alpha:g}: the sweep is of a constant score; leave one of them away")
    listed = options.sweep_list or options.list
    split = options.split or (listed.stem if listed else None)
    if split is None:
        raise DataError("--sweep: its figures must name their images; name the split by --split")
    if options.sweep_list:
        image_ids(options.sweep_list, options.source, SUFFIXES[options.kind])
        return image_ids(options.sweep_list, options.truth, ".png"), split
    known = [image_id for image_id in ids if (options.truth / f"{image_id}.png").is_file()]
    if not known:
        raise DataError(f"{options.truth}: holds no truth of the images that are imported; is it the right folder?")
    partly = len(known) < len(ids) and not options.split
    return known, f"{split} where there is truth" if partly else split
