from pathlib import Path

import numpy as np
import pytest
import yaml
from scipy import ndimage, stats

from napari_synth.core.errors import InputError
from napari_synth.core.progress import CancelToken
from napari_synth.evaluation.realism import RealismRequest, evaluate_realism
from napari_synth.evaluation.realism.battery import battery
from napari_synth.evaluation.realism.classifier import classified
from napari_synth.evaluation.realism.distances import (
    DISTANCES,
    energy,
    frechet,
    grey_values,
    kernel_distance,
    mahalanobis,
)
from napari_synth.evaluation.realism.features import FEATURES, patch_features
from napari_synth.evaluation.realism.memory import neighbours
from napari_synth.evaluation.realism.sets import Picture, cut
from tests.evaluation.usefulness.small_sets import disc_folder, disc_pair, write
from tests.helpers import nuclei


def tissue(number, side=128):
    """A grey image with discs, grain of its own strength, and its labels: alike but not the same."""
    rng = np.random.default_rng(number)
    labels = nuclei((side, side), 14, number)
    grain = ndimage.gaussian_filter(rng.normal(0, 1, (side, side)), 1) * rng.uniform(18, 26)
    image = rng.uniform(60, 70) + rng.uniform(60, 70) * ndimage.gaussian_filter((labels > 0).astype(float), 1) + grain
    image += rng.normal(0, 4, image.shape)
    return np.clip(image, 0, 255).astype(np.uint8), labels.astype(np.uint8)


def tissue_folder(folder, count, first, change=lambda image: image):
    for number in range(count):
        image, labels = tissue(first + number)
        write(folder, f"{number:03d}", change(image), labels)
    return folder


def pictures(first, count):
    return [Picture(Path(f"{n}"), f"{n}", *tissue(n)) for n in range(first, first + count)]


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    return tissue_folder(tmp_path_factory.mktemp("sets") / "real", 24, 0)


CHANGES = {
    "blurred": (lambda image: ndimage.gaussian_filter(image, 1), "texture"),
    "gamma": (lambda image: (255 * (image / 255) ** 0.8).round().astype(np.uint8), "bright"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_changed_images_trip_the_right_line(real, tmp_path, name):
    change, word = CHANGES[name]
    made = tissue_folder(tmp_path / "made", 24, 100, change)
    lines = []
    report = evaluate_realism(RealismRequest(real, made, tmp_path / "report"), on_line=lines.append)
    z = {line.name: line.z for line in report.lines}
    assert [line.name for line in lines] == list(z)
    assert z["spectrum" if name == "blurred" else "grey-values"] > 3
    assert z["features"] > 3
    assert report.told.auc > 0.9
    assert report.told.p < 0.05
    assert word in report.sentence.lower()
    if name == "blurred":
        assert "too little" in report.sentence or "too smooth" in report.sentence or "too soft" in report.sentence
    found = yaml.safe_load((tmp_path / "report" / "verdict.yaml").read_text())
    assert found["sentence"] == report.sentence
    page = (tmp_path / "report" / "report.html").read_text()
    assert page.count("data:image/png;base64") == 3
    assert len((tmp_path / "report" / "map.csv").read_text().splitlines()) == 1 + 24 + 24
    with pytest.raises(InputError, match="already holds other reports"):
        evaluate_realism(RealismRequest(real, made, tmp_path / "report", seed=2))


def test_ten_planted_copies_are_found_turned_and_shifted():
    real, made = pictures(0, 12), pictures(100, 14)
    for number in range(10):
        turned = [np.rot90(part, number) for part in tissue(number)]
        if number % 2:
            turned = [part[::-1] for part in turned]
        image, labels = (np.roll(part, (3 * number - 9, 5 - number), (0, 1)) for part in turned)
        made[number] = Picture(Path("planted"), "p", np.clip(image + 3.0, 0, 255).astype(np.uint8), labels)
    found = neighbours(real, made, 1, CancelToken())
    copies = {(a.path, b.path) for a, b, _ in found.copies}
    assert copies <= {(Path("planted"), Path(str(number))) for number in range(10)}
    assert len(copies) >= 9  # half a pixel of a thumbnail up and across takes one of them just under the limit
    assert not found.alike
    assert not neighbours(real, pictures(200, 12), 1, CancelToken()).copies
    alike = [Picture(Path(str(n)), str(n), *tissue(50)) for n in range(12)]
    assert neighbours(real, alike, 1, CancelToken()).alike


def test_equal_sets_are_not_told_apart():
    real, made = cut(pictures(0, 30), 128, 1), cut(pictures(100, 30), 128, 1)
    assert all(line.z < 3 for line in battery(real, made, 1, CancelToken()))
    features = patch_features(real.pixels, real.labels), patch_features(made.pixels, made.labels)
    told = classified(*features, real.groups, made.groups, 1, CancelToken(), permutations=40)
    assert told.p > 0.05
    assert 0.5 < told.chance < 0.8


def test_distances_against_plain_ones():
    rng = np.random.default_rng(0)
    a, b = rng.normal(0, 1, (60, 4)), rng.normal(0.5, 1, (50, 4))
    shares = [rng.dirichlet(np.ones(256), (5, 2)) for _ in range(2)]
    levels = np.arange(256) / 255
    wanted = np.mean([
        stats.wasserstein_distance(levels, levels, shares[0].mean(0)[c], shares[1].mean(0)[c]) for c in range(2)
    ])  # fmt: skip
    assert grey_values(*shares) == pytest.approx(wanted)
    one = rng.normal(0, 1, 300), rng.normal(1, 1, 300)
    scipy_ = stats.energy_distance(*one) ** 2
    assert energy(one[0][:, None], one[1][:, None]) == pytest.approx(scipy_, abs=0.02)
    kernel = lambda x, y: (x @ y / 4 + 1) ** 3  # noqa: E731
    pairs = lambda x: np.mean([kernel(p, q) for i, p in enumerate(x) for j, q in enumerate(x) if i != j])  # noqa: E731
    plain = pairs(a) + pairs(b) - 2 * np.mean([kernel(p, q) for p in a for q in b])
    assert kernel_distance(a, b) == pytest.approx(plain)
    many = rng.normal(0, 1, (20000, 3)), rng.normal(np.array([3, 0, 0]), 2, (20000, 3))
    assert frechet(*many) == pytest.approx(9 + 3 * (2 - 1) ** 2, rel=0.05)  # means, and (sd - sd')² per axis
    assert mahalanobis(many[0], rng.normal(0, 1, (20000, 3))) == pytest.approx(1, rel=0.05)


def test_samples_that_do_not_vary_in_a_direction_have_a_distance_all_the_same():
    real = np.array([[1.0, 0.0], [-1.0, 0.0]])
    assert np.isfinite(mahalanobis(real, np.array([[0.5, 2.0]])))
    assert mahalanobis(np.ones((3, 2)), np.array([[0.5, 2.0]])) == 0


def test_many_regressions_at_once_are_those_of_scikit_learn():
    from sklearn.linear_model import LogisticRegression

    from napari_synth.evaluation.realism.logistic import held_out_scores

    rng = np.random.default_rng(5)
    x = rng.normal(0, 1, (60, 6)) * [1, 1, 1, 3, 8, 0.1]
    labels = (rng.random((4, 60)) < [[0.5], [0.2], [0.5], [0.5]]).astype(int)
    labels[2] = x[:, 0] > 0  # told apart by one column
    labels[3] = np.arange(60) < 12
    folds = rng.integers(0, 5, (4, 60))
    folds[3] = (np.arange(60) >= 12) * rng.integers(1, 5, 60)  # without its first fold there is one class alone
    found = held_out_scores(x, labels, folds, 0.1)
    for one, y, fold in zip(found, labels, folds, strict=True):
        for held in (fold == number for number in range(5)):
            if len(set(y[~held])) < 2:
                assert not one[held].any()
                continue
            model = LogisticRegression(C=0.1, class_weight="balanced", tol=1e-8).fit(x[~held], y[~held])
            assert one[held] == pytest.approx(model.decision_function(x[held]), abs=1e-3)


def test_features_say_what_they_are_called():
    images, labels = zip(*[tissue(n) for n in range(6)], strict=True)

    def of(change, labels=labels):
        pixels = np.stack([change(image.astype(np.float32)) for image in images])[..., None] / 255
        return dict(zip((f.name for f in FEATURES), patch_features(pixels, np.stack(labels)).mean(0), strict=True))

    plain = of(lambda image: image)
    brighter, blurred = of(lambda image: image + 20), of(lambda image: ndimage.gaussian_filter(image, 1.5))
    assert brighter["brightness"] == pytest.approx(plain["brightness"] + 20 / 255)
    assert brighter["contrast"] == pytest.approx(plain["contrast"], rel=1e-4)
    for name in ("texture of 2 to 4 pixels", "fine texture in nuclei", "sharpness of edges", "background texture"):
        assert blurred[name] < plain[name]
    assert plain["nuclei against surroundings"] > 0.1
    assert of(lambda image: 255 - image)["nuclei against surroundings"] < -0.1


def test_the_order_of_files_changes_nothing():
    real, made = pictures(0, 8), pictures(100, 8)

    def found(order):
        patches = [cut([part[i] for i in order], 128, 1, 16) for part in (real, made)]
        return {line.name: line.z for line in battery(*patches, 1, CancelToken())}

    same, other = found(range(8)), found([3, 1, 7, 0, 2, 6, 5, 4])
    assert other == pytest.approx(same)


def test_what_cannot_be_compared(tmp_path):
    real = disc_folder(tmp_path / "real", 6)
    with pytest.raises(InputError, match="1 group of images, too few"):
        evaluate_realism(RealismRequest(real, real, tmp_path / "r", groups=r"^0(0)"))
    image, labels = disc_pair(1)
    with pytest.raises(InputError, match="has 2 images, too few"):
        evaluate_realism(RealismRequest(real, disc_folder(tmp_path / "two", 2), tmp_path / "r"))
    write(tmp_path / "colour", "a", np.stack([image] * 3, -1), labels)
    with pytest.raises(InputError, match="are grey but those in"):
        evaluate_realism(RealismRequest(real, tmp_path / "colour", tmp_path / "r"))
    write(tmp_path / "small", "a", image[:40, :40], labels[:40, :40])
    with pytest.raises(InputError, match="smaller than 64 pixels"):
        evaluate_realism(RealismRequest(real, tmp_path / "small", tmp_path / "r"))
    for number in range(6):
        write(tmp_path / "deep", str(number), disc_pair(number + 50)[0].astype(np.uint16) * 16, labels, ".tif")
    report = evaluate_realism(RealismRequest(real, tmp_path / "deep", tmp_path / "r"))
    assert any("8 bits" in remark for remark in report.remarks)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("mine")
    with pytest.raises(InputError, match="already holds other files"):
        evaluate_realism(RealismRequest(real, real, tmp_path / "full"))


@pytest.mark.slow
def test_two_halves_of_one_set_are_alike_in_95_of_100_splits():
    everything = cut(pictures(0, 80), 128, 1)
    described = {one.describe: one.describe(everything) for one in DISTANCES.values()}
    rng, good = np.random.default_rng(0), 0
    for _ in range(100):
        half = np.isin(everything.groups, rng.permutation(np.unique(everything.groups))[:40])
        parts = [
            type(everything)(*(getattr(everything, name)[chosen] for name in ("pixels", "labels", "image", "groups")))
            for chosen in (half, ~half)
        ]
        samples = {describe: (found[half], found[~half]) for describe, found in described.items()}
        good += all(abs(line.z) < 3 for line in battery(*parts, 1, CancelToken(), samples))
    assert good >= 95


@pytest.mark.slow
def test_deep_features_and_a_trained_classifier(real, tmp_path):
    pytest.importorskip("efficientnet_lite_pytorch")
    from napari_synth.evaluation.realism.deep import trained_classifier

    made = tissue_folder(tmp_path / "made", 24, 100, CHANGES["blurred"][0])
    report = evaluate_realism(RealismRequest(real, made, tmp_path / "report", deep=True, device="cpu"))
    assert {line.name: line.z for line in report.lines}["kid"] > 3
    assert min(report.recall.real, report.recall.synthetic) > 0.8
    import torch

    same = [cut(pictures(first, 24), 128, 1) for first in (0, 300)]
    recall = trained_classifier(*same, 1, torch.device("cpu"), CancelToken(), seeds=2)
    assert 0.2 < (recall.real + recall.synthetic) / 2 < 0.75
