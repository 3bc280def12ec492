"""What is read off a symmetric matrix or operator: eigenvalues, norm, trace, inertia, rank, balance
(Dinh et al. 2017, section 4.2).
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import scipy.linalg
import scipy.sparse.linalg
from numpy.typing import ArrayLike
from scipy.sparse.linalg import LinearOperator, aslinearoperator
from tqdm import tqdm

from ._validation import Array, as_choice, as_count, as_generator, as_list, as_real, as_tolerance
from .networks import layer_blocks

EPS, TINY = np.finfo(float).eps, np.finfo(float).tiny

# Relative to the largest, eigenvalues of a matrix with unit diagonal that count as zero. Rounding
# makes 1e-15 of them. Where the softmax is nearly one-hot, it makes up to 1e-12: the rounding of
# the probabilities is divided by their small variance.
NEGLIGIBLE = EPS ** (2 / 3)

# Relative to the largest entry: how far a matrix may be from its transpose.
ASYMMETRY = 1e-10

# The order up to which a matrix is formed even where products with vectors would do: so few
# eigenvalues are found faster, and all of them, in a matrix.
DENSE_ORDER = 2000

# Which end of the spectrum, in the words of ARPACK.
ENDS = {"largest": "LA", "smallest": "SA"}

# How exactly the largest |eigenvalue| is found where only its size matters.
SHIFT_TOLERANCE = 1e-3

# At a minimum the smallest eigenvalues are many and close to each other. A basis of so many vectors
# finds them in a hundred products where ARPACK's own, of 20, takes thousands.
SMALLEST_BASIS = 120
SMALLEST_TOLERANCE = 1e-12

# Seconds until a bar of progress is shown.
PATIENCE = 1.0


class Eigenpairs(NamedTuple):
    """Eigenvalues (k,) and, in the columns of `vectors` (n, k), their unit eigenvectors."""

    values: Array
    vectors: Array


def eigenvalues(H: ArrayLike) -> Array:
    """Return the eigenvalues (n,) of a symmetric matrix `H` (n, n), largest first.

    Raises ValueError unless it is symmetric.

    >>> eigenvalues([[2.0, 1.0], [1.0, 2.0]])
    array([3., 1.])
    """
    return scipy.linalg.eigvalsh(as_symmetric(H))[::-1]


def leading_eigenvalues(
    H: ArrayLike | LinearOperator,
    count: int,
    *,
    rng: np.random.Generator,
    which: str = "largest",
    tol: float = 0.0,
) -> Array:
    """Return the `count` largest eigenvalues, largest first, of a symmetric matrix or operator `H`
    (n, n) by Lanczos iteration.

    For matrices too large for `eigenvalues`, and with a `hessian_operator` for those too large to
    form. Everything else is as in `leading_eigenvectors`.
    """
    return leading_eigenvectors(H, count, rng=rng, which=which, tol=tol).values


def leading_eigenvectors(
    H: ArrayLike | LinearOperator,
    count: int,
    *,
    rng: np.random.Generator,
    which: str = "largest",
    tol: float = 0.0,
) -> Eigenpairs:
    """Return the `count` largest eigenvalues, largest first, and their eigenvectors, of a symmetric
    matrix or operator `H` (n, n) by Lanczos iteration.

    With `which="smallest"` they are the smallest ones, smallest first: at a minimum none of them is
    negative. `count` is less than n; `rng` draws the vector to begin with. Computed by SciPy
    (ARPACK) until |H v - lambda v| is at most `tol` times |lambda|, for the smallest ones times the
    largest |eigenvalue|; 0 asks for rounding, or 1e-12 for the smallest. Of several equal
    eigenvalues fewer may be found than there are. A bar that counts the products goes to stderr
    unless the environment has TQDM_DISABLE=1.

    Raises ValueError for a count, an end or a tolerance that cannot be, and the ArpackNoConvergence
    of SciPy.

    >>> values, vectors = leading_eigenvectors(np.diag([3.0, 2.0, 1.0]), 1,
    ...                                        rng=np.random.default_rng(0))
    >>> values.round(12), np.abs(vectors[:, 0]).round(12)
    (array([3.]), array([1., 0., 0.]))
    """
    count = as_count("count", count)
    as_choice("which", which, ENDS)
    values, vectors = run_lanczos(H, count, ENDS[which], rng, tol=tol)
    order = np.argsort(values)
    if which == "largest":
        order = order[::-1]
    return Eigenpairs(values[order], vectors[:, order])


def spectral_norm(
    H: ArrayLike | LinearOperator, *, rng: np.random.Generator | None = None
) -> float:
    """Return the largest |eigenvalue| of a symmetric matrix `H` (n, n): the sharpest direction's
    curvature at a minimum.

    Of a `hessian_operator`, for which an `rng` is needed, by Lanczos iteration as in
    `leading_eigenvalues`.
    """
    if isinstance(H, LinearOperator):
        [value], _ = run_lanczos(H, 1, "LM", rng)
        return float(abs(value))
    if rng is not None:
        as_generator(rng)
    H = as_symmetric(H)
    last = len(H) - 1
    [low] = scipy.linalg.eigvalsh(H, subset_by_index=[0, 0])
    [high] = scipy.linalg.eigvalsh(H, subset_by_index=[last, last])
    return float(max(high, -low))


def trace(H: ArrayLike) -> float:
    """Return the sum of the eigenvalues of a symmetric matrix `H` (n, n), from its diagonal."""
    return float(np.trace(as_symmetric(H)))


def balance(H: ArrayLike, sizes: Iterable[int]) -> tuple[Array, Array]:
    """Return S H S and the diagonal s (n,) of S that makes the layers' diagonal blocks equally
    large.

    `sizes` are the blocks' sizes, as in `NetworkLoss.sizes`. Each block is divided by its mean
    |diagonal entry|, a block with a zero diagonal is left as it is. Every alpha-scaled twin of a
    network has the same balanced Hessian, so what is read off it does not depend on the twin.
    T_alpha gives a layer's bias another factor than its weight: with biases, `sizes` must count
    each as a block of its own.
    """
    H = as_symmetric(H)
    sizes = tuple(as_count("each of sizes", n) for n in as_list("sizes", sizes, "integers"))
    if sum(sizes) != len(H):
        raise ValueError(f"sizes must be positive and sum to the order of H, {len(H)}, got {sizes}")
    diagonal = np.abs(np.diag(H))
    s = np.ones(len(H))
    for block in layer_blocks(sizes):
        mean = diagonal[block].mean()
        if 0 < mean < TINY:
            raise ValueError(
                f"H must have blocks whose mean diagonal entry is 0 or at least {TINY:.2g}, the"
                f" least number that has all its digits, got {mean:.2g}"
            )
        if mean > 0:
            s[block] = 1 / np.sqrt(mean)
    return H * np.outer(s, s), s


def inertia(
    H: ArrayLike, *, sizes: Iterable[int] | None = None, rtol: float | None = None
) -> tuple[int, int, int]:
    """Return the number of positive, negative and zero eigenvalues of a symmetric matrix `H` (n,
    n).

    By Sylvester's law a congruence S H S' keeps all three, but rounding does not: beside an
    eigenvalue that is 1e16 times as large, a small one is lost. With the layers' `sizes` they are
    therefore counted on the balanced matrix. An eigenvalue counts as zero below `rtol` (n times the
    machine epsilon by default) times the largest.

    >>> inertia([[1.0, 2.0], [2.0, 1.0]])  # eigenvalues 3 and -1
    (1, 1, 0)
    """
    H = as_symmetric(H)
    spectrum = eigenvalues(H if sizes is None else balance(H, sizes)[0])
    rtol = len(H) * EPS if rtol is None else as_tolerance("rtol", rtol)
    zero = rtol * np.abs(spectrum).max()
    n_positive = int((spectrum > zero).sum())
    n_negative = int((spectrum < -zero).sum())
    return n_positive, n_negative, len(H) - n_positive - n_negative


def numerical_rank(
    H: ArrayLike, *, sizes: Iterable[int] | None = None, rtol: float | None = None
) -> int:
    """Return the number of eigenvalues of a symmetric matrix that are not zero, counted as in
    `inertia`.
    """
    n_positive, n_negative, _ = inertia(H, sizes=sizes, rtol=rtol)
    return n_positive + n_negative


def run_lanczos(
    H: ArrayLike | LinearOperator,
    count: int,
    which: str,
    rng: np.random.Generator,
    *,
    tol: float = 0.0,
    start: Array | None = None,
) -> tuple[Array, Array]:
    """Return `count` eigenvalues and their unit eigenvectors (n, count), in the order of ARPACK.

    `which` is "LA" for the largest, "SA" for the smallest, "LM" for the largest in size. `start`
    (n,) is the vector to begin with; without one, `rng` draws it.
    """
    rng = as_generator(rng)
    tol = as_tolerance("tol", tol)
    if not isinstance(H, LinearOperator):
        H = as_symmetric(H)
    n = H.shape[0]
    if count >= max(n, 2):
        raise ValueError(f"count must be less than the order of H, {n}, got {count}")
    if n <= 2:  # Lanczos needs room for a second vector
        values, vectors = np.linalg.eigh(H @ np.eye(n))
        wanted = [{"LM": np.argmax(np.abs(values)), "LA": n - 1, "SA": 0}[which]]
        return values[wanted], vectors[:, wanted]
    if start is None:
        start = rng.normal(size=n)
    if not (H @ start).any():  # so H is zero, with probability one; ARPACK takes that for an error
        return np.zeros(count), _draw_orthonormal(start, count, rng)
    with count_products("Lanczos", H) as counted:
        if which != "SA":
            return scipy.sparse.linalg.eigsh(counted, k=count, which=which, v0=start, tol=tol)
        return _find_smallest(counted, count, start, tol, rng)


def _draw_orthonormal(start, count, rng):
    """Return unit vectors (n, count) at right angles, of which `start` makes the first."""
    others = rng.normal(size=(len(start), count - 1))
    vectors, scales = np.linalg.qr(np.column_stack([start, others]))
    return vectors * np.sign(np.diag(scales))


def _find_smallest(H, count, start, tol, rng):
    """Return the smallest eigenvalues and their vectors, as the largest ones of s I - H.

    ARPACK's tolerance is relative to each eigenvalue, so that it would never be done with one that
    is zero. With s the largest |eigenvalue|, it is relative to that.
    """
    [size] = scipy.sparse.linalg.eigsh(
        H, k=1, which="LM", v0=start, tol=SHIFT_TOLERANCE, return_eigenvectors=False
    )
    shift = abs(size)
    shifted = LinearOperator(H.shape, matvec=lambda v: shift * v - H @ v, dtype=float)
    if not (shifted @ start).any():  # so all eigenvalues are equal
        return np.full(count, shift), _draw_orthonormal(start, count, rng)
    _, vectors = scipy.sparse.linalg.eigsh(
        shifted,
        k=count,
        which="LA",
        v0=start,
        tol=max(tol, SMALLEST_TOLERANCE),
        ncv=min(H.shape[0], max(2 * count + 1, SMALLEST_BASIS)),
    )
    # Not the shift minus the value, which has the rounding of the shift.
    values = [v @ (H @ v) for v in vectors.T]
    return np.array(values), vectors


@contextmanager
def count_products(
    what: str, H: ArrayLike | LinearOperator, *, total: int | None = None
) -> Iterator[LinearOperator]:
    """Yield `H` as an operator that moves a bar of progress with every product."""
    H = aslinearoperator(H)
    with tqdm(desc=what, unit="product", total=total, leave=False, delay=PATIENCE) as bar:

        def multiply(v):
            product = H @ np.ravel(v)
            bar.update()
            return product

        yield LinearOperator(H.shape, matvec=multiply, rmatvec=multiply, dtype=float)


def find_largest_eigenvalue(H: Array | LinearOperator) -> float:
    """Return the largest eigenvalue of a symmetric matrix, or of an operator by Lanczos iteration
    from a vector that is always the same.
    """
    if isinstance(H, LinearOperator):
        [value], _ = run_lanczos(H, 1, "LA", np.random.default_rng(0))
        return float(value)
    last = len(H) - 1
    [value] = scipy.linalg.eigvalsh(H, subset_by_index=[last, last])
    return float(value)


def find_spectral_norm(H: Array | LinearOperator) -> float:
    """Return the largest |eigenvalue|, as `find_largest_eigenvalue` does the largest."""
    return spectral_norm(H, rng=np.random.default_rng(0))


def find_smallest_eigenvalue(H: Array | LinearOperator) -> float:
    """Return the smallest eigenvalue of a symmetric matrix, or of an operator by Lanczos iteration
    from a vector that is always the same, down to a residual of 1e-10 times the largest
    |eigenvalue|.

    The true one is never above what an operator's iteration finds; a direction that it has not
    seen may lie below.
    """
    if isinstance(H, LinearOperator):
        [value], _ = run_lanczos(H, 1, "SA", np.random.default_rng(0), tol=1e-10)
        return float(value)
    [value] = scipy.linalg.eigvalsh(H, subset_by_index=[0, 0])
    return float(value)


def scale_symmetrically(H: Array | LinearOperator, s: Array) -> Array | LinearOperator:
    """Return S H S for the diagonal matrix S of `s` (n,), of a matrix or an operator."""
    if not isinstance(H, LinearOperator):
        return H * s[:, None] * s

    def multiply(v):
        return s * (H @ (s * np.ravel(v)))

    return LinearOperator(H.shape, matvec=multiply, rmatvec=multiply, dtype=float)


def find_length(v: Array) -> float:
    """Return the Euclidean length of a vector. BLAS scales its squares, so that none overflows or
    vanishes where the length itself is a number that float64 has.
    """
    return float(scipy.linalg.norm(v))


def as_symmetric(H: ArrayLike) -> Array:
    """Return `H` as a float64 matrix that equals its transpose up to rounding."""
    if isinstance(H, LinearOperator):
        raise ValueError(
            "H must be a matrix here, got an operator: leading_eigenvalues and spectral_norm take"
            " one, and hessian_diagonal(loss, theta).sum() is the trace without a matrix"
        )
    H = as_real("H", H, shape=(None, None), what="a matrix")
    if H.shape[0] != H.shape[1] or len(H) == 0:
        raise ValueError(f"H must be square, got shape {H.shape}")
    gap = np.abs(H - H.T).max()
    if gap > ASYMMETRY * np.abs(H).max():
        raise ValueError(
            f"H must be symmetric, got entries that differ from their mirror images by {gap:.2g}"
        )
    return H


def scales_to_unit_diagonal(A: Array) -> Array:
    """Return the s (n,) that make the diagonal of s_i A_ij s_j equal to 1 in size; where it is
    zero, the sum of the row's entries in columns where it is not.

    Among diagonal scalings this one is nearly best for the condition of a positive definite A (van
    der Sluis 1969), and what it makes of A does not change when a parameter is multiplied by a
    factor, but where rows without a diagonal entry meet each other alone: these keep their scale.
    """
    size = np.sqrt(np.abs(np.diag(A)))
    s = np.divide(1, size, out=np.zeros(len(A)), where=size > 0)
    rest = np.abs(A) @ s
    from_row = np.divide(1, rest, out=np.ones(len(A)), where=rest > 0)
    return np.where(size > 0, s, from_row)
