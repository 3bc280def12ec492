"""What is read off a symmetric matrix or operator: eigenvalues, norm, trace, inertia, rank, balance
(Dinh et al. 2017, section 4.2).
"""

from collections.abc import Iterable

import numpy as np
import scipy.linalg
import scipy.sparse.linalg
from numpy.typing import ArrayLike
from scipy.sparse.linalg import LinearOperator

from ._validation import Array, as_count, as_generator, as_real
from .networks import layer_blocks

EPS = np.finfo(float).eps

# Relative to the largest, eigenvalues of a matrix with unit diagonal that count as zero. Rounding
# makes 1e-15 of them. Where the softmax is nearly one-hot, it makes up to 1e-12: the rounding of
# the probabilities is divided by their small variance.
NEGLIGIBLE = EPS ** (2 / 3)

# Relative to the largest entry: how far a matrix may be from its transpose.
ASYMMETRY = 1e-10


def eigenvalues(H: ArrayLike) -> Array:
    """Return the eigenvalues (n,) of a symmetric matrix `H` (n, n), largest first.

    Raises ValueError unless it is symmetric.

    >>> eigenvalues([[2.0, 1.0], [1.0, 2.0]])
    array([3., 1.])
    """
    return scipy.linalg.eigvalsh(as_symmetric(H))[::-1]


def leading_eigenvalues(
    H: ArrayLike | LinearOperator, count: int, *, rng: np.random.Generator
) -> Array:
    """Return the `count` largest eigenvalues, largest first, of a symmetric matrix or operator `H`
    (n, n) by Lanczos iteration.

    For matrices too large for `eigenvalues`, and with a `hessian_operator` for those too large to
    form. `count` is less than n; `rng` draws the vector to begin with. Computed by SciPy (ARPACK)
    to rounding; raises its ArpackNoConvergence.
    """
    values, _ = run_lanczos(H, as_count("count", count), "LA", rng)
    return np.sort(values)[::-1]


def spectral_norm(
    H: ArrayLike | LinearOperator, *, rng: np.random.Generator | None = None
) -> float:
    """Return the largest |eigenvalue| of a symmetric matrix `H` (n, n): the sharpest direction's
    curvature at a minimum.

    Of a `hessian_operator`, for which an `rng` is needed, by Lanczos iteration as in
    `leading_eigenvalues`.
    """
    if isinstance(H, LinearOperator):
        values, _ = run_lanczos(H, 1, "LM", rng)
        return float(np.abs(values).max())
    H = as_symmetric(H)
    last = len(H) - 1
    low = scipy.linalg.eigvalsh(H, subset_by_index=[0, 0])[0]
    high = scipy.linalg.eigvalsh(H, subset_by_index=[last, last])[0]
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
    sizes = tuple(as_count("each of sizes", n) for n in sizes)
    if sum(sizes) != len(H):
        raise ValueError(f"sizes must be positive and sum to the order of H, {len(H)}, got {sizes}")
    diagonal = np.abs(np.diag(H))
    s = np.ones(len(H))
    for block in layer_blocks(sizes):
        mean = diagonal[block].mean()
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
    rtol = len(H) * EPS if rtol is None else rtol
    if not 0 <= rtol < 1:
        raise ValueError(f"rtol must be at least 0 and less than 1, got {rtol}")
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
    H: ArrayLike | LinearOperator, count: int, which: str, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Return `count` eigenvalues and their unit eigenvectors (n, count), in the order of ARPACK.

    `which` is "LA" for the largest, "LM" for the largest in size.
    """
    rng = as_generator(rng)
    if not isinstance(H, LinearOperator):
        H = as_symmetric(H)
    n = H.shape[0]
    if count >= max(n, 2):
        raise ValueError(f"count must be less than the order of H, {n}, got {count}")
    if n <= 2:  # Lanczos needs room for a second vector
        values, vectors = np.linalg.eigh(H @ np.eye(n))
        wanted = [np.argmax(np.abs(values)) if which == "LM" else n - 1]
        return values[wanted], vectors[:, wanted]
    start = rng.normal(size=n)
    if not (H @ start).any():  # so H is zero, with probability one; ARPACK takes that for an error
        others = rng.normal(size=(n, count - 1))
        vectors, scales = np.linalg.qr(np.column_stack([start, others]))
        return np.zeros(count), vectors * np.sign(np.diag(scales))
    return scipy.sparse.linalg.eigsh(H, k=count, which=which, v0=start)


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
    zero, the row's largest entry.

    Among diagonal scalings this one is nearly best for the condition of a positive definite A (van
    der Sluis 1969), and what it makes of A does not change when a parameter is multiplied by a
    factor.
    """
    size = np.sqrt(np.abs(np.diag(A)))
    s = np.divide(1, size, out=np.zeros(len(A)), where=size > 0)
    rest = np.abs(A) @ s
    from_row = np.divide(1, rest, out=np.ones(len(A)), where=rest > 0)
    return np.where(size > 0, s, from_row)
