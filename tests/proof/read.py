"""Read exports back with the programs that train on them, and say what came back.

python tests/proof/read.py FOLDER RESULTS.json
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import sys
import types
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from functools import partial
from pathlib import Path

import numpy as np


class Truth(dict):
    """Labels, image and role by stem."""

    def __init__(self, folder: Path):
        super().__init__((path.stem, dict(np.load(path))) for path in sorted((folder / "truth").glob("*.npz")))


def same(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two label maps part the pixels alike."""
    pairs = np.unique(np.stack([one.ravel(), other.ravel()]).astype(np.int64), axis=1)
    alone = all(len(np.unique(row)) == pairs.shape[1] for row in pairs)
    return bool(one.shape == other.shape and ((pairs[0] == 0) == (pairs[1] == 0)).all() and alone)


def fits(truth: np.ndarray, found: np.ndarray) -> list[float]:
    """Best IoU of each true nucleus."""
    best = []
    for number in np.unique(truth[truth > 0]):
        nucleus = truth == number
        others = [o for o in np.unique(found[nucleus]) if o]
        shares = [((found == o) & nucleus).sum() / ((found == o) | nucleus).sum() for o in others]
        best.append(float(max(shares, default=0)))
    return best


@contextmanager
def stand_ins() -> Iterator[None]:
    """Empty modules in place of torchvision, which readers import, or ask the version of, and do not use."""
    version, before = importlib.metadata.version, {*sys.modules}
    importlib.metadata.version = lambda name: "0.0" if name == "torchvision" else version(name)
    for name in ("", ".transforms", ".transforms.functional", ".transforms._functional_tensor"):
        sys.modules[f"torchvision{name}"] = types.ModuleType(f"torchvision{name}")
    try:
        yield
    finally:  # others look whether it is there
        importlib.metadata.version = version
        for name in {*sys.modules} - before:
            if name.split(".")[0] == "torchvision":
                del sys.modules[name]


@stand_ins()
def cellpose(folder: Path, truth: Truth) -> str:
    from cellpose import io

    count = 0
    for role in ("train", "val", "test"):
        place = str((folder / role).resolve())
        images, labels, names, *_ = io.load_train_test_data(place, mask_filter="_masks")
        for image, label, name in zip(images, labels, names, strict=True):
            real = truth[Path(name).stem]
            assert same(np.squeeze(label), real["labels"]), name
            assert sorted(np.shape(image)) == sorted(real["image"].shape), name
            assert (np.asarray(image) == real["image"]).all(), name
            count += 1
    return f"{count} fields equal, images equal (io.load_train_test_data)"


def stardist(folder: Path, truth: Truth) -> str:
    from stardist import edt_prob, fill_label_holes, star_dist
    from stardist.matching import label_are_sequential, matching
    from tifffile import imread

    count = 0
    for path in sorted(folder.rglob("masks/*.tif")):
        labels, real = imread(path), truth[path.stem]
        assert same(labels, real["labels"]), path
        assert (imread(path.parents[1] / "images" / path.name) == real["image"]).all(), path
        assert label_are_sequential(labels) or labels.min() == 1, path
        if labels.max() < 1000:
            assert (fill_label_holes(labels) == labels).all(), path
            assert edt_prob(labels).shape == star_dist(labels, 32).shape[:2] == labels.shape
            assert matching(real["labels"], labels).f1 == 1 or not labels.any(), path
        count += 1
    return f"{count} fields equal, images equal (label_are_sequential, fill_label_holes, edt_prob, star_dist, matching)"


def coco(folder: Path, truth: Truth) -> str:
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval
    from skimage.io import imread

    count, worst, precision = 0, 1.0, []
    for role in ("train", "val", "test"):
        exact = COCO(folder / "annotations" / f"instances_{role}_rle.json")
        drawn = COCO(folder / "annotations" / f"instances_{role}.json")
        for number, entry in exact.imgs.items():
            real = truth[Path(entry["file_name"]).stem]
            assert (imread(folder / "images" / role / entry["file_name"]) == real["image"]).all()
            found = np.zeros(real["labels"].shape, np.int64)
            annotations = exact.imgToAnns[number]
            if len(annotations) < 1000:
                for position, annotation in enumerate(annotations, 1):
                    found[exact.annToMask(annotation) > 0] = position
                assert same(found, real["labels"]), entry
                for one, two in zip(annotations, drawn.imgToAnns[number], strict=True):
                    a, b = exact.annToMask(one) > 0, drawn.annToMask(two) > 0
                    if a.sum() >= 30:
                        worst = min(worst, (a & b).sum() / (a | b).sum())
            count += 1
        few = [number for number in exact.imgs if 0 < len(exact.imgToAnns[number]) < 1000]
        results = [annotation | {"score": 1.0} for number in few for annotation in exact.imgToAnns[number]]
        if results:
            evaluation = COCOeval(exact, exact.loadRes(results), "segm")
            evaluation.params.imgIds, evaluation.params.maxDets = few, [1, 10, 1000]
            evaluation.evaluate()
            evaluation.accumulate()
            precision.append(float(evaluation.eval["precision"][:, :, :, 0, 2].mean()))
    assert worst >= 0.99
    assert min(precision) > 0.999
    return (
        f"{count} fields, runs equal, polygons IoU >= {worst:.3f} from 30 px on, "
        f"AP of the truth against itself {min(precision):.3f} (COCO.annToMask, COCOeval)"
    )


@stand_ins()
def yolo(folder: Path, truth: Truth) -> str:
    os.environ |= {"YOLO_CONFIG_DIR": str(folder), "YOLO_OFFLINE": "true"}
    import cv2

    count, worst = 0, 1.0
    try:
        from ultralytics.data.utils import polygon2mask

        reader = "polygon2mask"
    except Exception as error:
        reader = f"its rasteriser cv2.fillPoly alone, for ultralytics cannot be imported here: {type(error).__name__}"

        def polygon2mask(size, polygons, color=1):
            mask = np.zeros(size, np.uint8)
            return cv2.fillPoly(mask, np.asarray(polygons, np.int32).reshape(1, -1, 2), color=color)

    for path in sorted(folder.rglob("labels/*/*.txt")):
        real = truth[path.stem]["labels"]
        height, width = real.shape
        lines = path.read_text().splitlines()
        assert len(lines) == len(np.unique(real[real > 0])), path
        if len(lines) < 1000:
            found = np.zeros(real.shape, np.int64)
            for number, line in enumerate(lines, 1):
                points = np.array(line.split()[1:], float).reshape(-1, 2) * (width, height)
                found[polygon2mask((height, width), [points.ravel()], color=1) > 0] = number
            worst = min([worst, *fits(real, found)])
        count += 1
    assert worst >= 0.99
    assert chains_equal(truth, folder), "the chain of border pixels is that of cv2.findContours"
    return f"{count} fields, IoU >= {worst:.3f} ({reader}; chains as cv2.findContours)"


def chains_equal(truth: Truth, folder: Path) -> bool:
    """Whether the points in the files are those of OpenCV's contours."""
    import cv2

    for path in sorted(folder.rglob("labels/*/*.txt"))[:12]:
        real = truth[path.stem]["labels"]
        height, width = real.shape
        for number, line in zip(np.unique(real[real > 0]), path.read_text().splitlines(), strict=True):
            (contour,), _ = cv2.findContours(
                (real == number).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
            )
            points = np.floor(np.array(line.split()[1:], float).reshape(-1, 2) * (width, height))
            if {tuple(p) for p in points.tolist()} != {tuple(p) for p in contour[:, 0].astype(float).tolist()}:
                return False
    return True


@stand_ins()
def nnunet(folder: Path, truth: Truth, most: float = 0.0) -> str:
    """``most`` is the share of nuclei that may be lost: real masks have lines of one pixel along others."""
    from skimage.io import imread
    from skimage.measure import label
    from skimage.segmentation import watershed

    root = next((folder / "nnUNet_raw").glob("Dataset*"))
    for name in ("raw", "preprocessed", "results"):
        os.environ[f"nnUNet_{name}"] = str(folder / f"nnUNet_{name}")
    from nnunetv2.experiment_planning.verify_dataset_integrity import verify_dataset_integrity

    verify_dataset_integrity(str(root), 1)
    count, nuclei, lost, total = 0, 0, 0, 0.0
    for path in sorted(root.glob("labels*/*.png")):
        semantic, real = imread(path), truth[path.stem]["labels"]
        if real.max() < 10_000 or len(np.unique(real)) < 1000:
            found = fits(real, watershed(semantic == 2, label(semantic == 1), connectivity=2, mask=semantic > 0))
            nuclei, lost, total = nuclei + len(found), lost + sum(fit < 0.5 for fit in found), total + sum(found)
        count += 1
    assert lost <= most * nuclei, f"{lost} of {nuclei} nuclei lost"
    there_and_back = f"{nuclei} nuclei there and back: {lost} lost, mean IoU {total / nuclei:.3f}"
    return f"{count} fields verified, {there_and_back} (verify_dataset_integrity)"


def dsb2018(folder: Path, truth: Truth) -> str:
    from skimage.io import imread

    count = 0
    for place in sorted(folder.glob("stage1_*/*")):
        real = truth[place.name]
        found = np.zeros(real["labels"].shape, np.int64)
        for number, path in enumerate(sorted((place / "masks").glob("*.png")), 1):
            found[imread(path) > 0] = number
        assert same(found, real["labels"]), place
        assert (imread(place / "images" / f"{place.name}.png") == real["image"]).all()
        count += 1
    return f"{count} fields equal, images equal (scikit-image)"


def ome_zarr(folder: Path, truth: Truth) -> str:
    import zarr
    from ome_zarr.io import parse_url
    from ome_zarr.reader import Reader
    from ome_zarr_models.v05.image import Image

    count = 0
    for place in sorted(folder.rglob("*.ome.zarr")):
        real = truth[place.name.split(".")[0]]
        image = Image.from_zarr(zarr.open_group(place, mode="r"))
        assert image.labels is not None
        nodes = list(Reader(parse_url(str(place)))())
        labels = [node for node in nodes if node.zarr.basename() == "nuclei"]
        assert (np.asarray(nodes[0].data[0]) == np.moveaxis(real["image"], -1, 0)).all(), place
        assert same(np.asarray(labels[0].data[0]), real["labels"]), place
        count += 1
    return f"{count} fields equal, images equal (ome_zarr_models v05.Image, ome_zarr.reader)"


def huggingface(folder: Path, truth: Truth) -> str:
    from datasets import load_dataset

    pairs = load_dataset("imagefolder", data_dir=str(folder), cache_dir=str(folder / ".cache"))
    count = 0
    for role in pairs:
        stems = [
            json.loads(line)["label_file_name"] for line in (folder / role / "metadata.jsonl").read_text().splitlines()
        ]
        for row, name in zip(pairs[role], stems, strict=True):
            real = truth[Path(name).stem]
            assert (np.asarray(row["image"]) == real["image"]).all()
            assert same(np.asarray(row["label"]), real["labels"])
            count += 1
    return f"{count} fields equal, images equal (load_dataset)"


def webdataset(folder: Path, truth: Truth) -> str:
    import io

    import tifffile
    import webdataset as wds

    def decoded(data: bytes) -> np.ndarray:
        return tifffile.imread(io.BytesIO(data))

    count = 0
    for path in sorted(folder.glob("*.tar")):
        shard = wds.WebDataset(str(path), shardshuffle=False)
        for sample in shard.decode(wds.handle_extension("image.tif masks.tif", decoded)):
            real = truth[sample["json"]["stem"]]
            assert (sample["image.tif"] == real["image"]).all(), sample["__key__"]
            assert (sample["masks.tif"] == real["labels"]).all(), sample["__key__"]
            count += 1
    return f"{count} fields equal, images equal (WebDataset)"


PROOFS = {
    "cellpose": (cellpose, ["cellpose"]),
    "stardist": (stardist, ["stardist"]),
    "coco": (coco, ["pycocotools"]),
    "yolo": (yolo, ["ultralytics", "opencv-python-headless"]),
    "nnunet": (nnunet, ["nnunetv2"]),
    "nnunet-own": (partial(nnunet, most=1e-3), ["nnunetv2"]),
    "dsb2018": (dsb2018, ["scikit-image"]),
    "ome-zarr": (ome_zarr, ["ome-zarr", "ome-zarr-models"]),
    "huggingface": (huggingface, ["datasets"]),
    "webdataset": (webdataset, ["webdataset"]),
}


def main(folder: Path, results: Path, names: list[str]) -> int:
    """Prove each format; how many could not be."""
    truth, told, failed = Truth(folder), json.loads(results.read_text()) if results.is_file() else {}, 0
    for name in names or [name for name in PROOFS if (folder / name).is_dir()]:
        proof, packages = PROOFS[name]
        versions = {package: importlib.metadata.version(package) for package in packages}
        try:
            words = proof(folder / name, truth)
        except Exception as error:
            failed += 1
            print(f"{name}: FAILED {type(error).__name__}: {error}")
            continue
        told[name] = {"found": words, "versions": versions, "date": date.today().isoformat()}
        print(f"{name}: {words}")
    results.write_text(json.dumps(told, indent=1) + "\n")
    return failed


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]))
