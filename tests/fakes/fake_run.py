"""A finished run, fabricated: a run folder as the pipeline leaves it, with drawn pictures and invented numbers."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path

import numpy as np
from PIL import Image
from safetensors.numpy import save_file

from datamodules.files.labels import BIASED, write_label
from tests.callbacks.writing.candidates.tables import write_table

CLASSES = ("background", "train", "boat", "plane", "horse", "sheep", "dog")
COMPANIONS = {1, 2, 3}
SECONDS = {"wsss-classifier": 61, "wsss-labels": 22, "uss-fit": 49, "debias-centroids": 9, "debias-labels": 31}
SECONDS |= {"segment-baseline": 71, "segment": 96}
HEIGHT, WIDTH = 96, 128


def make_run(folder: Path, images: int = 18, *, supervised: bool = True, seed: int = 0) -> Path:
    """Write `folder/data/scenes` and `folder/runs/scenes`; return the latter."""
    rng = np.random.default_rng(seed)
    root, run = folder / "data" / "scenes", folder / "runs" / "scenes"
    labels = {
        "pseudo": "wsss-labels/mars",
        "debiased": "debias-labels",
        "similarity": "debias-labels/similarity",
        "complemented": "segment-complemented",
        "prediction": "segment-complemented/prediction",
    }
    for path in [root / "JPEGImages", root / "SegmentationClass", *[run / path for path in labels.values()]]:
        path.mkdir(parents=True, exist_ok=True)
    ids = [f"scene_{index:05d}" for index in range(images)]
    for index, image_id in enumerate(ids):
        drawn = _draw(rng, index % 6 + 1)
        Image.fromarray(drawn["image"]).save(root / "JPEGImages" / f"{image_id}.jpg", quality=92)
        write_label(root / "SegmentationClass" / f"{image_id}.png", drawn["truth"])
        for name, path in labels.items():
            if name == "similarity":
                Image.fromarray(drawn[name]).save(run / path / f"{image_id}.png")
            else:
                write_label(run / path / f"{image_id}.png", drawn[name])
    _candidates(rng, ids, run)
    _numbers(run, rng, images, supervised)
    stages = {name: name for name in (*SECONDS, "segment-complemented")}
    manifest = {"data": "scenes", "seed": seed, "root": str(root), "split": "train", "network_split": "val"}
    choices = {"wsss": "cam", "uss": "stego", "segmenter": "small", "train": "mars"}
    rows = {path.stem: f"rows/{path.name}" for path in sorted((run / "rows").glob("*.json"))}
    names = {"choices": choices, "classes": CLASSES, "rows": rows, "stages": stages, "labels": labels}
    _write(run / "run.json", manifest | names)
    return run


def change(path: Path, **values: object) -> None:
    """Change entries of a JSON file."""
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def add_networks(run: Path, images: int = 4) -> None:
    """Give a run a validation list of its first images, masks that two networks predict for it, and a fit's log."""
    manifest = json.loads((run / "run.json").read_text())
    root = Path(manifest["root"])
    ids = sorted(path.stem for path in (root / "JPEGImages").iterdir())[:images]
    (root / "ImageSets" / "Segmentation").mkdir(parents=True)
    (root / "ImageSets" / "Segmentation" / "val.txt").write_text("\n".join(ids))
    for stage, labels in (("segment-masks", "complemented"), ("segment-masks-baseline", "pseudo")):
        (run / stage).mkdir()
        for image_id in ids:
            content = (run / manifest["labels"][labels] / f"{image_id}.png").read_bytes()
            (run / stage / f"{image_id}.png").write_bytes(content)
        manifest["stages"][stage] = stage
    (run / "run.json").write_text(json.dumps(manifest))
    log = "step,epoch,train/loss,val/teacher/miou\n9,0,1.5,\n19,1,0.7,\n19,1,,0.5\n29,2,0.25,\n29,2,,0.75\n"
    (run / "segment" / "metrics.csv").write_text(log)


def add_sweep(run: Path, settings: dict[str, list[float]], of: str = "debias-labels") -> dict:
    """Give a run a sweep of the labels of a stage's folder, mIoU falling with α and rising with K_bg."""
    points = []
    for values in product(*settings.values()):
        own = dict(zip(settings, values, strict=True))
        miou = 0.8 - 0.1 * own.get("alpha", 0) + 0.01 * own.get("background_clusters", 0)
        row = {"miou": miou, "fp": 0.1, "fn": 0.2, "companion": None, "kept": 0.9}
        points.append({"settings": own, "target_share": 0.9, "debiased": row, "seconds": {"debias-labels": 61.5}})
    about = {"split": "train", "images": 18, "refinement": "crf", "network": None}
    sweep = {"of": of, "settings": settings, "rows": {"debiased": about}, "points": points}
    sweep["start"] = {"debiased": {"miou": 0.5}}
    _write(run / "sweep.json", {"sweeps": [sweep]})
    return sweep


def rename_image(run: Path, image_id: str, becomes: str) -> None:
    """Give an image another id, which may have folders in it, wherever it has a file."""
    for top in (run.parents[1] / "data", run):
        for path in list(top.rglob(f"{image_id}.*")):
            target = path.parent / f"{becomes}{path.suffix}"
            target.parent.mkdir(parents=True, exist_ok=True)
            path.rename(target)


def _draw(rng: np.random.Generator, kind: int) -> dict[str, np.ndarray]:
    rows, columns = np.indices((HEIGHT, WIDTH))
    sky = np.array([168, 200, 226]) + (rows[..., None] * np.array([0.5, 0.3, 0.1]))
    ground = np.array([124, 148, 92]) + rng.normal(0, 9, (HEIGHT, WIDTH, 1))
    image = np.where((rows > 52)[..., None], ground, sky)
    middle_x, middle_y = rng.integers(46, 82), rng.integers(50, 60)
    up, along = rows - middle_y, columns - middle_x
    if kind == 1:
        body = (abs(up + 6) < 15) & (abs(along) < 34)
        image[body] = rng.permutation([190, 60, 50])
        image[body & (abs(up + 11) < 5) & (along % 14 < 9)] = (220, 235, 240)
    elif kind == 2:
        hull = (up > 0) & (up < 12) & (abs(along) < 28 - up)
        sail = (up <= 0) & (up > -34) & (along > 0) & (along < (up + 34) * 0.7)
        body = hull | sail
        image[hull], image[sail] = (120, 72, 40), (245, 240, 228)
    elif kind == 3:
        body = (((rows - 26) / 6) ** 2 + (along / 34) ** 2 < 1) | ((abs(along) < 6) & (abs(rows - 26) < 17))
        image[body] = (226, 228, 232)
    else:
        body = ((up / 14) ** 2 + (along / 24) ** 2 < 1) | (((up + 13) / 9) ** 2 + ((along - 20) / 10) ** 2 < 1)
        body |= (up > 0) & (up < 26) & ((along + 20) % 13 < 4) & (abs(along) < 21)
        image[body] = {4: (112, 70, 44), 5: (232, 226, 214), 6: (196, 150, 88)}[kind]
    companion = np.zeros_like(body)
    if kind == 1:
        companion = (up > 8) & (up < 26) & ~body
        image[companion & ((columns % 11 < 4) | (abs(up % 12 - 1) < 2))] = (92, 84, 80)
    elif kind == 2:
        companion = (up > 4) & ~body
        waves = 14 * np.sin(0.9 * rows + 0.2 * columns)
        image[companion] = np.array([44, 104, 158]) + waves[companion][:, None]
    elif kind == 3:
        companion = (rows < 50) & (abs(along) < 50) & ~body
    image = (image + rng.normal(0, 5, image.shape)).clip(0, 255).astype(np.uint8)
    halo = _grow(body, 3)
    truth = body.astype(np.uint8) * kind
    pseudo = np.where(halo | (companion & (abs(along) < 48)), kind, 0).astype(np.uint8)
    missed = (rng.random((HEIGHT // 8, WIDTH // 8)) < 0.1).repeat(8, 0).repeat(8, 1)
    removed = (pseudo > 0) & (~body | missed) & ~(halo & (rng.random(body.shape) < 0.2))
    similarity = (200 * body + 40 * halo + rng.normal(0, 12, body.shape)).clip(0, 255).astype(np.uint8)
    debiased = np.where(removed, BIASED, pseudo).astype(np.uint8)
    complemented = np.where(removed & ~body, 0, pseudo).astype(np.uint8)
    prediction = np.where(_grow(body, 1), kind, 0).astype(np.uint8)
    return {
        "image": image,
        "truth": truth,
        "pseudo": pseudo,
        "similarity": similarity,
        "debiased": debiased,
        "complemented": complemented,
        "prediction": prediction,
    }


def _grow(mask: np.ndarray, by: int) -> np.ndarray:
    padded = np.pad(mask, by)
    shifts = [(dy, dx) for dy in range(2 * by + 1) for dx in range(2 * by + 1)]
    return np.any([padded[dy : dy + HEIGHT, dx : dx + WIDTH] for dy, dx in shifts], axis=0)


def _candidates(rng: np.random.Generator, ids: list[str], folder: Path) -> None:
    rows, vectors = [], []
    for image_id in [f"{image_id}{suffix}" for image_id in ids for suffix in ("", "b", "c", "d")]:
        kind = ids.index(image_id[:11]) % 6 + 1
        for cluster in range(2):
            biased = cluster == 1 and (kind in COMPANIONS or rng.random() < 0.15)
            between = rng.random() < 0.1
            iou = rng.uniform(0, 0.09) if biased else rng.uniform(0.1, 0.3) if between else rng.uniform(0.35, 0.8)
            distance = rng.normal(0.35 if biased else 0.7, 0.1)
            numbers = [int(rng.integers(200, 3000)), distance, distance > 0.55, iou]
            rows.append((image_id, kind, cluster, *numbers))
            vectors.append(rng.normal(0, 0.5, 16) + 3 * np.eye(16)[kind] * (not biased) + 1.5 * np.eye(16)[0] * biased)
    write_table(folder / "debias-centroids", CLASSES, rows, np.stack(vectors))
    save_file(
        {"centroids": np.stack(vectors[:7]).astype(np.float32)}, folder / "debias-centroids/centroids.safetensors"
    )
    share = {"all": 0.94} | {name: 0.9 + 0.01 * index for index, name in enumerate(CLASSES[1:])}
    before = {"all": 0.66} | {name: 0.5 if index < 3 else 0.86 for index, name in enumerate(CLASSES[1:])}
    counts = {"candidates": len(rows), "targets": 92, "biased": 47, "split": "train_aug", "images_with_truth": len(ids)}
    selection = {"target_share": share, "target_share_before": before} | counts
    _write(folder / "debias-centroids" / "selection.json", selection)
    removed = {name: 0.41 - 0.1 * (index % 4) + 0.24 * (index == 1) for index, name in enumerate(CLASSES[1:])}
    _write(folder / "debias-labels" / "removed.json", {"removed": {"all": 0.33} | removed, "images": len(ids)})


def _numbers(run: Path, rng: np.random.Generator, images: int, supervised: bool) -> None:
    def row(name: str, split: str, count: int, numbers: tuple[float, ...], network: str | None) -> None:
        miou, fp, fn, companion = numbers[:4]
        per_class: dict[str, dict[str, float | None]] = {"background": {"iou": 0.93, "fp": 0.03, "fn": 0.04}}
        for index, class_name in enumerate(CLASSES[1:], start=1):
            class_fp = min(0.9, fp * (1.55 if index in COMPANIONS else 0.45) * rng.uniform(0.85, 1.15))
            class_fn = fn * rng.uniform(0.7, 1.3)
            per_class[class_name] = {"iou": 1 - class_fp - class_fn, "fp": class_fp, "fn": class_fn}
            per_class[class_name]["companion"] = companion if index in COMPANIONS else None
        values = {"row": name, "split": split, "images": count, "miou": miou, "fp": fp, "fn": fn}
        values |= {"fp_all": 0.9 * fp, "fn_all": 0.9 * fn, "companion": companion}
        values |= {"kept": numbers[4] if len(numbers) > 4 else None, "per_class": per_class, "network": network}
        values |= {"refinement": "none" if network else "crf", "multi_scale": False, "scored": None, "note": None}
        _write(run / "rows" / f"{name}.json", values)

    row("pseudo", "train", images, (0.561, 0.318, 0.121, 0.742, 1.0), None)
    row("pseudo-baseline", "train", images, (0.62, 0.241, 0.142, 0.601, 0.963), None)
    row("debiased", "train", images, (0.702, 0.112, 0.186, 0.139, 0.931), None)
    row("complemented", "train", images, (0.748, 0.118, 0.134, 0.151, 0.958), None)
    row("baseline", "val", 240, (0.588, 0.301, 0.111, 0.698), "teacher")
    row("mars_removal", "val", 240, (0.756, 0.12, 0.124, 0.151), "teacher")
    row("final", "val", 240, (0.739, 0.128, 0.133, 0.166), "teacher")
    row("final-student", "val", 240, (0.731, 0.131, 0.138, 0.17), "student")
    if supervised:
        row("supervised", "val", 240, (0.872, 0.061, 0.067, 0.031), "teacher")
    for name, value in SECONDS.items():
        _write(run / name / "seconds.json", {name: value})
    at = [0.05 * step for step in range(1, 11)]
    scores = [
        {
            "background": round(score, 2),
            "miou": 0.62 - 3 * (score - 0.3) ** 2,
            "fp": 0.6 - 1.1 * score,
            "fn": 1.6 * score**2,
        }
        for score in at
    ]
    sweep = {"split": "train", "refinement": "crf", "images": images, "background_scores": {"mars": 0.2}}
    _write(run / "wsss-labels" / "sweep.json", sweep | {"scores": scores})
    config = "seed_everything: 0\nmodel:\n  class_path: mars_pl.wsss.Classifier\n"
    (run / "wsss-classifier" / "fit.yaml").write_text(config, encoding="utf-8")
    _write(run / "wsss-classifier" / "stage.json", {"command": ["mars", "fit", "-c", "configs/wsss/cam.yaml"]})


def _write(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1), encoding="utf-8")
