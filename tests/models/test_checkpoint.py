import pickle

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from napari_synth.core.errors import InputError
from napari_synth.models.card import ModelCard
from napari_synth.models.checkpoint import CARD_KEY, load_weights, read_card, save_model
from napari_synth.models.registry import bundled_cards, load_trained, model_card
from tests.helpers import small_generator


@pytest.fixture(scope="module")
def model_file(tmp_path_factory):
    return small_generator(tmp_path_factory.mktemp("model") / "small.safetensors")


def test_card_and_weights_come_back(model_file):
    trained = load_trained(model_file, "cpu")
    assert trained.card.options == ["he", "grey"]
    weights = load_weights(model_file)
    assert all(t.dtype == torch.float32 for t in weights.values() if t.is_floating_point())
    assert not trained.network.training
    assert len(trained.sha256) == 64


def test_matrices_are_half_and_vectors_full_precision(tmp_path):
    card = ModelCard(id="a", architecture="unet", role="segmentor")
    weights = {"kernel": torch.full((2, 2), 1 / 3), "variance": torch.full((2,), 1e9)}
    save_model(tmp_path / "a.safetensors", card, weights)
    back = load_weights(tmp_path / "a.safetensors")
    assert back["variance"].tolist() == [1e9, 1e9]
    assert back["kernel"][0, 0].item() == pytest.approx(1 / 3, abs=1e-3)
    assert back["kernel"][0, 0].item() != weights["kernel"][0, 0].item()


@pytest.mark.parametrize("name", ["model.pt", "model.pth", "model.ckpt", "model.safetensors"])
def test_a_pickle_is_refused_without_being_opened(tmp_path, name):
    class Bomb:
        def __reduce__(self):
            return (exec, ("raise SystemExit('opened')",))

    path = tmp_path / name
    path.write_bytes(pickle.dumps(Bomb()))
    for read in (read_card, load_weights, load_trained):
        with pytest.raises(InputError, match="pickle file"):
            read(path)


def test_a_torch_zip_is_refused_too(tmp_path):
    path = tmp_path / "renamed.safetensors"
    torch.save({"a": torch.ones(1)}, path)
    with pytest.raises(InputError, match="pickle file"):
        load_trained(path)


@given(st.integers(0, 4000))
@settings(max_examples=25, deadline=None)
def test_a_truncated_file_is_refused(model_file, length):
    path = model_file.with_name("cut.safetensors")
    path.write_bytes(model_file.read_bytes()[:length])
    with pytest.raises(InputError, match=r"damaged|no napari-synth model card"):
        load_trained(path)


@given(st.binary(max_size=300))
@settings(max_examples=50, deadline=None)
def test_any_bytes_are_refused(model_file, content):
    path = model_file.with_name("noise.safetensors")
    path.write_bytes(content)
    with pytest.raises(InputError):
        read_card(path)


def test_a_foreign_safetensors_file_is_refused(tmp_path):
    save_file({"a": torch.ones(2)}, tmp_path / "foreign.safetensors")
    with pytest.raises(InputError, match="no napari-synth model card"):
        load_trained(tmp_path / "foreign.safetensors")
    save_file({"a": torch.ones(2)}, tmp_path / "bad.safetensors", metadata={CARD_KEY: '{"id": 3}'})
    with pytest.raises(InputError, match=r"card in bad\.safetensors is not valid"):
        load_trained(tmp_path / "bad.safetensors")


def test_weights_that_do_not_fit_the_card_are_refused(tmp_path, model_file):
    card = read_card(model_file)
    save_model(tmp_path / "odd.safetensors", card, {"a": torch.ones(2)})
    with pytest.raises(InputError, match="do not fit its card"):
        load_trained(tmp_path / "odd.safetensors")


def test_unknown_models_and_architectures(tmp_path):
    with pytest.raises(InputError, match="no model called 'nope'"):
        load_trained("nope")
    with pytest.raises(InputError, match="does not exist"):
        model_card(tmp_path / "none.safetensors")
    save_model(tmp_path / "x.safetensors", ModelCard(id="x", architecture="transformer", role="generator"), {})
    with pytest.raises(InputError, match="no architecture called 'transformer'"):
        load_trained(tmp_path / "x.safetensors")


def test_bundled_models_have_complete_cards():
    cards = bundled_cards()
    assert {"optional-pix2pix-nuclei", "nucleus-dvae", "capspix2pix-axons", "metgan-brain"} <= set(cards)
    for card in cards.values():
        assert card.licence
        if card.architecture == "pbam":
            continue  # nothing to train
        timed = card.training.settings.get("minutes")  # such a run ends by time, its steps by the device
        assert timed or card.training.steps == card.training.planned_steps
        assert all(data.source and data.licence and data.attribution for data in card.training.data)
    generator = cards["optional-pix2pix-nuclei"]
    assert generator.options == ["he", "he-dark", "purple", "fluorescence"]
    assert all(option.thumbnail and option.title for option in generator.looks)
    assert all(data.held_out for data in generator.training.data)
    assert generator.figures["he.agreement"] >= 0.9


def test_a_card_says_what_its_structures_are():
    called = {name: card.structures for name, card in bundled_cards().items()}
    assert called == {
        "capspix2pix-axons": "axons",
        "ising-nuclei": "nuclei",
        "metgan-brain": "neurons",
        "metgan-brain-segmentor": "neurons",
        "nucleus-dvae": "nuclei",
        "optional-pix2pix-nuclei": "nuclei",
        "pbam-axons": "axons",
    }
    card = {"id": "my-axons", "architecture": "pix2pix", "role": "generator", "mask_meaning": "foreground-signed"}
    assert ModelCard.model_validate(card).structure == "structure", "a name says nothing"
    assert ModelCard.model_validate(card | {"structure": "axon"}).structure == "axon"
    written = ModelCard.model_validate(card | {"structure": "neuron", "mask_meaning": "foreground-gap"})
    assert ModelCard.model_validate_json(written.model_dump_json()).structure == "neuron"
