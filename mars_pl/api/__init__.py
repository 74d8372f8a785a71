"""MARS for a code base of its own: arrays in, arrays out, by the functions that the jobs call (§3.2–3.4, Eq. 1–7).

Wherever ``images`` is taken: any iterable of (id, image, label, classes): a str; uint8 RGB, (3, H, W) or (H, W, 3); the
pseudo label (H, W) with 0 for background; C zeros and ones for the foreground classes that the image shows. Wherever
``features`` is taken: a function from the image as it was given to dense features (D, h, w) that cover all of it; or an
``nn.Module`` in evaluation mode from uint8 (1, 3, H, W) to (1, D, h, w). Arrays are numpy's or torch's.
"""

from mars_pl.api.complementing import Complement
from mars_pl.api.debiasing import debias, debiased_centroids
from mars_pl.api.prediction import predict
from mars_pl.debias.selection import DebiasedCentroids
from mars_pl.segment.weighted_cross_entropy import WeightedCrossEntropy

__all__ = ["Complement", "DebiasedCentroids", "WeightedCrossEntropy", "debias", "debiased_centroids", "predict"]
