"""What other projects publish of two images: scores or masks of a few pixels, in each project's own files."""

import pickle

import numpy as np
import torch
from PIL import Image

from datamodules.files.labels import read_label

A, B = [[0.9, 0.6, 0.2]], [[0.7, 0.4, 0.1]]
"""Maps of class 1 in image a and class 2 in image b."""

MASKS = {"a": [[1, 1, 0]], "b": [[2, 0, 255]]}


def save(path, content):
    if path.suffix == ".pkl":
        path.write_bytes(pickle.dumps(content))
    else:
        np.save(path, content, allow_pickle=True)


def irn(folder):
    for name, key, maps in (("a", 0, A), ("b", 1, B)):
        cam = torch.zeros(1, 1, 1)
        save(folder / f"{name}.npy", {"keys": torch.tensor([key]), "cam": cam, "high_res": np.array([maps], "f4")})


def seam_cam(folder):
    save(folder / "a.npy", {0: np.array(A, "f4")})
    save(folder / "b.npy", {1: np.array(B, "f4")})


def seam_crf(folder):
    save(folder / "a.npy", {0: np.array([[0.2, 0.4, 0.7]], "f4"), 1: np.array([[0.8, 0.6, 0.3]], "f4")})
    save(folder / "b.npy", {0: np.array([[0.2, 0.9, 0.7]], "f4"), 2: np.array([[0.8, 0.1, 0.3]], "f4")})


def rsepm(folder):
    save(folder / "a.pkl", {"keys": np.array([0, 1]), "seed": np.array([A], "f4")})
    save(folder / "b.pkl", {"keys": np.array([0, 2]), "seed": np.array([B], "f4")})


def png(folder):
    for name, codes in MASKS.items():
        Image.fromarray(np.array(codes, dtype=np.uint8)).save(folder / f"{name}.png")


def dhr(folder):
    own = folder / "VOC2012" / "RSEPM" / "train_aug"
    own.mkdir(parents=True)
    png(own)


WRITERS = {"irn": irn, "seam": seam_cam, "seam crf": seam_crf, "rsepm": rsepm, "png": png, "dhr": dhr}


def imported(folder):
    """The two labels that an import left, as lists."""
    return [read_label(folder / f"{name}.png").tolist() for name in ("a", "b")]
