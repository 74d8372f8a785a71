"""All stages of MARS in the order of the paper (Fig. 2). Read it from top to bottom."""

from __future__ import annotations

from pathlib import Path

from mars_pl.pipeline.choices import Choices
from mars_pl.pipeline.maker import Maker
from mars_pl.pipeline.stage import Output
from mars_pl.pipeline.stages.debiasing import debiased_centroids, debiased_labels
from mars_pl.pipeline.stages.pixel_features import pixel_features
from mars_pl.pipeline.stages.pseudo_labels import pseudo_labels
from mars_pl.pipeline.stages.trainings import Training, Trainings


class Pipeline:
    """The stages of one choice.

    Args:
        choices: of the run.
        stored: features that centroids and labels read in place of asking the network, another pipeline's; finer ones
            than the centroids' (``shifts``) are asked for all the same.

    Attributes:
        pseudo: labels Yᵇ that MARS starts from.
        pseudo_baseline: labels Yᵇ that the baseline learns from.
        centroids: debiased centroids 𝒱ᶜ.
        debiased: debiased labels Yᵈᵇ.
        training: makes the fits of the segmenter.
        complemented: makes the complemented labels Yᶜᵒ.
    """

    def __init__(self, choices: Choices, stored: Output | None = None) -> None:
        self.choices = choices
        self.make = make = Maker(choices)

        # §3.1 Pseudo labels Yᵇ: of another method's folder, or of a classifier's scores.
        self.pseudo, self.pseudo_baseline = (Path(choices.labels),) * 2 if choices.labels else pseudo_labels(make)

        # §3.1 Pixel features F: a frozen vision transformer, and what unsupervised segmentation learnt on it.
        features = pixel_features(make)

        # §3.2 Debiased centroids 𝒱ᶜ of the classes (Eq. 1–3).
        self.centroids = debiased_centroids(make, self.pseudo, features, stored)

        # §3.3 Debiased labels Yᵈᵇ (Eq. 4–5).
        self.debiased = debiased_labels(make, self.pseudo, features, self.centroids, stored)

        # §3.4 Segmentation: fits of the segmenter (Eq. 6–7), and the labels Yᶜᵒ that their teachers complement.
        trainings = Trainings(make, self.pseudo_baseline, self.debiased, features)
        self.training, self.complemented = trainings.training, trainings.complemented

    @property
    def final(self) -> Training:
        """The training whose network is the run's: the chosen one's last round."""
        return self.training(self.choices.train, self.choices.rounds)
