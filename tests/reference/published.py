"""Networks with the parameter names of the published programs, to make checkpoints from."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F


class ThesisGenerator(nn.Module):
    """Optional Pix2Pix, and the pix2pix of znxlwm with 3 channels in: flat names, biases, skips after the decoder."""

    def __init__(self, ngf: int, levels: int = 8, in_channels: int = 2, dropout: bool = False):
        super().__init__()
        self.levels, self.dropout = levels, dropout
        widths = [ngf * min(2**i, 8) for i in range(levels)]
        for i in range(levels):
            setattr(self, f"conv{i + 1}", nn.Conv2d(in_channels if i == 0 else widths[i - 1], widths[i], 4, 2, 1))
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
            if self.dropout and i < 3:
                x = F.dropout(x, 0.5, training=True)
        return torch.tanh(x)


class NestedBlock(nn.Module):
    """One level of the widely used PyTorch pix2pix U-Net, with the next level inside it."""

    def __init__(self, outer, inner, norm, inside=None, in_channels=None, dropout=False):
        super().__init__()
        bias = uses_bias(norm)
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
            parts += [nn.Dropout(0.5)] if dropout else []
        self.model = nn.Sequential(*parts)

    def forward(self, x):
        return self.model(x) if self.outermost else torch.cat([x, self.model(x)], 1)


class NestedGenerator(nn.Module):
    """The nested U-Net itself."""

    def __init__(self, in_channels, out_channels, levels, ngf, norm, dropout=False):
        super().__init__()
        block = NestedBlock(ngf * 8, ngf * 8, norm)
        for _ in range(levels - 5):
            block = NestedBlock(ngf * 8, ngf * 8, norm, block, dropout=dropout)
        for width in (4, 2, 1):
            block = NestedBlock(ngf * width, ngf * width * 2, norm, block)
        self.model = NestedBlock(out_channels, ngf, norm, block, in_channels)

    def forward(self, x):
        return self.model(x)


class Nothing(nn.Module):
    """``--norm none``: a module without tensors."""

    def __init__(self, channels):
        super().__init__()

    def forward(self, x):
        return x


class TrackedInstanceNorm(nn.InstanceNorm2d):
    """As torch before 0.4 saved it: with running statistics, which the program patches away."""

    def __init__(self, channels):
        super().__init__(channels, track_running_stats=True)

    def forward(self, x):
        return F.instance_norm(x, eps=self.eps)


def uses_bias(norm):
    """The program gives its convolutions a bias where the norm is an InstanceNorm."""
    return issubclass(norm, nn.InstanceNorm2d)


class PublishedResNetBlock(nn.Module):
    """Padding, conv, norm, ReLU, perhaps dropout, padding, conv, norm; beside a shortcut."""

    def __init__(self, channels, norm, dropout):
        super().__init__()
        bias = uses_bias(norm)
        parts = [nn.ReflectionPad2d(1), nn.Conv2d(channels, channels, 3, bias=bias), norm(channels), nn.ReLU()]
        parts += [nn.Dropout(0.5)] if dropout else []
        parts += [nn.ReflectionPad2d(1), nn.Conv2d(channels, channels, 3, bias=bias), norm(channels)]
        self.conv_block = nn.Sequential(*parts)

    def forward(self, x):
        return x + self.conv_block(x)


class PublishedResNet(nn.Module):
    """The ResNet generator of the widely used PyTorch pix2pix."""

    def __init__(self, in_channels, out_channels, blocks, ngf, norm, dropout=False):
        super().__init__()
        bias = uses_bias(norm)
        parts = [nn.ReflectionPad2d(3), nn.Conv2d(in_channels, ngf, 7, bias=bias), norm(ngf), nn.ReLU()]
        for width in (ngf, 2 * ngf):
            parts += [nn.Conv2d(width, 2 * width, 3, 2, 1, bias=bias), norm(2 * width), nn.ReLU()]
        parts += [PublishedResNetBlock(4 * ngf, norm, dropout) for _ in range(blocks)]
        for width in (2 * ngf, ngf):
            up = nn.ConvTranspose2d(2 * width, width, 3, 2, 1, output_padding=1, bias=bias)
            parts += [up, norm(width), nn.ReLU()]
        parts += [nn.ReflectionPad2d(3), nn.Conv2d(ngf, out_channels, 7), nn.Tanh()]
        self.model = nn.Sequential(*parts)

    def forward(self, x):
        return self.model(x)


CAPSULES = {
    "convcaps1": (1, 16, 2, 16), "convcaps2": (2, 16, 4, 16), "convcaps3": (4, 16, 4, 32), "convcaps4": (4, 32, 8, 32),
    "convcaps5": (8, 32, 8, 64), "convcaps6": (8, 64, 8, 32), "convcaps7": (16, 32, 8, 32),
    "deconvcaps1": (8, 32, 8, 32), "convcaps8": (16, 32, 4, 32), "deconvcaps2": (4, 32, 4, 16),
    "convcaps9": (8, 16, 4, 16), "deconvcaps3": (4, 16, 2, 16), "convcaps10": (3, 16, 1, 16),
}  # fmt: skip
"""Input capsules and their channels, output capsules and theirs."""


def capsule_state(seed=0):
    """CapsPix2Pix as its authors save it, with all that is never used; capsules of lengths of order 1."""
    generator = torch.Generator().manual_seed(seed)
    state = {}

    def add(name, *shape, gain=2.0, axis=0):
        fan = shape[1 - axis] * shape[-1] ** 2 if len(shape) == 4 else shape[1]
        state[f"{name}.weight"] = gain * torch.randn(shape, generator=generator) / fan**0.5
        state[f"{name}.bias"] = 0.1 * torch.randn(shape[axis], generator=generator)

    add("fc", 256 * 256, 100, gain=1.0)
    add("conv1", 16, 2, 5, 5)
    for name, (inputs, channels, capsules, out) in CAPSULES.items():
        size = 1 if name == "convcaps10" else 4 if name.startswith("de") else 5
        if name.startswith("de"):
            add(f"{name}.deconv2d", channels, capsules * out, size, size, axis=1, gain=3.0)
        else:
            add(f"{name}.conv2d", capsules * out, channels, size, size, gain=2.0)
        state |= {f"{name}.bn.{k}": v for k, v in nn.BatchNorm2d(inputs * capsules * out).state_dict().items()}
    add("conv2", 1, 16, 1, 1, gain=8.0)
    for number, (before, after) in enumerate(((16, 64), (64, 128), (128, 1)), 1):
        add(f"recon{number}", after, before, 1, 1)
    return state


class DeepMactUnit(nn.Module):
    """Conv 3, BatchNorm with its epsilon, ReLU."""

    def __init__(self, before, after):
        super().__init__()
        self.conv = nn.Conv2d(before, after, 3, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(after, eps=1e-4)

    def forward(self, x):
        return F.relu(self.bn(self.conv(x)))


class Stack(nn.Module):
    """Units in a row, by the name that a stage has."""

    def __init__(self, name, before, after, count):
        super().__init__()
        units = [DeepMactUnit(before if i == 0 else after, after) for i in range(count)]
        setattr(self, name, nn.Sequential(*units))
        self.name = name

    def forward(self, x):
        return getattr(self, self.name)(x)


class PublishedImagePath(nn.Module):
    """MetGAN's net_G: the U-Net that the label's features join."""

    def __init__(self, divisor=1, ngf=8):
        super().__init__()
        down = (1, *(c // divisor for c in (24, 64, 128, 256, 512, 768)))
        label = {4: 16 * ngf, 3: 16 * ngf, 2: 4 * ngf, 1: 2 * ngf}
        for i in range(1, 7):
            setattr(self, f"down{i}", Stack("encode", down[i - 1], down[i], 2))
            setattr(self, f"up{i}", Stack("decode", 2 * down[i] + label.get(i, 0), down[max(i - 1, 1)], 3))
        self.center = nn.Sequential(DeepMactUnit(down[6], down[6]))
        self.classify = nn.Conv2d(down[1], 1, 1)

    def forward(self, x, label):
        joins = {5: label[0], 4: label[1], 3: label[2], 2: label[3]}
        skips = {}
        for i in range(1, 7):
            skips[i] = getattr(self, f"down{i}")(x)
            x = F.max_pool2d(skips[i], 2)
        x = self.center(x)
        for i in range(6, 0, -1):
            x = F.interpolate(x, size=skips[i].shape[2:], mode="bilinear", align_corners=True)
            x = getattr(self, f"up{i}")(torch.cat([x, skips[i]], 1))
            if i in joins:
                x = torch.cat([x, joins[i]], 1)
        return torch.tanh(self.classify(x))


class PublishedSpade(nn.Module):
    """Norm without weights, then scale and shift from the label."""

    def __init__(self, channels, hidden):
        super().__init__()
        self.param_free_norm = nn.BatchNorm2d(channels, affine=False)
        self.mlp_shared = nn.Sequential(nn.Conv2d(2, hidden, 3, padding=1), nn.ReLU())
        self.mlp_gamma = nn.Conv2d(hidden, channels, 3, padding=1)
        self.mlp_beta = nn.Conv2d(hidden, channels, 3, padding=1)

    def forward(self, x, label):
        shared = self.mlp_shared(F.interpolate(label, size=x.shape[2:], mode="nearest"))
        return self.param_free_norm(x) * (1 + self.mlp_gamma(shared)) + self.mlp_beta(shared)


class PublishedSpadeBlock(nn.Module):
    """Two modulated convolutions with the spectral norm of old, beside a shortcut."""

    def __init__(self, before, after, hidden):
        super().__init__()
        middle = min(before, after)
        self.conv_0 = nn.utils.spectral_norm(nn.Conv2d(before, middle, 3, padding=1))
        self.conv_1 = nn.utils.spectral_norm(nn.Conv2d(middle, after, 3, padding=1))
        self.norm_0, self.norm_1 = PublishedSpade(before, hidden), PublishedSpade(middle, hidden)
        self.changes = before != after
        if self.changes:
            self.conv_s = nn.utils.spectral_norm(nn.Conv2d(before, after, 1, bias=False))
            self.norm_s = PublishedSpade(before, hidden)

    def forward(self, x, label):
        shortcut = self.conv_s(self.norm_s(x, label)) if self.changes else x
        inner = self.conv_0(F.leaky_relu(self.norm_0(x, label), 0.2))
        return shortcut + self.conv_1(F.leaky_relu(self.norm_1(inner, label), 0.2))


class PublishedLabelPath(nn.Module):
    """MetGAN's net_SPADE, with the block and the convolution whose output goes nowhere."""

    def __init__(self, ngf=8, hidden=128):
        super().__init__()
        self.fc = nn.Conv2d(2, 16 * ngf, 3, padding=1)
        self.head_0 = PublishedSpadeBlock(16 * ngf, 16 * ngf, hidden)
        self.G_middle_0, self.G_middle_1 = (PublishedSpadeBlock(16 * ngf, 16 * ngf, hidden) for _ in range(2))
        for i in range(4):
            setattr(self, f"up_{i}", PublishedSpadeBlock(16 * ngf // 2**i, 8 * ngf // 2**i, hidden))
        self.conv_img = nn.Conv2d(ngf, 3, 3, padding=1)

    def forward(self, label):
        def doubled(x):
            return F.interpolate(x, scale_factor=2)

        x = self.head_0(self.fc(F.interpolate(label, size=[side // 32 for side in label.shape[2:]])), label)
        first = self.G_middle_1(self.G_middle_0(doubled(x), label), label)
        second = doubled(first)
        third = self.up_1(doubled(self.up_0(second, label)), label)
        return first, second, third, self.up_2(doubled(third), label)


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
