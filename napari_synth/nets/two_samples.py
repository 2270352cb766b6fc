"""The classifier of the deep two-sample test (Bass et al. 2019, Image Synthesis with a Convolutional Capsule GAN)."""

from __future__ import annotations

from torch import Tensor, nn


class TwoSampleNet(nn.Module):
    """Real or synthetic: ``[B, channels, side, side]`` to one logit ``[B]``.

    Four blocks of two 3×3 convolutions, leaky ReLU 0.2 and max pooling, 16-32-64-128 filters (the paper says only that
    they double), then 128 dense units.
    """

    def __init__(self, channels: int, side: int, width: int = 16):
        super().__init__()
        layers: list[nn.Module] = []
        for number in range(4):
            out = width * 2**number
            layers += [nn.Conv2d(channels, out, 3, padding=1), nn.LeakyReLU(0.2)]
            layers += [nn.Conv2d(out, out, 3, padding=1), nn.LeakyReLU(0.2), nn.MaxPool2d(2)]
            channels = out
        self.blocks = nn.Sequential(*layers)
        self.dense = nn.Linear(channels * (side // 16) ** 2, 128)
        self.head = nn.Linear(128, 1)
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def features(self, x: Tensor) -> Tensor:
        """The 128 activations before the last layer."""
        return nn.functional.leaky_relu(self.dense(self.blocks(x).flatten(1)), 0.2)

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.head(self.features(x))[:, 0]
        return logits
