"""Deep variational autoencoder for 64x64 nucleus shapes (Sirinaovakul 2018)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from napari_synth.nets.folding import channels_last, folded


def _conv(in_channels: int, out_channels: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, 3, stride, 1, bias=False), nn.BatchNorm2d(out_channels), nn.ReLU()
    )


def _deconv(in_channels: int, out_channels: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        nn.ConvTranspose2d(in_channels, out_channels, 3, stride, 1, output_padding=stride - 1, bias=False),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(),
    )


class DVAE(nn.Module):
    """Convolutional VAE; 864 020 parameters with ``latent_size=10``.

    Encoder 1-16-32(s2)-32-16(s2) -> 100 -> mean and log-variance; decoder mirrored, sigmoid.
    """

    def __init__(self, latent_size: int = 10):
        super().__init__()
        self.latent_size = latent_size
        self.encoder = nn.Sequential(_conv(1, 16, 1), _conv(16, 32, 2), _conv(32, 32, 1), _conv(32, 16, 2))
        self.encode_hidden = nn.Linear(16 * 16 * 16, 100)
        self.mean = nn.Linear(100, latent_size)
        self.log_variance = nn.Linear(100, latent_size)
        self.decode_hidden = nn.Linear(latent_size, 100)
        self.decode_features = nn.Linear(100, 16 * 16 * 16)
        self.decoder = nn.Sequential(
            _deconv(16, 32, 2),
            _deconv(32, 32, 1),
            _deconv(32, 16, 2),
            nn.ConvTranspose2d(16, 1, 3, 1, 1, bias=False),
        )

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """``[B, 1, 64, 64]`` in [0, 1] to mean and log-variance, each ``[B, latent]``."""
        hidden = torch.relu(self.encode_hidden(self.encoder(x).flatten(1)))
        return self.mean(hidden), self.log_variance(hidden)

    def decode_logits(self, z: Tensor) -> Tensor:
        """``[B, latent]`` to logits ``[B, 1, 64, 64]``."""
        hidden = torch.relu(self.decode_hidden(z))
        features = torch.relu(self.decode_features(hidden))
        logits: Tensor = self.decoder(features.unflatten(1, (16, 16, 16)))
        return logits

    def decode(self, z: Tensor) -> Tensor:
        """``[B, latent]`` to ``[B, 1, 64, 64]`` in [0, 1]."""
        return torch.sigmoid(self.decode_logits(z))

    def forward(self, x: Tensor, noise: torch.Generator | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """Logits, mean and log-variance; without ``noise`` the code is the mean."""
        mean, log_variance = self.encode(x)
        z = mean
        if noise is not None:
            epsilon = torch.randn(mean.shape, generator=noise).to(mean)
            z = mean + torch.exp(0.5 * log_variance) * epsilon
        return self.decode_logits(z), mean, log_variance


class FoldedDecoder(nn.Module):
    """The decoder of a trained `DVAE` for use: BatchNorm folded into the convolutions, channels last.

    The same function as ``DVAE.decode`` in eval mode, up to rounding.
    """

    CHUNK = 16
    """Codes at a time and thread: more no longer fit a processor's cache."""

    def __init__(self, network: DVAE):
        super().__init__()
        self.dense = nn.Sequential(network.decode_hidden, nn.ReLU(), network.decode_features, nn.ReLU())
        layers: list[nn.Module] = []
        for block in network.decoder:
            if isinstance(block, nn.Sequential):
                layers += [folded(block), nn.ReLU(inplace=True)]
        self.layers = channels_last(nn.Sequential(*layers))
        self.taps = nn.Parameter(network.decoder[3].get_parameter("weight")[:, 0].flatten(1).T.contiguous())
        self.requires_grad_(False).eval()

    def forward(self, z: Tensor) -> Tensor:
        """``[B, latent]`` to ``[B, 1, 64, 64]`` in [0, 1]."""
        features = self.dense(z).unflatten(1, (16, 16, 16)).contiguous(memory_format=torch.channels_last)
        parts = [self._to_shapes(self.layers(part)) for part in features.split(self.CHUNK * torch.get_num_threads())]
        return torch.cat(parts)

    def _to_shapes(self, x: Tensor) -> Tensor:
        """The last convolution, to one channel: a product per tap and nine shifted sums, much faster than as one."""
        n, channels, height, width = x.shape
        products = (self.taps @ x.permute(0, 2, 3, 1).reshape(-1, channels).T).view(9, n, height, width)
        total = x.new_zeros(n, height + 2, width + 2)
        for tap, product in enumerate(products):
            row, column = divmod(tap, 3)
            total[:, row : row + height, column : column + width] += product
        return total[:, None, 1:-1, 1:-1].sigmoid()
