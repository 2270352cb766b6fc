"""Networks with the parameter names of the published programs, to make checkpoints from."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F


class ThesisGenerator(nn.Module):
    """Optional Pix2Pix: flat names, biases, norms of the image at hand, skips after the decoder."""

    def __init__(self, ngf: int, levels: int = 8):
        super().__init__()
        self.levels = levels
        widths = [ngf * min(2**i, 8) for i in range(levels)]
        for i in range(levels):
            setattr(self, f"conv{i + 1}", nn.Conv2d(2 if i == 0 else widths[i - 1], widths[i], 4, 2, 1))
            if 0 < i < levels - 1:
                setattr(self, f"conv{i + 1}_bn", nn.BatchNorm2d(widths[i]))
        for i in range(levels):
            out = 3 if i == levels - 1 else widths[levels - 2 - i]
            setattr(self, f"deconv{i + 1}", nn.ConvTranspose2d(widths[levels - 1 - i] * (1 + (i > 0)), out, 4, 2, 1))
            if i < levels - 1:
                setattr(self, f"deconv{i + 1}_bn", nn.BatchNorm2d(out))

    def forward(self, x):
        skips = []
        for i in range(self.levels):
            x = getattr(self, f"conv{i + 1}")(F.leaky_relu(x, 0.2) if i else x)
            if 0 < i < self.levels - 1:
                x = getattr(self, f"conv{i + 1}_bn")(x)
            skips.append(x)
        for i in range(self.levels):
            joined = x if i == 0 else torch.cat([x, skips[self.levels - 1 - i]], 1)
            x = getattr(self, f"deconv{i + 1}")(F.relu(joined))
            if i < self.levels - 1:
                x = getattr(self, f"deconv{i + 1}_bn")(x)
        return torch.tanh(x)


class NestedBlock(nn.Module):
    """One level of the widely used PyTorch pix2pix U-Net, with the next level inside it."""

    def __init__(self, outer, inner, norm, inside=None, in_channels=None):
        super().__init__()
        bias = norm is nn.InstanceNorm2d
        self.outermost = in_channels is not None
        down = nn.Conv2d(in_channels or outer, inner, 4, 2, 1, bias=bias)
        if self.outermost:
            up = nn.ConvTranspose2d(inner * 2, outer, 4, 2, 1)
            parts = [down, inside, nn.ReLU(), up, nn.Tanh()]
        elif inside is None:
            up = nn.ConvTranspose2d(inner, outer, 4, 2, 1, bias=bias)
            parts = [nn.LeakyReLU(0.2), down, nn.ReLU(), up, norm(outer)]
        else:
            up = nn.ConvTranspose2d(inner * 2, outer, 4, 2, 1, bias=bias)
            parts = [nn.LeakyReLU(0.2), down, norm(inner), inside, nn.ReLU(), up, norm(outer)]
        self.model = nn.Sequential(*parts)

    def forward(self, x):
        return self.model(x) if self.outermost else torch.cat([x, self.model(x)], 1)


class NestedGenerator(nn.Module):
    """The nested U-Net itself."""

    def __init__(self, in_channels, out_channels, levels, ngf, norm):
        super().__init__()
        block = NestedBlock(ngf * 8, ngf * 8, norm)
        for _ in range(levels - 5):
            block = NestedBlock(ngf * 8, ngf * 8, norm, block)
        for width in (4, 2, 1):
            block = NestedBlock(ngf * width, ngf * width * 2, norm, block)
        self.model = NestedBlock(out_channels, ngf, norm, block, in_channels)

    def forward(self, x):
        return self.model(x)


class ThesisDVAE(nn.Module):
    """The shape DVAE with the names of the thesis."""

    def __init__(self, latent=10):
        super().__init__()
        for i, (a, b, stride) in enumerate(((1, 16, 1), (16, 32, 2), (32, 32, 1), (32, 16, 2)), 1):
            setattr(self, f"conv{i}", nn.Conv2d(a, b, 3, stride, 1, bias=False))
            setattr(self, f"bn{i}", nn.BatchNorm2d(b))
        for i, (a, b, stride) in enumerate(((16, 32, 2), (32, 32, 1), (32, 16, 2)), 5):
            setattr(self, f"conv{i}", nn.ConvTranspose2d(a, b, 3, stride, 1, stride - 1, bias=False))
            setattr(self, f"bn{i}", nn.BatchNorm2d(b))
        self.conv8 = nn.ConvTranspose2d(16, 1, 3, 1, 1, bias=False)
        self.fc_e2, self.fc_mean, self.fc_logvar = nn.Linear(4096, 100), nn.Linear(100, latent), nn.Linear(100, latent)
        self.fc_d1, self.fc_d2 = nn.Linear(latent, 100), nn.Linear(100, 4096)

    def encode(self, x):
        for i in range(1, 5):
            x = F.relu(getattr(self, f"bn{i}")(getattr(self, f"conv{i}")(x)))
        hidden = F.relu(self.fc_e2(x.flatten(1)))
        return self.fc_mean(hidden), self.fc_logvar(hidden)

    def decode(self, z):
        x = F.relu(self.fc_d2(F.relu(self.fc_d1(z)))).view(-1, 16, 16, 16)
        for i in range(5, 8):
            x = F.relu(getattr(self, f"bn{i}")(getattr(self, f"conv{i}")(x)))
        return torch.sigmoid(self.conv8(x))
