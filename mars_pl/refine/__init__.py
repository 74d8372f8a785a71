"""What sharpens a map along the image: dense CRF and PAMR."""
