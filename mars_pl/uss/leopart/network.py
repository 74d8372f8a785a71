"""A vision transformer that learns, with Leopart's head on its final tokens (Leopart section 3.1)."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager

from torch import Tensor, nn

from mars_pl.networks.precision import at_least_single
from mars_pl.uss.backbone import FrozenViT, tokens_after
from mars_pl.uss.leopart.drop_path import DropPath
from mars_pl.uss.leopart.head import LeopartHead


class LeopartNetwork(nn.Module):
    """A trainable copy of a frozen backbone, and the head.

    The backbone's ``scale`` is for whole images: crops are cut at the size that the transformer sees.

    Args:
        backbone: whose transformer is copied, with its weights and its normalisation.
        head: on tokens of ``backbone.dim`` channels.
        drop_path: chance of leaving out a branch of the last block in training; the first block's is 0, those between
            rise evenly.

    Raises:
        ValueError: where the transformer has no class token, whose attention tells the foreground.
    """

    def __init__(self, backbone: FrozenViT, head: LeopartHead, drop_path: float = 0.1) -> None:
        super().__init__()
        self.vit = copy.deepcopy(backbone.network).requires_grad_(True)
        self.normalise = copy.deepcopy(backbone.normalise)
        self.head = head
        self.patch, self.blocks = backbone.patch, backbone.blocks
        if getattr(self.vit, "cls_token", None) is None:
            raise ValueError("Leopart reads the class token's attention and this backbone has none; name another")
        for depth, block in enumerate(self.vit.blocks):
            rate = drop_path * depth / max(len(self.vit.blocks) - 1, 1)
            block.drop_path1, block.drop_path2 = DropPath(rate), DropPath(rate)
        self.train()  # the frozen backbone was in evaluation, and Lightning leaves modes as they are

    def forward(self, image: Tensor) -> Tensor:
        """Map uint8 RGB crops (B, 3, H, W) to unit vectors (B, dim, H/patch, W/patch).

        Raises:
            ValueError: where a side of the crops is no multiple of the patch.
        """
        height, width = image.shape[-2:]
        if height % self.patch[0] or width % self.patch[1]:
            raise ValueError(
                f"crops of {height}×{width} pixels do not divide into patches of {self.patch[0]}×{self.patch[1]}; "
                "set the sizes of data.training_set to multiples of the patch"
            )
        return self.head(tokens_after(self.vit, self.normalise(image), self.blocks))

    def scores(self, vectors: Tensor) -> Tensor:
        """Map unit vectors (B, dim, …) to cosines (B, K, …) with the prototypes."""
        return self.head.scores(vectors)

    def with_attention(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Return what ``forward`` does, and the last block's attention of the class token to each token, (B, h, w).

        It is the mean over the heads; with what goes to class and register tokens it would sum to one.
        """
        with last_attention(self.vit) as kept:
            vectors = self(image)
        prefix = self.vit.num_prefix_tokens
        # (B, heads, N, N): the class token is query 0, and the patches are the keys after class and register tokens.
        attention = at_least_single(kept[0][:, :, 0, prefix:]).mean(dim=1)
        return vectors, attention.view(-1, *vectors.shape[-2:])


@contextmanager
def last_attention(vit: nn.Module) -> Iterator[list[Tensor]]:
    """Collect the last block's attention (B, heads, N, N) of each forward inside; fused kernels do not show theirs."""
    attention = vit.blocks[-1].attn  # type: ignore[index, union-attr]
    kept: list[Tensor] = []
    fused, attention.fused_attn = attention.fused_attn, False
    hook = attention.attn_drop.register_forward_hook(lambda module, inputs, output: kept.append(output))
    try:
        yield kept
    finally:
        hook.remove()
        attention.fused_attn = fused
