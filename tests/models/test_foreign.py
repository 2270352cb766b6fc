"""Networks of somebody else: TorchScript programs and BioImage.IO packages."""

import gc
import sys

import numpy as np
import pytest
import torch
from torch import nn

from napari_synth import api
from napari_synth.core.errors import InputError
from napari_synth.models.importers.base import Wishes
from napari_synth.nets.foreign import from_axes, to_axes
from napari_synth.synthesis.importing import import_checkpoint
from tests.helpers import nuclei


class Blur(nn.Module):
    """A mean over 3×3 pixels of what it reads, as often as it shall give channels; perhaps only one size."""

    def __init__(self, channels: int = 1, gain: float = 1.0, side: int = 0, offset: float = 0.0):
        super().__init__()
        self.channels, self.gain, self.side, self.offset = channels, gain, side, offset

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        assert self.side == 0 or x.shape[-1] == self.side
        mean = nn.functional.avg_pool2d(x[:, :1], 3, 1, 1)
        return torch.cat([self.gain * mean * (k + 1) / self.channels for k in range(self.channels)], 1) + self.offset


class Plane(nn.Module):
    """The same without batch and channel."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return nn.functional.avg_pool2d(x[None, None], 3, 1, 1)[0, 0]


class Last(nn.Module):
    """The same with channels last, for colours."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return nn.functional.avg_pool2d(x.permute(0, 3, 1, 2), 3, 1, 1).expand(-1, 3, -1, -1).permute(0, 2, 3, 1)


class Grain(nn.Module):
    """The same under noise."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return nn.functional.avg_pool2d(x, 3, 1, 1) + 0.1 * torch.rand_like(x)


def blurred(labels, background=0.0, object=1.0):
    from scipy.ndimage import uniform_filter

    return uniform_filter(np.where(labels > 0, float(object), float(background)), 3, mode="constant")


def imported(network, folder, **wishes):
    torch.jit.script(network).save(folder / "program.pt")
    out = folder / "m.safetensors"
    card = import_checkpoint(folder / "program.pt", "torchscript", out, Wishes("m", **{"gives": (0, 1)} | wishes))
    return card, api.load_model(out, "cpu")


@pytest.mark.parametrize(
    ("network", "wishes", "expected"),
    [
        (Blur(), {}, lambda m: 255 * blurred(m)),
        (Blur(), {"reads": (-1, 1), "gives": (-1, 1)}, lambda m: 127.5 * (blurred(m, -1) + 1)),
        (Blur(), {"reads": (255, 0), "gives": (0, 255)}, lambda m: blurred(m, 255, 0)),
        (Blur(3), {}, lambda m: 255 * blurred(m)[..., None] * np.array([1, 2, 3]) / 3),
        (Plane(), {"axes": "yx"}, lambda m: 255 * blurred(m)),
        (Last(), {"axes": "byxc"}, lambda m: 255 * np.repeat(blurred(m)[..., None], 3, -1)),
    ],
)
def test_a_program_renders_with_the_axes_and_ranges_that_are_declared(network, wishes, expected, tmp_path):
    card, model = imported(network, tmp_path, **wishes)
    assert card.architecture == "foreign"
    labels = nuclei((48, 64), 4)
    image = model.render(labels).image
    assert np.abs(image - expected(labels)).max() <= 0.51
    np.testing.assert_array_equal(model.render(labels, precision="fast").image, image)


def test_sides_are_multiples_of_what_is_declared(tmp_path):
    card, model = imported(Blur(), tmp_path, multiple=16)
    assert card.tile_multiple == 16
    assert model.render(nuclei((50, 40), 4)).image.shape == (50, 40)


def test_noise_within_a_program_follows_the_seed(tmp_path):
    _, model = imported(Grain(), tmp_path)
    labels = nuclei((48, 64), 4)
    first, again, other = (model.render(labels, seed=seed).image for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first.astype(int) - other).max() > 5


def test_a_program_of_one_size_renders_larger_masks_from_windows(tmp_path):
    from napari_synth.models.checkpoint import save_model
    from napari_synth.models.importers.torchscript import foreign_model

    torch.jit.script(Blur(side=32)).save(tmp_path / "program.pt")
    hyper = {"axes": "bcyx", "out_axes": "bcyx", "side": 32}
    made = foreign_model((tmp_path / "program.pt").read_bytes(), "program.pt", "m", hyper, (0, 1), 32)
    save_model(tmp_path / "m.safetensors", made.card, made.weights, half=False)
    labels = nuclei((70, 64), 5)
    image = api.load_model(tmp_path / "m.safetensors", "cpu").render(labels).image
    difference = np.abs(image - 255 * blurred(labels))[2:-2, 2:-2]
    assert np.median(difference) <= 1, "only where windows end the blur sees less"


@pytest.mark.parametrize("axes", ["bcyx", "cyx", "yx", "byxc", "xy", "cxyb"])
def test_axes_go_there_and_back(axes):
    image = torch.arange(12.0).reshape(1, 1, 3, 4)
    there = to_axes(image, axes)
    assert there.shape == tuple({"b": 1, "c": 1, "y": 3, "x": 4}[name] for name in axes)
    assert torch.equal(from_axes(there, axes), image)


@pytest.mark.parametrize(
    ("network", "wishes", "words"),
    [
        (Blur(), {"gives": None}, "gives for black and white cannot be seen"),
        (Blur(), {"axes": "zyx"}, "'zyx' are not those of an image"),
        (Blur(side=48), {}, r"gives no image for a mask of 64×64 pixels"),
        (Blur(2), {}, r"gives \(1, 2, 64, 64\) instead of"),
        (Blur(gain=0.0), {}, "an image of one value"),
        (Blur(gain=1e6, offset=-10.0), {}, "nothing but black and white"),
        (Blur(gain=float("inf")), {}, "not finite"),
    ],
)
def test_a_program_that_renders_no_image_is_refused(network, wishes, words, tmp_path):
    with pytest.raises(InputError, match=words):
        imported(network, tmp_path, **wishes)
    assert not (tmp_path / "m.safetensors").exists()


def test_what_is_no_program_is_refused(tmp_path):
    torch.save({"a": torch.ones(1)}, tmp_path / "state.pt")
    (tmp_path / "junk.pt").write_bytes(b"junk")
    for name in ("state.pt", "junk.pt"):
        with pytest.raises(InputError, match=f"{name} is not a TorchScript program"):
            import_checkpoint(tmp_path / name, "torchscript", tmp_path / "m.safetensors", Wishes("m", gives=(0, 1)))


def test_a_package_without_the_library_that_reads_it(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "bioimageio.spec", None)
    with pytest.raises(InputError, match=r"needs bioimageio\.spec") as caught:
        import_checkpoint(tmp_path / "p.zip", "bioimageio", tmp_path / "m.safetensors")
    assert "napari-synth[bioimageio]" in caught.value.action


def with_packages(test):
    """Mark a test in which the library of BioImage.IO reads and writes: it leaves its files open."""
    ignored = pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")
    return pytest.mark.usefixtures("garbage_collected")(ignored(test))


@pytest.fixture
def garbage_collected():
    yield
    gc.collect()


def packaged(folder, network, *, low=0.0, high=1.0, sizes=(16, 16), steps=(), out_steps=(), kind="torchscript"):
    """A package written by the library of BioImage.IO itself."""
    pytest.importorskip("bioimageio.spec")
    from bioimageio.spec import save_bioimageio_package
    from bioimageio.spec.model import v0_5

    torch.jit.script(network).save(folder / "weights.pt")
    side = sizes if isinstance(sizes, int) else 32
    mask = np.zeros((1, 1, side, side), np.float32)
    mask[..., 5:20, 5:20] = 1
    image = network(torch.from_numpy(mask)).numpy()
    np.save(folder / "mask.npy", mask)
    np.save(folder / "image.npy", image)
    (folder / "README.md").write_text("# Blur\n")
    from PIL import Image

    Image.new("RGB", (64, 64)).save(folder / "cover.png")

    def space(name):
        size = sizes if isinstance(sizes, int) else v0_5.ParameterizedSize(min=sizes[0], step=sizes[1])
        return v0_5.SpaceInputAxis(id=name, size=size)

    def spaces_out(name):
        return v0_5.SpaceOutputAxis(id=name, size=v0_5.SizeReference(tensor_id="mask", axis_id=name))

    channels = [f"channel{k}" for k in range(image.shape[1])]
    described = v0_5.ModelDescr(
        name="Blurred masks", description="Blurs", authors=[v0_5.Author(name="Me")], license="MIT",
        cite=[v0_5.CiteEntry(text="Me", url="https://example.com")],
        documentation=v0_5.FileDescr(source=folder / "README.md"),
        covers=[v0_5.FileDescr(source=folder / "cover.png")],
        inputs=[v0_5.InputTensorDescr(
            id="mask", axes=[v0_5.BatchAxis(), v0_5.ChannelAxis(channel_names=["mask"]), space("y"), space("x")],
            test_tensor=v0_5.FileDescr(source=folder / "mask.npy"), preprocessing=list(steps),
            data=v0_5.IntervalOrRatioDataDescr(type="float32", range=(low, high)))],
        outputs=[v0_5.OutputTensorDescr(
            id="image", axes=[v0_5.BatchAxis(), v0_5.ChannelAxis(channel_names=channels), spaces_out("y"),
                              spaces_out("x")],
            test_tensor=v0_5.FileDescr(source=folder / "image.npy"), postprocessing=list(out_steps),
            data=v0_5.IntervalOrRatioDataDescr(type="float32", range=(0.0, 1.0)))],
        weights=v0_5.WeightsDescr(**{kind: getattr(v0_5, WEIGHTS[kind][0])(
            source=folder / "weights.pt", **WEIGHTS[kind][1])}),
    )  # fmt: skip
    return save_bioimageio_package(described, output_path=folder / "package.zip")


WEIGHTS = {
    "torchscript": ("TorchscriptWeightsDescr", {"pytorch_version": torch.__version__.split("+")[0]}),
    "onnx": ("OnnxWeightsDescr", {"opset_version": 17}),
}


def from_package(path, **wishes):
    out = path.with_name("m.safetensors")
    import_checkpoint(path, "bioimageio", out, Wishes("m", **wishes))
    return api.load_model(out, "cpu")


@with_packages
@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, lambda m: 255 * blurred(m)),
        ({"network": Blur(3)}, lambda m: 255 * blurred(m)[..., None] * np.array([1, 2, 3]) / 3),
        ({"low": -1.0}, lambda m: 255 * np.clip(blurred(m, -1), 0, 1)),
    ],
)
def test_a_package_says_itself_what_it_reads_and_gives(given, expected, tmp_path):
    given = {"network": Blur()} | given
    model = from_package(packaged(tmp_path, given.pop("network"), **given))
    assert model.card.tile_multiple == 16
    labels = nuclei((48, 64), 4)
    assert np.abs(model.render(labels).image - expected(labels)).max() <= 0.51


@with_packages
def test_a_package_of_one_size_and_linear_steps(tmp_path):
    pytest.importorskip("bioimageio.spec")
    from bioimageio.spec.model import v0_5

    before = v0_5.ScaleLinearDescr(kwargs=v0_5.ScaleLinearKwargs(gain=0.5, offset=0.25))
    after = v0_5.ScaleLinearDescr(kwargs=v0_5.ScaleLinearKwargs(gain=0.5, offset=0.1))
    path = packaged(tmp_path, Blur(side=32), sizes=32, steps=[before], out_steps=[after])
    labels = nuclei((32, 32), 3)
    image = from_package(path).render(labels).image
    assert np.abs(image - 255 * (0.5 * blurred(labels, 0.25, 0.75) + 0.1)).max() <= 0.51
    assert from_package(path).render(nuclei((64, 32), 3)).image.shape == (64, 32)


@with_packages
def test_packages_that_cannot_be_followed_are_refused_by_name(tmp_path):
    pytest.importorskip("bioimageio.spec")
    from bioimageio.spec.model import v0_5

    path = packaged(tmp_path, Blur(), steps=[v0_5.ZeroMeanUnitVarianceDescr()])
    with pytest.raises(InputError, match="preprocessing zero_mean_unit_variance"):
        from_package(path)
    with pytest.raises(InputError, match="has weights as onnx"):
        from_package(packaged(tmp_path, Blur(), kind="onnx"))
    (tmp_path / "junk.zip").write_bytes(b"junk")
    with pytest.raises(InputError, match=r"is not a BioImage\.IO package"):
        from_package(tmp_path / "junk.zip")
