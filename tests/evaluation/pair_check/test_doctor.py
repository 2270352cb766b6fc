import numpy as np
import pytest
from PIL import Image

import napari_synth as ns
from napari_synth.core.errors import Cancelled, InputError
from napari_synth.core.progress import CancelToken
from napari_synth.datasets.image_files import read_labels
from napari_synth.evaluation.metrics.masks import dice
from napari_synth.evaluation.pair_check import FAULTS as KINDS
from napari_synth.evaluation.pair_check.cures import MASK_CURES, split_nuclei
from tests.evaluation.pair_check.planted import FAULTS, STEMS, Data, draw

MISPLACED = {"shifted", "turned", "swapped", "wrong pair"}


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_nothing_is_found_where_nothing_is_wrong(tmp_path, seed):
    Data(tmp_path / "data", seed)
    report = ns.check_pairs(tmp_path / "data")
    assert report.pairs == len(STEMS)
    assert report.findings == ()
    assert "nothing found" in report.text


@pytest.mark.parametrize("fault", FAULTS)
def test_planted_faults_are_named_in_one_sentence(tmp_path, fault):
    kind, plant = FAULTS[fault]
    data = Data(tmp_path / "data")
    plant(data)
    report = ns.check_pairs(tmp_path / "data")
    found = [finding.kind for finding in report.findings]
    assert kind in found, report.text
    finding = next(f for f in report.findings if f.kind == kind and any(path.stem == "b" for path in f.files))
    assert "b." in finding.sentence
    assert finding.sentence.endswith(".")
    if kind not in MISPLACED:
        assert not MISPLACED & set(found), report.text
    assert not any(path.stem in "aef" for f in report.findings if f.serious for path in f.files), report.text


CURED = [
    name
    for name, (kind, _) in FAULTS.items()
    if kind in ("shifted", "turned", "swapped", "inverted", "wrapped", "shared number", "gaps", "specks", "holes")
]


@pytest.mark.parametrize("fault", CURED)
def test_a_cured_copy_has_the_fault_no_more(tmp_path, fault):
    kind, plant = FAULTS[fault]
    data = Data(tmp_path / "data")
    plant(data)
    before = {path: path.read_bytes() for path in (tmp_path / "data").rglob("*.*")}
    report = ns.check_pairs(tmp_path / "data")
    changed = report.repair(tmp_path / "copy")
    assert changed
    assert {path: path.read_bytes() for path in (tmp_path / "data").rglob("*.*")} == before
    after = ns.check_pairs(tmp_path / "copy")
    assert kind not in {finding.kind for finding in after.findings}, after.text
    if kind in ("shifted", "turned", "swapped"):
        assert dice(read_labels(tmp_path / "copy" / "masks" / "b.tif") > 0, data.labels("b") > 0) > 0.9


LEFT_OUT = ["empty mask", "mask missing", "image missing", "image of nothing", "mask of a strange image"]


@pytest.mark.parametrize("fault", LEFT_OUT)
def test_a_pair_without_a_cure_is_left_out_of_the_copy(tmp_path, fault):
    data = Data(tmp_path / "data")
    FAULTS[fault][1](data)
    ns.check_pairs(tmp_path / "data").repair(tmp_path / "copy")
    assert not list((tmp_path / "copy").rglob("b.*"))
    assert len(list((tmp_path / "copy" / "masks").iterdir())) == len(STEMS) - 1


def test_stacks_become_planes_and_masks_of_another_size_fit(tmp_path):
    data = Data(tmp_path / "data")
    FAULTS["stacks"][1](data)
    data.put("d", data.labels("d")[::2, ::2])
    ns.check_pairs(tmp_path / "data").repair(tmp_path / "copy")
    for number, stem in enumerate("bc"):
        assert (read_labels(tmp_path / "copy" / "masks" / f"b_{number}.tif") == data.labels(stem)).all()
    assert ns.check_pairs(tmp_path / "copy").pairs == len(STEMS) + 1
    assert read_labels(tmp_path / "copy" / "masks" / "d.tif").shape == data.labels("d").shape


def test_only_the_chosen_faults_are_cured(tmp_path):
    data = Data(tmp_path / "data")
    FAULTS["gaps"][1](data)
    report = ns.check_pairs(tmp_path / "data")
    assert report.repair(tmp_path / "copy", kinds=["holes"]) == []
    assert (read_labels(tmp_path / "copy" / "masks" / "b.tif") == 3 * data.labels("b")).all()


def test_where_a_copy_may_not_lie(tmp_path):
    Data(tmp_path / "data")
    report = ns.check_pairs(tmp_path / "data")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("x")
    for place, words in (("full", "already exists"), ("data/inside", "lies in")):
        with pytest.raises(InputError, match=words):
            report.repair(tmp_path / place)


def test_progress_has_a_known_end_and_stops(tmp_path):
    Data(tmp_path / "data")
    seen = []
    ns.check_pairs(tmp_path / "data", on_progress=seen.append)
    assert [(p.done, p.total) for p in seen] == [(n, len(STEMS)) for n in range(1, len(STEMS) + 1)]
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        ns.check_pairs(tmp_path / "data", cancel=cancel)


def test_dark_nuclei_and_colours_are_judged_alike(tmp_path):
    data = Data(tmp_path / "data")
    for stem in STEMS:
        image = 255 - data.pairs[stem][1]
        Image.fromarray(np.dstack([image, image // 2, image])).save(data.image_path(stem))
    assert ns.check_pairs(tmp_path / "data").findings == ()
    FAULTS["shifted (6, 0)"][1](data)
    image = 255 - data.pairs["b"][1]
    Image.fromarray(np.dstack([image, image // 2, image])).save(data.image_path("b"))
    (finding,) = ns.check_pairs(tmp_path / "data").findings
    assert finding.kind == "shifted"
    assert finding.cures[0].arguments == {"down": -6, "right": 0}


def test_touching_nuclei_are_split():
    y, x = np.mgrid[:60, :90]
    joined = ((y - 30) ** 2 + (x - 30) ** 2 < 15**2) | ((y - 30) ** 2 + (x - 56) ** 2 < 15**2)
    found = split_nuclei(joined.astype(int))
    assert found.max() == 2
    assert found[30, 30] != found[30, 56]
    assert ((found > 0) == joined).all()


def test_many_findings_of_one_kind_are_one(tmp_path):
    data = Data(tmp_path / "data")
    for stem in STEMS:
        data.put(stem, (data.labels(stem) > 0).astype(np.uint8))
    (finding,) = ns.check_pairs(tmp_path / "data").findings
    assert finding.kind == "binary"
    assert len(finding.files) == len(STEMS)


def test_every_cure_gives_labels_of_one_kind():
    labels = draw(3)[0].astype(np.int32)
    arguments = {"scale": {"height": 80, "width": 80}, "turn": {"how": "transposed"}, "shift": {"down": 3, "right": -2}}
    for name, cure in MASK_CURES.items():
        cured = cure(labels, **arguments.get(name, {}))
        assert cured.dtype == np.int32
        assert cured.ndim == 2
    assert all(fault.advice.endswith(".") for fault in KINDS.values())


@pytest.mark.parametrize("words", ["neither masks", "does not exist"])
def test_folders_that_hold_nothing(tmp_path, words):
    folder = tmp_path if words.startswith("neither") else tmp_path / "none"
    with pytest.raises(InputError, match=words):
        ns.check_pairs(folder)
