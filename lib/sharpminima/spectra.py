"""What is read off a symmetric matrix or operator: eigenvalues, norm, trace, inertia, rank, balance
(Dinh et al. 2017, section 4.2).
"""

import numpy as np
import scipy.linalg
import scipy.sparse.linalg

from ._validation import as_count, as_generator, as_real

# Relative to the largest, eigenvalues of a matrix with unit diagonal that count as zero. Rounding
# makes 1e-15 of them; where the softmax is nearly one-hot, the rounding of probabilities divided by
# what is left of their variance makes up to 1e-12.
NEGLIGIBLE = np.finfo(float).eps ** (2 / 3)


def eigenvalues(H):
    """Return the eigenvalues (n,) of a symmetric matrix `H` (n, n), largest first. Raises
    ValueError unless it is symmetric.
    """
    return scipy.linalg.eigvalsh(as_symmetric(H))[::-1]


def leading_eigenvalues(H, count, *, rng):
    """Return the `count` largest eigenvalues, largest first, of a symmetric matrix or operator `H`
    (n, n) by Lanczos iteration.

    For matrices too large for `eigenvalues`, and with a `hessian_operator` for those too large to
    form. `count` is less than n; `rng` draws the vector to begin with. Computed by SciPy (ARPACK)
    to rounding; raises its ArpackNoConvergence.
    """
    return np.sort(_lanczos(H, as_count("count", count), "LA", rng))[::-1]


def spectral_norm(H, *, rng=None):
    """Return the largest |eigenvalue| of a symmetric matrix `H` (n, n): the sharpest direction's
    curvature at a minimum.

    Of a `hessian_operator`, for which an `rng` is needed, by Lanczos iteration as in
    `leading_eigenvalues`.
    """
    if isinstance(H, scipy.sparse.linalg.LinearOperator):
        return float(np.abs(_lanczos(H, 1, "LM", rng)).max())
    H = as_symmetric(H)
    n = len(H)
    low, high = (scipy.linalg.eigvalsh(H, subset_by_index=[k, k])[0] for k in (0, n - 1))
    return float(max(high, -low))


def trace(H):
    """Return the sum of the eigenvalues of a symmetric matrix `H` (n, n), from its diagonal."""
    return float(np.trace(as_symmetric(H)))


def balance(H, sizes):
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
    means = [np.abs(block).mean() for block in np.split(np.diag(H), np.cumsum(sizes)[:-1])]
    s = np.repeat([1 / np.sqrt(m) if m > 0 else 1.0 for m in means], sizes)
    return H * np.outer(s, s), s


def inertia(H, *, sizes=None, rtol=None):
    """Return the number of positive, negative and zero eigenvalues of a symmetric matrix `H` (n,
    n).

    By Sylvester's law a congruence S H S' keeps all three, but rounding does not: eigenvalues that
    differ by a factor of 1e16 cannot be told from zero. With the layers' `sizes` they are therefore
    counted on the balanced matrix. An eigenvalue counts as zero below `rtol` (n times the machine
    epsilon by default) times the largest.
    """
    H = as_symmetric(H)
    spectrum = eigenvalues(H if sizes is None else balance(H, sizes)[0])
    rtol = len(H) * np.finfo(float).eps if rtol is None else rtol
    if not 0 <= rtol < 1:
        raise ValueError(f"rtol must be at least 0 and less than 1, got {rtol}")
    zero = rtol * np.abs(spectrum).max()
    n_positive, n_negative = int((spectrum > zero).sum()), int((spectrum < -zero).sum())
    return n_positive, n_negative, len(H) - n_positive - n_negative


def numerical_rank(H, *, sizes=None, rtol=None):
    """Return the number of eigenvalues of a symmetric matrix that are not zero; arguments as for
    `inertia`.
    """
    n_positive, n_negative, _ = inertia(H, sizes=sizes, rtol=rtol)
    return n_positive + n_negative


def _lanczos(H, count, which, rng):
    rng = as_generator(rng)
    if not isinstance(H, scipy.sparse.linalg.LinearOperator):
        H = as_symmetric(H)
    n = H.shape[0]
    if count >= max(n, 2):
        raise ValueError(f"count must be less than the order of H, {n}, got {count}")
    if n <= 2:  # Lanczos needs room for a second vector
        spectrum = np.linalg.eigvalsh(H @ np.eye(n))
        return spectrum[[np.argmax(np.abs(spectrum)) if which == "LM" else -1]]
    start = rng.normal(size=n)
    if not (H @ start).any():  # so H is zero, with probability one; ARPACK takes that for an error
        return np.zeros(count)
    return scipy.sparse.linalg.eigsh(H, k=count, which=which, v0=start, return_eigenvectors=False)


def as_symmetric(H):
    """Return `H` as a float64 matrix that equals its transpose up to rounding."""
    H = as_real("H", H, shape=(None, None), what="a matrix")
    if H.shape[0] != H.shape[1] or len(H) == 0:
        raise ValueError(f"H must be square, got shape {H.shape}")
    gap = np.abs(H - H.T).max()
    if gap > 1e-10 * np.abs(H).max():
        raise ValueError(
            f"H must be symmetric, got entries that differ from their mirror images by {gap:.2g}"
        )
    return H


def scales_to_unit_diagonal(A):
    """Return the s (n,) that make the diagonal of s_i A_ij s_j equal to 1 in size; where it is
    zero, the row's largest entry.

    Among diagonal scalings this one is nearly best for the condition of a positive definite A (van
    der Sluis 1969), and what it makes of A does not change when a parameter is multiplied by a
    factor.
    """
    size = np.sqrt(np.abs(np.diag(A)))
    s = np.divide(1, size, out=np.zeros(len(A)), where=size > 0)
    rest = np.abs(A) @ s
    return np.where(size > 0, s, np.divide(1, rest, out=np.ones(len(A)), where=rest > 0))
