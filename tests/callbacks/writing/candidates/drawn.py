"""Drawn candidates of some images, dealt to processes."""

import numpy as np

from callbacks.writing.candidates.parts import CandidateJournal
from callbacks.writing.journal import Done

NAMES = ("background", *(f"class {index}" for index in range(1, 9)))


def draw_images(seed, count, dim=4, truth=True, least=0):
    """Return (id, found) of images in an order that is not that of their ids; some have no candidate."""
    draw = np.random.default_rng(seed)
    images = []
    for number in draw.permutation(count):
        shown = [0, *sorted(1 + draw.choice(7, draw.integers(0, 3), replace=False))]
        rows = [(index, cluster) for index in shown for cluster in range(draw.integers(least, 3))]
        classes, clusters = np.array(rows, dtype=np.int64).reshape(-1, 2).T
        vectors = draw.integers(-2, 3, (len(rows), dim)).astype(np.float32) + 0.25  # many are alike
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        iou = np.where((classes > 0) & (number % 3 > 0) & truth, draw.random(len(rows)), np.nan)
        found = {"classes": classes.copy(), "clusters": clusters.copy(), "vectors": vectors, "iou": iou}
        found |= {"pixels": draw.integers(1, 99, len(rows)), "empty": [8] * int(number % 4 == 0)}
        images.append((f"{'ä' if number % 5 == 0 else 'Z'}/{number}", found))
    return images


def write_parts(folder, images, processes=1):
    """Let processes write images in turns, as many a part as `parts.IMAGES` says; some stay in the journals."""
    folder.mkdir(exist_ok=True)
    journals = [CandidateJournal(folder, rank) for rank in range(processes)]
    for place, (name, found) in enumerate(images):
        journals[place % processes].append(Done(name, place, found))
    for journal in journals:
        journal.close()
    return folder
