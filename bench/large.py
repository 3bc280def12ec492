"""Networks too large for a matrix: what can be had without one, beside curvlinops, and what each
measure costs at three sizes.
"""

import signal

import numpy as np

from .methods import Method, make_curvlinops_operator, network_loss, same
from .problems import Problem

PROBLEM = Problem("cross_entropy", (784, 200, 200, 10), 10_000)
QUICK_PROBLEM = Problem("cross_entropy", (6, 5, 4, 3), 40)
# Of equal numbers of samples, so that the costs differ by the sizes alone.
SIZES = [
    Problem("cross_entropy", (16, 16, 16, 16, 10), 1000),
    Problem("cross_entropy", (64, 56, 56, 56, 10), 1000),
    Problem("cross_entropy", (784, 200, 200, 10), 1000),
]
QUICK_SIZES = [Problem("cross_entropy", (4, 3, 3, 3), 20)]

EIGENPAIRS = 5
EIGEN_TOLERANCE = 1e-3
PROBES, STEPS = 2, 20
TRACE_PRODUCTS = 20
COLUMNS, CHUNK = 128, 16  # of the block that a peer is timed on, and how many at a time
LONGEST = 60  # seconds that a measure may take


# Ours


def trace(problem, setting=None, rows=None):
    from sharpminima import hessian_diagonal

    loss, theta = network_loss(problem)
    return lambda: hessian_diagonal(loss, theta).sum(), np.atleast_1d


def eigenpairs(problem, setting=None, rows=None):
    from sharpminima import hessian_operator, leading_eigenvectors

    loss, theta = network_loss(problem)

    def compute():
        operator = hessian_operator(loss, theta)
        rng = np.random.default_rng(0)
        return leading_eigenvectors(operator, EIGENPAIRS, rng=rng, tol=EIGEN_TOLERANCE)

    return compute, lambda found: found.values


def last_block(problem, setting=None, rows=None):
    from sharpminima import hessian

    loss, theta = network_loss(problem)
    d_out = problem.widths[-1]
    # Those columns that a peer computes: the weights that enter the first unit.
    compared = np.arange(count_columns(problem)) * d_out
    return lambda: hessian(loss, theta, layer=-1), lambda H: H[:, compared]


def count_columns(problem):
    """Return how many columns of the last layer's block a peer is timed on."""
    return min(COLUMNS, problem.widths[-2])


def density(problem, setting=None, rows=None):
    from sharpminima import hessian_operator, spectral_density

    loss, theta = network_loss(problem)

    def compute():
        operator = hessian_operator(loss, theta)
        rng = np.random.default_rng(0)
        return spectral_density(operator, rng=rng, probes=PROBES, steps=STEPS)

    return compute, lambda found: found.ends


def hessian_product(problem, setting=None, rows=None):
    from sharpminima import hessian_operator

    loss, theta = network_loss(problem)
    operator = hessian_operator(loss, theta)
    v = np.random.default_rng(0).normal(size=problem.size)
    return lambda: operator @ v, same


def measure_value(problem, name, rows=None):
    """A measure, where its network interpolates, so that it is defined."""
    import scipy.special

    from sharpminima import MEASURES, Point

    loss, theta = network_loss(problem)
    loss = loss.on(loss.x, scipy.special.softmax(loss.outputs(theta), axis=1))

    def compute():
        # Ends the process: no signal reaches a call of LAPACK.
        signal.setitimer(signal.ITIMER_REAL, LONGEST)
        value = MEASURES[name](Point(loss, theta))
        signal.setitimer(signal.ITIMER_REAL, 0)
        return value

    return compute, same


# curvlinops: its operator with its own functions, and SciPy's where it has none.


def peer_trace(problem, setting=None, rows=None):
    """An estimate, since curvlinops has no exact one."""
    import curvlinops
    import torch

    operator, _ = make_curvlinops_operator(problem)

    def compute():
        torch.manual_seed(0)
        return curvlinops.hutchinson_trace(operator, TRACE_PRODUCTS)

    return compute, lambda found: np.atleast_1d(found.numpy())


def peer_eigenpairs(problem, setting=None, rows=None):
    import scipy.sparse.linalg

    operator, order = make_curvlinops_operator(problem)
    start = np.random.default_rng(0).normal(size=problem.size)  # as ours, in the peer's order
    start = start[np.argsort(order)]

    def compute():
        return scipy.sparse.linalg.eigsh(
            operator.to_scipy(), k=EIGENPAIRS, which="LA", v0=start, tol=EIGEN_TOLERANCE
        )

    return compute, lambda found: np.sort(found[0])[::-1]


def peer_last_block(problem, setting=None, rows=None):
    """Some columns of it: all would take too long."""
    import torch

    operator, _ = make_curvlinops_operator(problem, last=True)
    order = problem.sizes[-1]
    d_in, d_out = problem.widths[-2:]
    columns = count_columns(problem)

    def compute():
        H = torch.empty((order, columns), dtype=torch.float64)
        for start in range(0, columns, CHUNK):
            stop = min(start + CHUNK, columns)
            units = torch.zeros((order, stop - start), dtype=torch.float64)
            units[torch.arange(start, stop), torch.arange(stop - start)] = 1
            H[:, start:stop] = operator @ units
        return H

    transposed = np.arange(order).reshape(d_out, d_in).T.ravel()
    return compute, lambda H: H.numpy()[transposed]


def peer_density(problem, setting=None, rows=None):
    import curvlinops
    import torch

    operator, _ = make_curvlinops_operator(problem)

    def compute():
        torch.manual_seed(0)
        # With ends given, it takes as many products as ours; without, some more to find them.
        ends = (-1.0, 1.0)
        return curvlinops.lanczos_approximate_spectrum(
            operator, STEPS, num_repeats=PROBES, boundaries=ends
        )

    return compute, lambda found: found[1].numpy()


def peer_product(problem, setting=None, rows=None):
    import torch

    operator, order = make_curvlinops_operator(problem)
    v = torch.from_numpy(np.random.default_rng(0).normal(size=problem.size)[np.argsort(order)])
    return lambda: operator @ v, lambda product: product.detach().numpy()[order]


TASKS = {
    "product": "one product of the Hessian with a vector",
    "trace": "the trace",
    "eigenpairs": f"{EIGENPAIRS} leading eigenpairs, to {EIGEN_TOLERANCE:g}",
    "last_block": "the Hessian's block of the last layer",
    "density": f"the spectral density, {PROBES} vectors and {STEPS} steps",
}
OURS = {
    "product": hessian_product,
    "trace": trace,
    "eigenpairs": eigenpairs,
    "last_block": last_block,
    "density": density,
}
PEERS = {
    "product": peer_product,
    "trace": peer_trace,
    "eigenpairs": peer_eigenpairs,
    "last_block": peer_last_block,
    "density": peer_density,
}
# How far a peer's result may be from ours, relative to the largest entry: the trace is an estimate
# there. Densities of different vectors differ, and are not compared.
AGREEMENT = {"trace": 1.0, "product": 1e-10, "eigenpairs": EIGEN_TOLERANCE, "last_block": 1e-10}

METHODS = {"measure": Method("a measure", measure_value, "book", check=False)}
for task, title in TASKS.items():
    METHODS[f"large_{task}"] = Method(title, OURS[task], "book", check=False)
    METHODS[f"large_{task}_curvlinops"] = Method(title, PEERS[task], check=False)
