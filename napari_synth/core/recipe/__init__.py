"""Recipes: all that is needed to make an image again."""

from napari_synth.core.recipe.camera import (
    CAMERA_FIELDS,
    CameraSettings,
    camera_from_text,
    camera_text,
    checked_camera,
)
from napari_synth.core.recipe.field import DEFAULT_SAMPLER, DEFAULT_SHAPES, REFERENCE_AREA, FieldSettings, Quantiles
from napari_synth.core.recipe.hashes import image_hash, mask_hash, versions
from napari_synth.core.recipe.recipe import (
    METADATA_KEY,
    PRECISIONS,
    RECIPE_NAME,
    Intervention,
    Precision,
    Recipe,
    Style,
    checked_recipe,
    located,
    parse_recipe,
    read_recipe,
)
from napari_synth.core.recipe.sources import (
    ConditionSource,
    FieldSource,
    FileSource,
    ImageFileSource,
    LayerSource,
    MaskSource,
    RecombinedSource,
    RecombineSettings,
)

__all__ = [
    "CAMERA_FIELDS",
    "DEFAULT_SAMPLER",
    "DEFAULT_SHAPES",
    "METADATA_KEY",
    "PRECISIONS",
    "RECIPE_NAME",
    "REFERENCE_AREA",
    "CameraSettings",
    "ConditionSource",
    "FieldSettings",
    "FieldSource",
    "FileSource",
    "ImageFileSource",
    "Intervention",
    "LayerSource",
    "MaskSource",
    "Precision",
    "Quantiles",
    "Recipe",
    "RecombineSettings",
    "RecombinedSource",
    "Style",
    "camera_from_text",
    "camera_text",
    "checked_camera",
    "checked_recipe",
    "image_hash",
    "located",
    "mask_hash",
    "parse_recipe",
    "read_recipe",
    "versions",
]
