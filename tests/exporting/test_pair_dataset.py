import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

import napari_synth as ns
from napari_synth.core.errors import InputError
from napari_synth.synthesis.recipes import load_generator
from tests.exporting.test_shards import pairs_in, recipe, run
from tests.helpers import small_generator

SPLIT = "0.6/0.2/0.2"


@pytest.fixture(scope="module")
def generator(tmp_path_factory):
    return load_generator(small_generator(tmp_path_factory.mktemp("model") / "small.safetensors"), "cpu")


@pytest.fixture(scope="module")
def given(generator):
    return recipe(generator, options=["he"])


def by_index(samples):
    return {int(sample["index"]): sample for sample in samples}


def test_pairs_are_those_of_an_export_and_roles_share_them_out(given, generator, tmp_path):
    run(generator, tmp_path, recipe=given)
    exported, found = pairs_in(tmp_path), {}
    for role in ("train", "val", "test"):
        pairs = ns.PairDataset(given, role=role, split=SPLIT)
        for number in range(len(pairs)):
            sample = pairs[number]
            where, image, labels, _ = exported[sample["index"]]
            assert where == role
            assert sample["image"].dtype == torch.float32
            assert np.array_equal((sample["image"] * 255).round().byte().numpy(), image.transpose(2, 0, 1))
            assert np.array_equal(sample["label"][0].numpy(), labels)
            found[sample["index"]] = role
    assert len(found) == len(exported)


def test_workers_of_a_loader_make_the_same_pairs(given):
    pairs = ns.PairDataset(given, n=6)
    alone = by_index(pairs[number] for number in range(len(pairs)))
    loaded = by_index(DataLoader(pairs, batch_size=None, num_workers=2))
    streamed = [*DataLoader(pairs.stream(), batch_size=None, num_workers=2)]
    assert len(streamed) == len(alone) == 6
    for many in (loaded, by_index(streamed)):
        assert many.keys() == alone.keys()
        assert all(torch.equal(many[index]["image"], alone[index]["image"]) for index in alone)


def test_a_stream_gives_the_pairs_of_its_role_in_their_order(given):
    pairs = ns.PairDataset(given, role="val", split=SPLIT)
    assert [sample["index"] for sample in pairs.stream()] == pairs.indices.tolist()


def test_a_transform_is_applied_and_a_number_that_is_not_there_is_said(given):
    pairs = ns.PairDataset(given, n=2, transform=lambda sample: sample["label"].max())
    assert pairs[-1] == pairs[1] > 0
    with pytest.raises(IndexError):
        pairs[2]


def test_what_cannot_be_is_refused(given, tmp_path):
    with pytest.raises(InputError, match="no role called 'training'"):
        ns.PairDataset(given, role="training")
    with pytest.raises(InputError, match="Without a split"):
        ns.PairDataset(given, role="val")
    with pytest.raises(InputError, match="leaves"):
        ns.PairDataset(given, n=1, split="1/1")
    with pytest.raises(InputError, match="cannot be read"):
        ns.PairDataset(tmp_path / "none.yaml")
