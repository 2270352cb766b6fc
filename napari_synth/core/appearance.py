"""How axons appear in the physics-based appearance model: what a card of it says."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class AppearanceSettings(BaseModel):
    """How axons appear; brightness is a part of the full range, lengths are in pixels."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    brightness: float = Field(0.55, ge=0, le=1)
    variation: float = Field(0.45, ge=0, le=10)
    """Standard deviation of the logarithm of the brightness along an axon."""
    variation_length: float = Field(14.0, gt=0, le=100)
    """Distance over which the brightness changes."""
    profile: float = Field(0.6, gt=0, le=100)
    """Standard deviation of the profile across an axon, as a part of its radius."""
    blur: float = Field(0.8, ge=0, le=100)
    """Standard deviation of the point spread function."""
    background: float = Field(0.08, ge=0, le=1)
    coloured_noise: float = Field(0.02, ge=0, le=10)
    noise_length: float = Field(3.0, gt=0, le=100)
    """Grain of the coloured noise."""
    white_noise: float = Field(0.06, ge=0, le=10)
