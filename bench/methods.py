"""How each library is asked for an exact Hessian: the compared code, in full.

A method prepares a problem and returns two functions. The first is timed; the second, which is not,
turns its result into a numpy array (n, n) in the book's order of parameters. Where a peer has a
setting, the fastest is taken.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

GIB = 2**30


@dataclass(frozen=True)
class Method:
    title: str
    # (problem, setting, rows) -> (timed call, function that makes a numpy array of its result)
    prepare: Callable
    environment: str = "peers"  # or "book"
    settings: tuple = ()  # the fastest on some rows of the Hessian is taken
    headline: bool = False  # called at least twice more, however long it takes
    compiles: bool = False  # then a first call is no sample of the later ones
    whole: bool = False  # holds all rows' intermediate results at once
    threads: int | None = None  # of BLAS, when it is not what all others have
    largest: float = float("inf")  # the largest number of parameters it is asked for
    check: bool = True  # its result is a Hessian

    def refusal(self, problem, most_gib=8):
        """Return why this method is not timed on this problem; empty when it is."""
        if problem.size > self.largest:
            return f"asked only up to {self.largest:.0f} parameters"
        need = 3 * 8 * problem.size * problem.samples * sum(problem.widths[1:]) / GIB
        if self.whole and need > most_gib:
            return f"would need about {need:.0f} GiB of memory"
        return ""


def same(result):
    return result


# The book's library, and what it rests on.


def network_loss(problem):
    from sharpminima import NetworkLoss

    x, y, theta = problem.arrays()
    return NetworkLoss(problem.widths, x, y, criterion=problem.criterion), theta


def ours(problem, setting=None, rows=None):
    """A new matrix in each call, as the peers return one."""
    from sharpminima import hessian

    loss, theta = network_loss(problem)
    return lambda: hessian(loss, theta), same


def ours_reused(problem, setting=None, rows=None):
    """The same matrix in each call, in memory that was written to before."""
    from sharpminima import hessian

    if "out" not in inspect.signature(hessian).parameters:
        raise NotImplementedError("this hessian has no out")
    loss, theta = network_loss(problem)
    out = np.zeros((problem.size, problem.size))
    return lambda: hessian(loss, theta, out=out), same


def by_autograd(problem, setting=None, rows=None):
    import autograd

    loss, theta = network_loss(problem)
    return lambda: autograd.hessian(loss)(theta), same


def leading(problem, setting=None, rows=None):
    """The five leading eigenvalues, without forming the Hessian."""
    from sharpminima import hessian_operator, leading_eigenvalues

    loss, theta = network_loss(problem)
    return (
        lambda: leading_eigenvalues(hessian_operator(loss, theta), 5, rng=np.random.default_rng(0)),
        same,
    )


def spectrum(problem, setting=None, rows=None):
    """All eigenvalues of a Hessian that is there already."""
    from sharpminima import eigenvalues, hessian

    loss, theta = network_loss(problem)
    H = hessian(loss, theta)
    return lambda: eigenvalues(H), same


# JAX: a loss as its users write it, arrays as arguments so that none is compiled in.


def jax_loss(problem):
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)

    def loss(theta, x, y):
        h, start = x, 0
        for a, b in pairwise(problem.widths):
            z = h @ theta[start : start + a * b].reshape(a, b)
            h, start = jax.nn.relu(z), start + a * b
        if problem.criterion == "squared_error":
            return jnp.sum((z - y) ** 2) / (2 * len(x))
        return jnp.mean(jax.nn.logsumexp(z, axis=1) - jnp.sum(y * z, axis=1))

    x, y, theta = map(jnp.asarray, problem.arrays())
    return loss, theta, x, y


def jax_chunks(problem, setting, rows=None):
    """Hessian-vector products with the unit vectors, `chunk` at a time, compiled as one.

    Forward over reverse; in the form "linearize" the gradient is traced once and its tape kept for
    all products.
    """
    form, chunk = setting
    loss, theta, x, y = jax_loss(problem)
    import jax
    import jax.numpy as jnp

    @jax.jit
    def hessian(theta, x, y):
        def gradient(theta):
            return jax.grad(loss)(theta, x, y)

        if form == "linearize":
            _, product = jax.linearize(gradient, theta)
        else:

            def product(v):
                return jax.jvp(gradient, (theta,), (v,))[1]

        def row(i):
            return product(jnp.zeros(problem.size).at[i].set(1.0))

        return jax.lax.map(row, jnp.arange(rows or problem.size), batch_size=chunk)

    return lambda: hessian(theta, x, y).block_until_ready(), np.asarray


def jax_hessian(problem, setting=None, rows=None):
    import jax

    loss, theta, x, y = jax_loss(problem)
    hessian = jax.jit(jax.hessian(loss))
    return lambda: hessian(theta, x, y).block_until_ready(), np.asarray


# PyTorch and curvlinops


def torch_loss(problem):
    import torch

    x, y, theta = map(torch.from_numpy, problem.arrays())
    shapes = list(pairwise(problem.widths))

    def loss(theta):
        h = x
        for (a, b), part in zip(shapes, theta.split([a * b for a, b in shapes]), strict=True):
            z = h @ part.reshape(a, b)
            h = torch.relu(z)
        if problem.criterion == "squared_error":
            return ((z - y) ** 2).sum() / (2 * len(x))
        return (torch.logsumexp(z, 1) - (y * z).sum(1)).mean()

    return loss, theta


def torch_chunks(problem, chunk, rows=None):
    """Reverse over reverse, `chunk` rows of the Hessian at a time, as
    `torch.func.jacrev(torch.func.grad(loss))` does.
    """
    import torch

    loss, theta = torch_loss(problem)
    rows = rows or problem.size

    def hessian():
        H = torch.empty((rows, problem.size), dtype=torch.float64)
        _, product = torch.func.vjp(torch.func.grad(loss), theta)
        for start in range(0, rows, chunk):
            stop = min(start + chunk, rows)
            units = torch.zeros((stop - start, problem.size), dtype=torch.float64)
            units[torch.arange(stop - start), torch.arange(start, stop)] = 1
            H[start:stop] = torch.func.vmap(product)(units)[0]
        return H

    return hessian, lambda H: H.numpy()


def torch_hessian(problem, setting=None, rows=None):
    import torch

    loss, theta = torch_loss(problem)
    hessian = torch.func.hessian(loss)
    return lambda: hessian(theta), lambda H: H.detach().numpy()


def make_curvlinops_operator(problem, last=False):
    """Return its Hessian operator, of the last layer alone if that is asked for, and the order of
    parameters that makes it ours. Its parameters are the transposed weights.
    """
    import torch
    from curvlinops import HessianLinearOperator

    x, y, theta = problem.arrays()
    shapes = list(pairwise(problem.widths))
    ends = np.cumsum(problem.sizes)[:-1]
    layers = []
    for (a, b), part in zip(shapes, np.split(theta, ends), strict=True):
        linear = torch.nn.Linear(a, b, bias=False, dtype=torch.float64)
        linear.weight.data = torch.from_numpy(np.ascontiguousarray(part.reshape(a, b).T))
        layers += [linear, torch.nn.ReLU()]
    model = torch.nn.Sequential(*layers[:-1])
    squared = problem.criterion == "squared_error"
    criterion = torch.nn.MSELoss() if squared else torch.nn.CrossEntropyLoss()
    data = [(torch.from_numpy(x), torch.from_numpy(y if squared else y.argmax(axis=1)))]
    parameters = list(model.parameters())[-1 if last else 0 :]
    operator = HessianLinearOperator(model, criterion, parameters, data, check_deterministic=False)
    index = np.split(np.arange(problem.size), ends)
    order = np.concatenate(
        [part.reshape(b, a).T.ravel() for (a, b), part in zip(shapes, index, strict=True)]
    )
    return operator, order


def curvlinops(problem, chunk, rows=None):
    """Its operator, applied to the unit vectors. Its squared error has no 1/2."""
    import torch

    operator, order = make_curvlinops_operator(problem)
    squared = problem.criterion == "squared_error"
    rows = rows or problem.size

    def hessian():
        H = torch.empty((problem.size, rows), dtype=torch.float64)
        for start in range(0, rows, chunk):
            stop = min(start + chunk, rows)
            units = torch.zeros((problem.size, stop - start), dtype=torch.float64)
            units[torch.arange(start, stop), torch.arange(stop - start)] = 1
            H[:, start:stop] = operator @ units
        return H

    def in_order(H):
        # The mean of a squared error goes over outputs as well; there is one half in ours.
        return H.numpy()[np.ix_(order, order)] * (problem.widths[-1] / 2 if squared else 1)

    return hessian, in_order


# A module of PyTorch with this library's Hessian, and with PyTorch's own


def torch_module(problem):
    """A Sequential with the problem's weights, and its data as tensors."""
    import torch

    x, y, theta = problem.arrays()
    shapes = list(pairwise(problem.widths))
    layers, start = [], 0
    for a, b in shapes:
        linear = torch.nn.Linear(a, b, bias=False, dtype=torch.float64)
        linear.weight.data = torch.from_numpy(theta[start : start + a * b].reshape(a, b).T.copy())
        layers += [linear, torch.nn.ReLU()]
        start += a * b
    return torch.nn.Sequential(*layers[:-1]), torch.from_numpy(x), torch.from_numpy(y)


def find_order(problem):
    """The places in PyTorch's vector, whose weights are transposed, of the book's parameters."""
    parts = np.split(np.arange(problem.size), np.cumsum(problem.sizes)[:-1])
    shapes = pairwise(problem.widths)
    return np.concatenate(
        [part.reshape(b, a).T.ravel() for part, (a, b) in zip(parts, shapes, strict=True)]
    )


def from_torch(problem, setting=None, rows=None):
    """All of it in each call: reading the module, checking its predictions, the Hessian."""
    from sharpminima import from_torch, hessian

    module, x, y = torch_module(problem)

    def read_and_differentiate():
        loss, theta = from_torch(module, x, y, criterion=problem.criterion)
        return hessian(loss, theta)

    return read_and_differentiate, same


def by_torch_loss(problem, setting=None, rows=None):
    """PyTorch's derivatives in the form of this library."""
    from sharpminima import TorchLoss, hessian

    module, x, y = torch_module(problem)
    order = find_order(problem)

    def make_and_differentiate():
        loss = TorchLoss(module, x, y, criterion=problem.criterion)
        return hessian(loss, loss.theta)

    return make_and_differentiate, lambda H: H[np.ix_(order, order)]


def by_torch_func(problem, setting=None, rows=None):
    """`torch.func.hessian` of the module, called with one vector of parameters."""
    import torch

    module, x, y = torch_module(problem)
    shapes = {name: p.shape for name, p in module.named_parameters()}
    theta = torch.nn.utils.parameters_to_vector(module.parameters()).detach()
    order = find_order(problem)

    def loss(theta):
        parts = theta.split([shape.numel() for shape in shapes.values()])
        named = zip(shapes.items(), parts, strict=True)
        params = {name: part.reshape(shape) for (name, shape), part in named}
        z = torch.func.functional_call(module, params, (x,))
        if problem.criterion == "squared_error":
            return ((z - y) ** 2).sum() / (2 * len(x))
        return torch.nn.functional.cross_entropy(z, y)

    hessian = torch.func.hessian(loss)
    return lambda: hessian(theta), lambda H: H.detach().numpy()[np.ix_(order, order)]


# The limits of all of them


ORDER = 2048


def product(problem, setting=None, rows=None):
    """A large matrix product, ORDER^3 multiply-adds, into memory that was written to before."""
    a, b = np.random.default_rng(0).normal(size=(2, ORDER, ORDER))
    c = np.zeros((ORDER, ORDER))
    return lambda: np.dot(a, b, out=c), same


def fresh_memory(problem, setting=None, rows=None):
    """Memory for a result, written to for the first time."""
    return lambda: np.empty((problem.size, problem.size)).fill(0.0), same


JAX_SETTINGS = tuple(
    (form, chunk) for chunk in (16, 8, 32, 64, 128, 256) for form in ("linearize", "jvp")
)

METHODS = {
    "product": Method("matrix product", product, "book", check=False),
    "fresh_memory": Method("fresh memory for the result", fresh_memory, "book", check=False),
    "ours": Method("sharpminima", ours, "book", headline=True),
    "ours_reused": Method("sharpminima, result reused", ours_reused, "book", headline=True),
    "ours_one_thread": Method("sharpminima, one thread", ours, "book", threads=1, largest=1100),
    "autograd": Method("autograd.hessian", by_autograd, "book", headline=True),
    # Its many small products may gain nothing from a second thread; for large networks, where they
    # do, it would take too long.
    "autograd_one_thread": Method(
        "autograd.hessian, one thread", by_autograd, "book", threads=1, largest=6000
    ),
    "jax_chunks": Method(
        "JAX, products in chunks", jax_chunks, settings=JAX_SETTINGS, headline=True, compiles=True
    ),
    "jax_hessian": Method("jax.hessian", jax_hessian, compiles=True, whole=True),
    "torch_chunks": Method("PyTorch, rows in chunks", torch_chunks, settings=(16, 64, 256)),
    "torch_hessian": Method("torch.func.hessian", torch_hessian, whole=True),
    "curvlinops": Method("curvlinops", curvlinops, settings=(16, 64, 256)),
}
# Timed on the two hundred networks only.
MORE = {
    "leading": Method("five leading eigenvalues", leading, "book", check=False),
    "spectrum": Method("all eigenvalues of a given Hessian", spectrum, "book", check=False),
}
# Timed on models of PyTorch only; what the others find must equal what the first does.
OF_MODELS = {
    "by_torch_func": Method("torch.func.hessian", by_torch_func),
    "by_torch_loss": Method("TorchLoss, then hessian", by_torch_loss),
    "from_torch": Method("from_torch, then hessian", from_torch, headline=True),
}
EVERY_METHOD = {**METHODS, **MORE, **OF_MODELS}
