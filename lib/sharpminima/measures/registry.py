"""How a measure enters the table: the function with its formula, its source, and what its authors
claim of it.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..points import Point, Undefined


@dataclass(frozen=True)
class Measure:
    """A function of a point with what is known of it: call it like the function, `measure(point) ->
    float`.

    `formula` is TeX between dollar signs; `source` says where it stands; `cite` is its key in the
    bibliography, or None; `claims` are the transformations under which its authors say that it
    keeps its value; `function_space` holds when it depends on the computed function and the data
    alone; `vanishes` when it is 0 at every interpolating minimum, where what is computed is
    rounding and a ratio of two values says nothing.
    """

    name: str
    function: Callable
    formula: str
    source: str
    cite: str | None
    claims: frozenset
    function_space: bool
    vanishes: bool

    def __call__(self, point):
        return self.function(point)

    @property
    def __name__(self):
        return self.function.__name__


# What a claim names: transformations that keep the function.
KEEPING = (
    "layer_scale",
    "node_scale",
    "permutation",
    "weight_norm_scale",
    "elementwise_map",
    "linear_map",
    "radial_map",
    "input_basis",
)
SCALES = ("layer_scale", "node_scale")
REPARAMETRIZATIONS = (*SCALES, "permutation", "elementwise_map", "linear_map", "radial_map")

MEASURES: dict[str, Measure] = {}


def measure(name, *, formula, source, cite=None, claims=(), function_space=False, vanishes=False):
    """Register a function of a point in `MEASURES`, under its own name, with what is known of it.

    The function stays a function. It raises ValueError for an argument that is no `Point`, and
    `Undefined` where its value is not finite.
    """
    unknown = set(claims) - set(KEEPING)
    if unknown:
        raise ValueError(
            f"claims must be among {', '.join(KEEPING)}, got {', '.join(sorted(unknown))}"
        )

    def register(function):
        @functools.wraps(function)
        def checked(point, **options):
            if not isinstance(point, Point):
                raise ValueError(f"point must be a Point(loss, theta), got {type(point).__name__}")
            with np.errstate(over="ignore", invalid="ignore"):
                value = np.asarray(function(point, **options)).item()
            if not np.isfinite(value):
                raise Undefined(f"{name} is not finite here, got {value}")
            return value

        MEASURES[function.__name__] = Measure(
            name, checked, formula, source, cite, frozenset(claims), function_space, vanishes
        )
        return checked

    return register
