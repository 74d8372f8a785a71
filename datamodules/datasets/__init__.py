"""Data sets of torch: crops to fit on, whole images to evaluate and predict."""
