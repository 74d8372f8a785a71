"""Where Leopart cuts its crops (src/leopart_transforms.py)."""

from __future__ import annotations

from torchvision import transforms


def drawn_boxes(image, count, common=0.01):
    """The published rejection: overlaps above whole pixels, twice as many between the large crops."""
    width, height = image.size
    boxes = []
    for k in range(count):
        crop = transforms.RandomResizedCrop(8, scale=(0.25, 1.0) if k < 2 else (0.05, 0.25))
        while True:
            top, left, h, w = crop.get_params(image, crop.scale, crop.ratio)
            least = int(width * height * common) * (2 if k < 2 else 1)
            areas = []
            for x1, y1, x2, y2 in boxes[:2]:
                across, down = min(left + w, x2) - max(left, x1), min(top + h, y2) - max(top, y1)
                areas.append(max(across, 0) * max(down, 0))
            if all(area > least for area in areas):
                boxes.append([left, top, left + w, top + h])
                break
    return boxes
