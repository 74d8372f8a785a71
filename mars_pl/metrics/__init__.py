"""IoU, FP and FN from one confusion matrix."""
