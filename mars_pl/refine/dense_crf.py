"""Dense CRF (Krähenbühl and Koltun 2011) on whole images: the refinement of Eq. 4 and of most pseudo labels."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mars_pl.refine.protocol import Refine
from mars_pl.refine.worker_processes import worker_processes


@dataclass(frozen=True)
class CRFSettings:
    """Strengths of the two Potts potentials; the defaults are those of DeepLab, STEGO, RS+EPM and DHR.

    Args:
        iterations: mean-field steps; 0 leaves the unary alone.
        gaussian_sxy: reach of the smoothness term in pixels.
        gaussian_compat: its weight.
        bilateral_sxy: reach of the appearance term in pixels.
        bilateral_srgb: its reach in grey levels, the same for each colour channel.
        bilateral_compat: its weight.
    """

    iterations: int = 10
    gaussian_sxy: float = 1
    gaussian_compat: float = 3
    bilateral_sxy: float = 67
    bilateral_srgb: float = 3
    bilateral_compat: float = 4


NAMED = {
    "deeplab": CRFSettings(),
    "irn-label": CRFSettings(10, 3, 3, 50, 5, 10),
    "cam": CRFSettings(10, 3, 3, 80, 13, 10),
    "seam-deeplabv1": CRFSettings(1, 3, 3, 32, 13, 10),
    "afa": CRFSettings(10, 3, 3, 64, 5, 4),
    "toco": CRFSettings(10, 1, 1, 121, 5, 4),
}
"""Settings by the system that uses them: ``irn-label`` also AdvCAM and W-OoD, ``cam`` PSA, SEAM and PuzzleCAM."""


def named_settings(preset: str, scale: float = 1.0) -> CRFSettings:
    """Return the settings of a published system, both reaches in pixels times ``scale``.

    Raises:
        ValueError: where no settings have that name.
    """
    if preset not in NAMED:
        raise ValueError(f"no CRF settings are called {preset!r}; there are {', '.join(NAMED)}")
    named = NAMED[preset]
    return replace(named, gaussian_sxy=scale * named.gaussian_sxy, bilateral_sxy=scale * named.bilateral_sxy)


def dense_crf(
    image: NDArray[np.uint8], probabilities: NDArray[np.float32], settings: CRFSettings = NAMED["deeplab"]
) -> NDArray[np.float32]:
    """Refine the class probabilities of one image; holds the GIL, so use processes to do several at once.

    Args:
        image: uint8 RGB of shape (H, W, 3).
        probabilities: shape (K, H, W) in [0, 1]; a channel of zeros is left out and stays zero.
        settings: of the pairwise potentials.

    Returns:
        float32 of shape (K, H, W), summing to 1 over the channels that took part.

    Raises:
        ValueError: where the sizes of image and probabilities differ, or pydensecrf is not installed.
    """
    present = probabilities.reshape(len(probabilities), -1).any(axis=1)
    refined = np.array(probabilities, dtype=np.float32)
    if present.sum() > 1:  # one label has nothing to compete with
        unary = -np.log(np.clip(refined[present], 1e-5, 1.0))
        refined[present] = _mean_field(image, unary, settings)
    return refined


def _mean_field(image: NDArray[np.uint8], unary: NDArray[Any], settings: CRFSettings) -> NDArray[np.float32]:
    """Run mean-field inference on unary energies of shape (K, H, W)."""
    channels, height, width = unary.shape
    if image.shape != (height, width, 3):
        raise ValueError(f"an image of shape {image.shape} cannot refine maps of {height}×{width}; resize one of them")
    crf = _potentials(np.asarray(image, dtype=np.uint8).tobytes(), height, width, channels, settings)
    crf.setUnaryEnergy(np.ascontiguousarray(unary.reshape(channels, -1), dtype=np.float32))
    return np.array(crf.inference(settings.iterations), dtype=np.float32).reshape(unary.shape)


@lru_cache(maxsize=1)  # an image's labels at several background scores share two fifths of the work
def _potentials(image: bytes, height: int, width: int, channels: int, settings: CRFSettings) -> Any:
    """Build pydensecrf's model of an RGB image with both pairwise potentials; its unary is still to be set."""
    try:
        from pydensecrf.densecrf import DenseCRF2D
    except ImportError:
        raise ValueError(
            "dense CRF needs pydensecrf: pip install -e '.[crf]' in the checkout, or take TorchDenseCRF or PAMR"
        ) from None
    crf = DenseCRF2D(width, height, channels)
    crf.addPairwiseGaussian(sxy=settings.gaussian_sxy, compat=settings.gaussian_compat)
    crf.addPairwiseBilateral(
        sxy=settings.bilateral_sxy,
        srgb=settings.bilateral_srgb,
        rgbim=np.frombuffer(image, dtype=np.uint8).reshape(height, width, 3).copy(),  # writable, as it asks
        compat=settings.bilateral_compat,
    )
    return crf


class DenseCRF(Refine):
    """Refine batches by dense CRF.

    Args:
        preset: the settings of a published system, one of `NAMED`.
        scale: of both reaches in pixels, for images that are not of VOC's size (500 pixels).
        workers: processes that share a batch; 0 works in this one (where the caller already is a worker).

    Raises:
        ValueError: where no settings have that name.
    """

    def __init__(self, preset: str = "deeplab", scale: float = 1.0, workers: int = 0) -> None:
        self.settings = named_settings(preset, scale)
        self.workers = workers
        self._pool: ProcessPoolExecutor | None = None

    def __call__(self, images: Tensor, probabilities: Tensor) -> Tensor:
        """Refine (B, K, H, W) along uint8 RGB (B, 3, H, W); see `Refine`.

        Only the channels that take part travel: to a process, all 81 of COCO's would take longer than the refinement.
        """
        pixels = images.permute(0, 2, 3, 1).cpu().numpy()
        refined = probabilities.detach().to(torch.float32, copy=True)
        present = list(refined.flatten(2).any(dim=2))
        maps = [whole[chosen].cpu().numpy() for whole, chosen in zip(refined, present, strict=True)]
        work = self._executor().map if self.workers > 0 and len(maps) > 1 else map
        for index, found in enumerate(work(dense_crf, pixels, maps, [self.settings] * len(maps))):
            refined[index, present[index]] = torch.from_numpy(found).to(refined.device)
        return refined

    def _executor(self) -> ProcessPoolExecutor:
        """Start the processes when the first batch needs them."""
        if self._pool is None:
            self._pool = worker_processes(self.workers, __name__)
        return self._pool

    def __getstate__(self) -> dict[str, Any]:
        """Leave the processes behind when pickled or copied; the copy starts its own."""
        return {**self.__dict__, "_pool": None}
