"""The register of measures: each a function of a point, with its formula, its source and what its
authors claim of it.
"""

import functools
import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np

from .._validation import as_choice, as_flag, as_list, as_text, check_function
from ..points import Point, Undefined, as_value

# The transformations that keep the function, by their names in `TRANSFORMATIONS`: a claim of
# invariance names some of them.
KEEPING = (
    "layer_scale",
    "node_scale",
    "permutation",
    "unit_split",
    "hidden_twin",
    "softmax_shift",
    "weight_norm_scale",
    "weight_norm_sign",
    "elementwise_map",
    "linear_map",
    "radial_map",
    "input_basis",
)
SCALES = ("layer_scale", "node_scale")
REPARAMETRIZATIONS = (*SCALES, "permutation", "elementwise_map", "linear_map", "radial_map")

# What a measure computes, for the loss of a network with n parameters, from the cheapest on: it may
# use what stands before its own class as well. Only the last forms a matrix (n, n).
NEEDS = {
    "passes": "the weights, the outputs, the gradient: a few passes through the network",
    "diagonal": "the diagonal of the Hessian or of the Fisher information",
    "block": "traces of one layer's block of the Hessian, a number for each pair of its units",
    "products": (
        "products of the Hessian, the Fisher information or the Jacobian with vectors, from one to"
        " a few hundred"
    ),
    "matrix": "a matrix (n, n) as a whole",
}


FAMILIES = {
    "curvature": "Curvature",
    "perturbation": "Perturbations, to second order",
    "orbit_minimum": "The least over an orbit",
    "scaling_floor": "The least over an orbit",
    "relative_flatness": "Relative flatness",
    "norms": "Norms",
}


@dataclass(frozen=True)
class Measure:
    """A function of a point with what is known of it: call it like the function, `measure(point) ->
    float`.

    `family` is the heading under which the measure stands in the table. `formula` is TeX between
    dollar signs; `source` says where it stands; `cite` is its key in the bibliography, or None;
    `claims` are the transformations under which its authors say that it keeps its value, and
    `place` is where they say so, or that it could not be read; `function_space` is true of a
    measure that depends on the computed function and the data alone; `vanishes` is true of one that
    is 0 at every interpolating minimum, where the
    computed value is rounding and a ratio of two values says nothing.
    """

    name: str
    function: Callable[..., float]
    formula: str
    source: str
    cite: str | None
    claims: frozenset[str]
    function_space: bool
    vanishes: bool
    needs: str = "matrix"
    place: str = ""
    family: str = "Your own"

    def __call__(self, point: Point, **options) -> float:
        """Return the value at a point. `options` are those of the function, as rho=0.1."""
        return self.function(point, **options)

    def with_(self, **options) -> "Measure":
        """Return the same measure with `options` of one's own, to audit it with them:
        `MEASURES["sam_worst"].with_(rho=0.1)`. Raises TypeError for an option that it lacks.
        """
        known = inspect.signature(self.function).parameters
        unknown = [name for name in options if name not in list(known)[1:]]
        if unknown:
            raise TypeError(
                f"options of {self.name} must be among {', '.join(list(known)[1:]) or 'none'}, got"
                f" {', '.join(unknown)}"
            )
        function = functools.wraps(self.function)(functools.partial(self.function, **options))
        return replace(self, function=function)

    @property
    def __name__(self):
        return self.function.__name__


MEASURES: dict[str, Measure] = {}


def measure(
    name: str,
    *,
    formula: str,
    source: str,
    cite: str | None = None,
    claims: Iterable[str] = (),
    function_space: bool = False,
    vanishes: bool = False,
    needs: str = "matrix",
    place: str = "",
) -> Callable[[Callable], Callable[..., float]]:
    """Register a function of a point in `MEASURES`, under its own name, with what is known of it.

    The function stays a function. It raises ValueError for an argument that is no `Point`, and
    `Undefined` where its value is not finite.

    Raises ValueError for a claim that names no transformation, for a need that is no key of
    `NEEDS`, and for a measure whose name is taken: to replace a measure of your own, delete it from
    `MEASURES` first.
    """
    for what, text in {"name": name, "formula": formula, "source": source}.items():
        as_text(what, text)
    if cite is not None:
        as_text("cite", cite)
    as_text("place", place, may_be_empty=True)
    as_flag("function_space", function_space)
    as_flag("vanishes", vanishes)
    as_choice("needs", needs, NEEDS)
    claims = [as_choice("each of claims", claim, KEEPING) for claim in _list_claims(claims)]

    def register(function):
        check_function("what is registered", function, "a function of a Point")
        key = function.__name__
        _refuse_a_taken_name(key, name)
        MEASURES[key] = Measure(
            name=name,
            function=_checked(function, name),
            formula=formula,
            source=source,
            cite=cite,
            claims=frozenset(claims),
            function_space=function_space,
            vanishes=vanishes,
            needs=needs,
            place=place,
            family=FAMILIES.get(function.__module__.rpartition(".")[2], "Your own"),
        )
        return MEASURES[key].function

    return register


def _list_claims(claims):
    """Return the claims as a list; a set has an order of its own, which says nothing here."""
    if isinstance(claims, (set, frozenset)):
        claims = sorted(claims)
    return as_list("claims", claims, "names of transformations")


def _refuse_a_taken_name(key, name):
    for known_key, known in MEASURES.items():
        if key == known_key or name == known.name:
            raise ValueError(
                f"a measure must have a name of its own, got {key} ({name!r}), but {known_key}"
                f" ({known.name!r}) is in MEASURES already; del MEASURES[{known_key!r}] makes room"
            )


def _checked(function, name):
    """Return the function with its argument and its value checked."""

    @functools.wraps(function)
    def checked(point, **options):
        if not isinstance(point, Point):
            raise ValueError(f"point must be a Point(loss, theta), got {type(point).__name__}")
        with np.errstate(over="ignore", invalid="ignore"):
            value = as_value(function(point, **options))
        if not np.isfinite(value):
            raise Undefined(f"{name} is not finite here, got {value}")
        return value

    return checked
