"""What sharpens a map along the image: dense CRF, by pydensecrf or in plain PyTorch, and PAMR."""
