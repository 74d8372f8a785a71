"""Leopart by the letter, in plain operations: its head, foreground, Sinkhorn, loss and training step.

After MkuuWaUjinga/leopart: src/vit.py, src/leopart.py, ``process_attentions`` and ``cosine_scheduler`` of
experiments/utils.py, the boxes of src/leopart_transforms.py. Only RoIAlign is torchvision's, as it is there: whether a
mask is 1 to the last bit is decided in it.
"""

from __future__ import annotations

import numpy as np
import torch
from scipy import ndimage
from torchvision.ops import roi_align

from tests.fidelity.published.dino import gelu, linear, normalised, transformer


def embed(state, tokens):
    """The projection's vectors of unit length."""
    for layer in (0, 2, 4):
        tokens = linear(tokens, state, f"projection.{layer}")
        tokens = gelu(tokens) if layer < 4 else tokens
    return tokens / tokens.norm(dim=-1, keepdim=True)


def foreground(attention, mass=0.6, sigma=0.6):
    """Blur the heads' mean, keep the strongest tokens that hold `mass`, drop components of one and two tokens."""
    steps = torch.arange(-3.0, 4.0, dtype=attention.dtype)
    window = torch.exp(-((steps / sigma) ** 2) / 2)
    window = window / window.sum()
    mean = sum(attention[:, head] / attention.shape[1] for head in range(attention.shape[1]))
    padded = torch.nn.functional.pad(mean[:, None], (3, 3, 3, 3), mode="reflect")
    blurred = torch.nn.functional.conv2d(padded, torch.outer(window, window)[None, None])[:, 0]
    masks = []
    for plane in blurred:
        values, order = plane.flatten().sort()
        kept = (values / values.sum()).cumsum(0) > 1 - mass
        mask = np.zeros(plane.numel(), dtype=bool)
        mask[order.numpy()] = kept.numpy()
        components, count = ndimage.label(mask.reshape(plane.shape), np.ones((3, 3)))
        for k in range(1, count + 1):
            if (components == k).sum() <= 2:
                components[components == k] = 0
        masks.append(torch.from_numpy(components > 0))
    return torch.stack(masks)


def sinkhorn(scores, epsilon=0.05, iterations=3):
    """Scores (N, K) to assignments (N, K): the published order of scalings, with its constant factors."""
    q = torch.exp(scores / epsilon).T
    prototypes, rows = q.shape
    q = q / q.sum()
    for _ in range(iterations):
        q = q * (1 / prototypes / q.sum(1))[:, None]
        q = q * (1 / rows / q.sum(0))[None]
    return (q / q.sum(0, keepdim=True)).T


def crop_boxes(boxes, sizes):
    """Boxes of one image's crops (V, 4) to their overlaps, in pixels of crop g, (2, V, 4), and of crop v, (V, 2, 4)."""
    count = len(boxes)
    inside, outside = boxes.new_zeros(2, count, 4), boxes.new_zeros(count, 2, 4)
    for g in range(2):
        for v in range(count):
            first, last = torch.maximum(boxes[g, :2], boxes[v, :2]), torch.minimum(boxes[g, 2:], boxes[v, 2:])
            for crop, target in ((g, inside[g, v]), (v, outside[v, g])):
                start, sides = boxes[crop, :2], boxes[crop, 2:] - boxes[crop, :2]
                target[:2] = sizes[crop] * ((first - start) / sides)
                target[2:] = sizes[crop] * ((last - start) / sides)
    return inside, outside


def spatial_loss(assignments, masks, predictions, boxes, sizes, patch, temperature=0.1, side=7):
    """Cross-entropy at the places where the aligned mask is 1, the mean over them, the crops and the two large ones.

    Args:
        assignments: of each large crop, (B, h, w, K).
        masks: of each large crop, bool (B, h, w).
        predictions: of each crop, (B, h, w, K).
        boxes: (B, V, 4) in the image.
        sizes: of each crop, in pixels.
    """
    loss = 0
    inside, outside = (torch.stack(rows) for rows in zip(*(crop_boxes(own, sizes) for own in boxes), strict=True))
    count = len(predictions)
    for g in range(2):
        here = [own[g] / patch for own in inside]
        wanted = roi_align(assignments[g].movedim(-1, 1), here, side, aligned=True)
        whole = roi_align(masks[g][:, None].to(wanted), here, side, aligned=True) >= 1.0
        part = 0
        for v in range(count):
            if v == g:
                continue
            there = [own[v, g][None] / patch for own in outside]
            said = roi_align(predictions[v].movedim(-1, 1), there, side, aligned=True) / temperature
            shown = whole[v::count, 0].to(said)
            entropy = (wanted[v::count] * torch.log(said.softmax(1))).sum(1)
            if shown.sum() != 0:
                part = part - (entropy * shown).sum() / shown.sum()
        loss = loss + part / (count - 1)
    return loss / 2


def cosine_values(start, end, total):
    """One value for each step."""
    return end + 0.5 * (start - end) * (1 + np.cos(np.pi * np.arange(total) / total))


class Fit:
    """The published training, a step at a time, with one process.

    Args:
        student: weights by name, those of the head below `projection.` and `prototypes.`.
        teacher: likewise.
        heads: of the attention.
        queue: length.
        total: steps of the fit.
        settings: rates, weight decay and momentum by name.
    """

    def __init__(self, student, teacher, heads, queue, total, **settings):
        self.student = {name: value.double().clone().requires_grad_() for name, value in student.items()}
        self.teacher = {name: value.double().clone() for name, value in teacher.items()}
        self.heads, self.total, self.settings, self.done = heads, total, settings, 0
        self.queue = torch.zeros(2, queue, student["prototypes.weight"].shape[1], dtype=torch.float64)
        self.first = {name: torch.zeros_like(value) for name, value in self.teacher.items()}
        self.second = {name: torch.zeros_like(value) for name, value in self.teacher.items()}
        self.gradients = {}

    def step(self, large, small, boxes):
        """Take lists of crops, uint8 (B, 3, S, S) each, and boxes (B, V, 4); return the loss."""
        with torch.no_grad():
            for state in (self.student, self.teacher):
                weight = state["prototypes.weight"]
                weight.copy_(weight / weight.norm(dim=1, keepdim=True))
            assignments, masks = self.assign(large)
        own = self.student
        predictions = []
        for crop in (*large, *small):
            vectors = embed(own, transformer(own, normalised(crop), self.heads)[0])
            predictions.append(vectors @ own["prototypes.weight"].T)
        sizes = [crop.shape[-1] for crop in (*large, *small)]
        patch = own["patch_embed.proj.weight"].shape[-1]
        loss = spatial_loss(assignments, masks, predictions, boxes.double(), sizes, patch)
        names = list(own)
        self.gradients = dict(zip(names, torch.autograd.grad(loss, [own[name] for name in names]), strict=True))
        self.update()
        return float(loss.detach())

    def assign(self, large):
        assignments, masks = [], []
        for g, crop in enumerate(large):
            tokens, attention = transformer(self.teacher, normalised(crop), self.heads)
            vectors, mask = embed(self.teacher, tokens), foreground(attention)
            rows = vectors.flatten(0, 2)
            scores = rows @ self.teacher["prototypes.weight"].T
            if not (self.queue[g, -1] == 0).all():
                scores = torch.cat([self.queue[g] @ self.student["prototypes.weight"].T, scores])
            shown = vectors[mask]
            drawn = torch.randperm(len(shown))[: min(10 * len(crop), self.queue.shape[1])]
            self.queue[g] = torch.cat([shown[drawn], self.queue[g]])[: self.queue.shape[1]]
            assignments.append(sinkhorn(scores)[-len(rows) :].reshape(*vectors.shape[:3], -1))
            masks.append(mask)
        return assignments, masks

    @torch.no_grad()
    def update(self):
        """The teacher first, of the student as it is; then AdamW (Loshchilov and Hutter, Algorithm 2)."""
        s, step = self.settings, self.done
        momentum = cosine_values(s["momentum"], 1.0, self.total)[step]
        fall = cosine_values(1.0, 0.0, self.total)[step]
        decay = cosine_values(*s["weight_decay"], self.total)[step]
        self.done += 1
        for name, value in self.student.items():
            self.teacher[name] = momentum * self.teacher[name] + (1 - momentum) * value
            gradient = self.gradients[name]
            rate = fall * (s["head_lr"] if name.startswith(("projection", "prototypes")) else s["lr"])
            self.first[name] = 0.9 * self.first[name] + 0.1 * gradient
            self.second[name] = 0.999 * self.second[name] + 0.001 * gradient**2
            if not (name.endswith(".bias") or value.ndim == 1):
                value.mul_(1 - rate * decay)
            mean = self.first[name] / (1 - 0.9**self.done)
            spread = (self.second[name] / (1 - 0.999**self.done)).sqrt()
            value.sub_(rate * mean / (spread + 1e-8))
