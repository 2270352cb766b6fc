"""No pair of one role shows what a pair of another shows."""

from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from napari_synth.core.errors import InputError
from napari_synth.core.recipe import FieldSettings, FieldSource, FileSource, LayerSource, Recipe, mask_hash
from napari_synth.datasets.pairs import Pair
from napari_synth.exporting.plan import Plan
from napari_synth.exporting.real_pairs import RealPair, plain_name
from napari_synth.exporting.split import Split, parse_split

SOME = FieldSettings()


def labels_of(number: int) -> np.ndarray:
    return np.full((4, 4), number + 1, np.int32)


def sources(draw_kinds):
    made = []
    for kind, number in draw_kinds:
        sha = mask_hash(labels_of(number))
        made.append(
            {
                "layer": LayerSource(name=f"l{len(made)}", sha256=sha),
                "file": FileSource(path=f"f{len(made)}.tif", sha256=sha),
                "field": FieldSource(settings=SOME, seed=number, sha256=sha),
            }[kind]
        )
    return made


def shown(source) -> str:
    """What a pair shows, worked out without the code that is tested: equal labels are the same thing."""
    if isinstance(source, FieldSource) and not source.sha256:
        return f"seed {source.seed}"
    return source.sha256


@st.composite
def exports(draw):
    kinds = draw(
        st.lists(st.tuples(st.sampled_from(["layer", "file", "field"]), st.integers(0, 9)), min_size=1, max_size=14)
    )
    options = draw(st.lists(st.sampled_from(["he", "grey", "blue"]), unique=True, max_size=3))
    variants = draw(st.integers(1, 3))
    n = draw(st.none() | st.integers(1, 90))
    recipe = Recipe(model="m", masks=sources(kinds), options=options, variants=variants, n=n)
    numbers = draw(st.lists(st.tuples(st.integers(0, 14), st.integers(0, 14)), max_size=12))
    real = [
        RealPair(f"real-{i}", Pair(f"{i}", Path("i"), Path("m")), mask_hash(labels_of(m)), f"image {im}")
        for i, (m, im) in enumerate(numbers)
    ]
    shares = draw(st.sampled_from([(0.8, 0.1, 0.1), (0.5, 0.25, 0.25), (0.7, 0.3, 0), (0.6, 0, 0.4), (1, 0, 0)]))
    return recipe, real, Split(shares, seed=draw(st.integers(0, 5)))


@given(exports())
@settings(max_examples=100, deadline=None)
def test_nothing_leaks(case):
    recipe, real, split = case
    try:
        plan = Plan(recipe, split, real)
    except InputError:
        reject()
    roles = defaultdict(set)
    for index in range(recipe.count()):
        roles[shown(recipe.item(index).masks[0])].add(plan.item(index).role)
    for number, pair in enumerate(real):
        role = plan.item(recipe.count() + number).role
        roles[pair.mask_sha256].add(role)
        roles[pair.image_sha256].add(role)
    assert all(len(found) == 1 for found in roles.values()), roles
    used = {role for found in roles.values() for role in found}
    assert used == set(split.wanted), "no role stays empty, and there is no other"
    if real:
        assert {plan.item(index).role for index in range(recipe.count())} == {"train"}


@given(exports(), st.integers(0, 40))
@settings(max_examples=100, deadline=None)
def test_more_pairs_move_nobody(case, more):
    recipe, _, split = case
    try:
        before = Plan(recipe, split)
    except InputError:
        reject()
    longer = recipe.model_copy(update={"n": recipe.count() + more})
    after = Plan(longer, split, known=before.roles)
    if recipe.count() > 1:
        for index in range(recipe.count()):
            assert after.item(index).role == before.item(index).role


@pytest.mark.parametrize(
    ("groups", "expected"), [(3, (1, 1, 1)), (10, (8, 1, 1)), (20, (16, 2, 2)), (99, (79, 10, 10))]
)
def test_quotas_are_exact_for_few(groups, expected):
    counts = Counter(parse_split("0.8/0.1/0.1").assigned(f"g{i}" for i in range(groups)).values())
    assert tuple(counts[role] for role in ("train", "val", "test")) == expected


def test_for_many_the_role_needs_no_list():
    split = parse_split("80/10/10")
    names = [f"g{i}" for i in range(5000)]
    roles = split.assigned(names)
    assert roles == {name: split.by_hash(name) for name in names}
    assert Counter(roles.values())["train"] == pytest.approx(4000, abs=120)
    assert roles != parse_split("80/10/10", seed=1).assigned(names)


@pytest.mark.parametrize("text", ["", "x", "1", "0/1/1", "1/-1", "1/2/3/4", "nan/1", "inf/1"])
def test_a_split_that_is_none(text):
    with pytest.raises(InputError, match="not understood"):
        parse_split(text)


def test_one_mask_cannot_be_split():
    with pytest.raises(InputError, match="leaves val and test empty: there is one mask"):
        Plan(Recipe(model="m", masks=sources([("layer", 1)]), variants=50), parse_split("0.8/0.1/0.1"))


def test_real_pairs_that_synthetic_ones_were_made_of_train():
    recipe = Recipe(model="m", masks=sources([("file", 1)]), variants=2)
    real = [RealPair(f"r{i}", Pair("", Path(), Path()), mask_hash(labels_of(i)), f"i{i}") for i in range(6)]
    plan = Plan(recipe, parse_split("0.5/0.25/0.25"), real)
    roles = [plan.item(index).role for index in range(len(plan))]
    assert roles[:2] == ["train", "train"]
    assert roles[2 + 1] == "train", "the real pair with the mask of the synthetic ones"
    assert {"val", "test"} <= set(roles[2:])


@given(st.text(max_size=40))
def test_no_trainer_takes_a_name_for_something_else(name):
    plain = plain_name(name)
    assert plain
    assert not plain.endswith(("_masks", "_flows", "_cellprob", "_cp_output", "_img"))
    assert not plain[-5:].lstrip("_").isdecimal() or plain[-5:-4] != "_"
    assert "__" not in plain
    assert set(plain) <= set("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_-")
