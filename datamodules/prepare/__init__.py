"""Data in another layout is brought into VOC's once, and VOC is downloaded."""
