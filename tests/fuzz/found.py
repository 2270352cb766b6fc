"""Inputs that once ended in a traceback, a hang, a wrong result or a file in another place."""

from __future__ import annotations

from tests.fuzz.strategies import npy_header, zipped

BOMB = "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "\n".join(
    f"{new}: &{new} [{','.join([f'*{old}'] * 10)}]" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)
YAML = [
    "model: 2020-13-45", 'n: !!int "_"', "n: !!bool x", "n: !!timestamp x", "crop=[", "[", "a:\t- b", "--- 1\n--- 2",
    "!!python/object/apply:os.system [exit]", "!x 1", "{? [1]: 2}", "&a [*a]", "\0", "{a: " * 2000 + "1" + "}" * 2000,
    "[" * 3000, BOMB, "- " * 3000, "1:" * 500 + "1", "9" * 6000, "{<<: 1}", "{<<: [1]}", "*a", "",
]  # fmt: skip
CARDS: list[dict] = [
    {"tile_multiple": 0}, {"tile_multiple": 100_000}, {"tile_multiple": -8}, {"network_range": [0, 0]},
    {"network_range": [1, -1]}, {"mask_meaning": "x"}, {"mask_meaning": ""}, {"latent_size": 10**9}, {"looks": []},
    {"latent_size": 5}, {"architecture": "pbam"}, {"architecture": "dvae"}, {"architecture": "metgan"},
    {"value_range": [None, 1]}, {"role": "segmentor"}, {"segmentor": "../x"}, {"condition_channels": ["a"]},
    {"hyper": {}}, {"hyper": {"zzz": 1}}, {"looks": [{"name": "/../../../../escaped"}]}, {"looks": [{"name": "a\0"}]},
    *({"hyper": {"in_channels": 2, "ngf": 4, "levels": 3} | odd} for odd in (
        {"levels": 10_000_000}, {"levels": -1}, {"levels": "x"}, {"ngf": -1}, {"ngf": 10**9}, {"ngf": 0},
        {"ngf": "4"}, {"dropout": 1}, {"dropout": -1}, {"upsampling": "x"}, {"norm": "x"}, {"in_channels": 0},
        {"out_channels": 2}, {"in_channels": 10**6}, {"dropout_blocks": -1}, {"bias": "x"}, {"ngf": True},
    )),
]  # fmt: skip
"""Changes of a pix2pix card."""
FIELD = {"kind": "field", "settings": {"composer": 2, "height": 64, "width": 64, "sampler": "prior"}, "seed": 1}
FILE = {"kind": "file", "path": "m.tif"}
RECIPES: list[dict] = [
    {"n": 10**12}, {"variants": 10**12}, {"options": ["/../../../keep/mine"]}, {"options": ["a\0"]}, {"seed": -1},
    {"masks": [FILE | {"path": "a\0b"}]}, {"masks": [FILE | {"path": "x" * 300}]}, {"z": [1e999]}, {"masks": []},
    {"masks": [FILE | {"path": "y/" * 5000}]}, {"masks": [FILE | {"path": "\ud800"}]}, {"model": "\0"},
    {"conditions": [FILE | {"dtype": "/"}]}, {"conditions": [FILE | {"dtype": "O"}]}, {"interventions": [1]},
    *({"masks": [FIELD | {"settings": FIELD["settings"] | odd}]} for odd in (
        {"height": 10**5, "width": 10**5}, {"area_mean": 1e308}, {"area_mean": 1e-300}, {"area_sd": 1e308},
        {"count_mean": float("inf")}, {"cluster_radius": 1e300, "spacing": "clusters"}, {"sampler": "x"},
        {"cluster_size": 1e300, "spacing": "clusters"}, {"area_law": "measured", "area_quantiles": [1e-300, 1e308]},
        {"spacing": "x"}, {"density": "/dev/null"}, {"library": "/dev/null"}, {"shapes": "x\0"},
    )),
]  # fmt: skip
"""Changes of a recipe."""
ARCHIVES = [
    b"", b"PK\x03\x04", b"PK\x05\x06" + bytes(18), b"\x80\x04.", npy_header((1, 64, 64)) + bytes(4096),
    zipped({"shapes.npy": npy_header((10**6, 64, 64))}), zipped({"labels.npy": npy_header((10**6, 10**6, 10**6))}),
    zipped({"shapes.npy": npy_header((1, 64, 64)) + bytes(10**7)}), zipped({"shapes.npy": b"x"}),
    zipped({"labels.npy": npy_header((1, 4, 4), "|O") + bytes(99)}), zipped({"packed.npy": npy_header((1,)) + b"1"}),
    zipped({"shapes.npy": npy_header((1, 64, 64)) + bytes(4096), "area_px.npy": npy_header(()) + b"1"}),
    zipped({"shapes.npy": npy_header((1, 64, 64)) + bytes(4096), "about.npy": npy_header((), "<U1") + b"7\0\0\0"}),
    zipped({"shapes.npy": npy_header((1, 64, 64)) + bytes(4096), "codes.npy": npy_header((1,)) + b"1"}),
]  # fmt: skip
"""Contents of ``.npz`` files."""
TRAINING = [
    ("pix2pix", {"upsampling": "x"}), ("pix2pix", {"mask_meaning": "x"}), ("pix2pix", {"l1": float("inf")}),
    ("pix2pix", {"levels": 8, "crop": 32}), ("pix2pix", {"levels": 10**7}), ("pix2pix", {"ngf": 10**9}),
    ("pix2pix", {"batch_size": 10**12}), ("unet", {"crop": 10**9}), ("dvae", {"latent_size": 10**9}),
    ("metgan", {"width": 1e300}), ("pix2pix", {1: 2}), ("unet", {"steps": None}), ("unet", {"width": [1]}),
    ("capspix2pix", {"learning_rate": float("nan")}),
]  # fmt: skip
"""Architecture and settings."""
