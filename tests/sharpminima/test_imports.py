"""The house rules that a parser can see, what holds for every public name, and all doctests.

Which module may import which is said in pyproject.toml and checked by import-linter, in
tests/book/test_imports.py. A name that is made while the program runs passes unseen.
"""

import ast
import dataclasses
import doctest
import importlib
import inspect
import re
from pathlib import Path

import pytest

import sharpminima as sm

ROOT = Path(sm.__file__).parent
MODULES = {
    ".".join(["sharpminima", *path.relative_to(ROOT).with_suffix("").parts]): path
    for path in sorted(ROOT.rglob("*.py"))
}

# What a call has that does not say otherwise. Papers and their programs gave those of SAM (Foret et
# al. 2021), ASAM (Kwon et al. 2021), Keskar et al. 2017 and Adam (Kingma and Ba 2015); the others
# are the book's own, and whoever changes one changes numbers that people have computed.
DEFAULTS = """
    alpha_diagonal: bias=False
    alpha_log_determinant: bias=False
    node_diagonal: bias=False
    init_params: bias=False
    layer_sizes: bias=False
    unravel: bias=False
    LayeredLoss: bias=False, l2=0.0
    NetworkLoss: bias=False, l2=0.0
    ResidualLoss: bias=False, l2=0.0
    from_sklearn: two_outputs=False, l2=False
    from_torch: l2=0.0
    carried_network: widths=(64, 16, 1), seed=0
    digits: n_train=200
    running_example: widths=(64, 16, 1), seed=0
    sample_networks: seed=0, large=False
    sweep: seeds=range(0, 1), n_train=200, max_epochs=200, stop_at=0.01
    train_network: init_scale=1.0, learning_rate=0.1, batch_size=20, l2=0.0, label_noise=0.0
    train_network: split=0, n_train=200, max_epochs=200, stop_at=0.01
    polish: max_steps=50, descent_steps=500
    follow: every=1
    AdamStep: beta1=0.9, beta2=0.999, epsilon=1e-08
    MomentumStep: momentum=0.9
    LargestEigenvalue: tol=1e-08
    spectral_density: probes=10, steps=100
    leading_eigenvalues: tol=0.0
    leading_eigenvectors: tol=0.0
    epsilon_sharpness: starts=4, steps=200, candidates=()
    keskar_sharpness: starts=4, steps=200, candidates=()
    keskar_bounds: epsilon=0.001, starts=4
    prior_mass: scale=1.0
    rank_correlation: level=0.95, n_resamples=1000
    audit: seeds=range(0, 20)
    audit_all: seeds=range(0, 20)
    orbit: reach=1000000.0
    Audit.survives: at_minima=False
    Audit.orbit: reach=1000000.0
    Audits: complete=True
    Audits.text: reasons=False
    Finding: compared=0
    Minimum: falls_for_ever=False
    Transformation: keeps=True
    measure: claims=(), function_space=False, vanishes=False
    log_determinant: delta=1.0
    effective_dimension: gamma=1.0
    laplace_evidence: precision=1.0
    sam_worst: rho=0.05
    sam_average: rho=0.05
    m_sharpness: rho=0.05, m=4
    asam_worst: rho=0.5
    asam_average: rho=0.5
    asam_damped_worst: rho=0.5, eta=0.01
    asam_damped_average: rho=0.5, eta=0.01
    asam_filter_worst: rho=0.5
    asam_filter_average: rho=0.5
    box_average: epsilon=0.001
    layer_scale: factor=10.0
    node_scale: factor=10.0
    softmax_shift: size=1.0
    weight_norm_scale: factor=10.0
    linear_map: factor=3.0
    radial_map: factor=3.0
    input_basis: factor=3.0
    logit_scale: factor=4.0
    perturbation: size=0.1
"""


def list_public_names():
    """The names that `sharpminima` imports from its modules."""
    tree = ast.parse(MODULES["sharpminima.__init__"].read_text(encoding="utf-8"))
    names = []
    for node in tree.body:
        if isinstance(node, ast.ImportFrom):
            names += [alias.asname or alias.name for alias in node.names]
    return names


def import_module(name):
    return importlib.import_module(name.removesuffix(".__init__"))


def test_there_is_something_to_look_at():
    assert {"sharpminima.losses", "sharpminima.measures.norms"} <= set(MODULES)
    assert {"NetworkLoss", "hessian", "audit"} <= set(list_public_names())


@pytest.mark.parametrize("name", MODULES)
def test_global_seeds_are_nowhere(name):
    source = MODULES[name].read_text(encoding="utf-8")
    assert "random.seed" not in source and "RandomState" not in source


def test_no_module_has_the_name_of_a_public_function():
    modules = {name.split(".")[1] for name in MODULES}
    assert not set(list_public_names()) & modules


@pytest.mark.parametrize("name", list_public_names())
def test_every_public_name_can_be_imported_and_is_documented(name):
    assert getattr(sm, name).__doc__, f"{name} has no docstring"


@pytest.mark.parametrize("name", MODULES)
def test_every_argument_can_be_given_by_its_name(name):
    for node in ast.walk(ast.parse(MODULES[name].read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert not node.args.posonlyargs, f"{name}.{node.name}"


@pytest.mark.parametrize("name", [name for name in MODULES if ".measures." in name])
def test_what_asks_for_a_point_alone_is_a_measure(name):
    """Otherwise it was never registered, or is no more."""
    registered = {value.function for value in sm.MEASURES.values()}
    for own, function in vars(import_module(name)).items():
        if inspect.isfunction(function) and not own.startswith("_") and own != "refuse_biases":
            asked = [
                parameter.name
                for parameter in inspect.signature(function).parameters.values()
                if parameter.default is parameter.empty
            ]
            assert asked != ["point"] or function in registered, own


def read_defaults(owner, function):
    """The arguments of a function that default to a number, a truth value or several, as a set of
    texts.
    """
    try:
        parameters = inspect.signature(function).parameters.values()
    except ValueError:  # as an exception's, which is written in C
        return set()
    return {
        f"{owner}: {parameter.name}={parameter.default!r}"
        for parameter in parameters
        if isinstance(parameter.default, int | float | tuple | range)
    }


def test_defaults_are_those_that_are_promised():
    promised = set()
    for line in DEFAULTS.strip().splitlines():
        owner, arguments = line.strip().split(": ")
        promised |= {f"{owner}: {one}" for one in re.split(r", (?=\w+=)", arguments)}
    found = set()
    for name in list_public_names():
        value = getattr(sm, name)
        if inspect.isfunction(value) or inspect.isclass(value):
            found |= read_defaults(name, value)
        for own, method in vars(value).items() if inspect.isclass(value) else ():
            if inspect.isfunction(method) and not own.startswith("_"):
                found |= read_defaults(f"{name}.{own}", method)
    for name, measure in sm.MEASURES.items():
        found |= read_defaults(name, measure.function)
    for name, transformation in sm.TRANSFORMATIONS.items():
        found |= read_defaults(name, transformation.move)
    assert found == promised


def test_no_bar_of_progress_stays_when_it_is_done():
    bars = 0
    for path in MODULES.values():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "tqdm":
                bars += 1
                words = {word.arg: ast.unparse(word.value) for word in node.keywords}
                assert words.get("leave") == "False", f"{path.name}:{node.lineno}"
    assert bars >= 5


def test_records_do_not_change():
    records = [getattr(sm, name) for name in list_public_names()]
    records = [value for value in records if dataclasses.is_dataclass(value)]
    assert {sm.Measure, sm.Minimum, sm.Trajectory} <= set(records)
    for record in records:
        untouched = object.__new__(record)
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(untouched, dataclasses.fields(record)[0].name, None)


@pytest.mark.parametrize("name", MODULES)
def test_doctests_hold(name):
    assert doctest.testmod(import_module(name)).failed == 0


def test_there_are_doctests():
    finder = doctest.DocTestFinder()
    tests = [test for name in MODULES for test in finder.find(import_module(name))]
    assert sum(len(test.examples) for test in tests) >= 40
