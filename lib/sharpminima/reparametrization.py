"""Reparametrization: the same model with other coordinates for its parameters (Dinh et al. 2017,
section 5, appendix A).

The convention is the paper's. A map g takes new coordinates eta to the parameters theta = g(eta),
so that the loss in the new coordinates is L_eta = L∘g and the point theta is seen at eta =
g^{-1}(theta). The paper writes its families as formulas for g^{-1}; so do the docstrings here.
"""

from collections.abc import Callable, Iterable

import autograd
import autograd.numpy as np
import numpy as onp
import scipy.optimize
from autograd.extend import Box, defvjp, primitive
from autograd.tracer import getval
from numpy.typing import ArrayLike

from ._validation import (
    Array,
    as_count,
    as_list,
    as_plain,
    as_positive,
    as_real,
    as_vector,
    check_function,
)
from .hessians import check_number, gauss_newton, gradient, hessian
from .losses import Loss, knows


class Map:
    """A map g from new coordinates eta (m,) to parameters theta (n,), written with
    `autograd.numpy`.

    `inverse` takes theta to one eta with g(eta) = theta. Where g is one-to-one that is g^{-1};
    where several eta have one theta, as in weight normalization, it chooses. `kink(eta)` says in
    words why g has no derivative at eta, or is None.

    >>> g = Map(lambda eta: eta**3, np.cbrt)
    >>> g(np.array([2.0])), g.inverse([27.0]), g.derivative([2.0])
    (array([8.]), array([3.]), array([[12.]]))
    """

    def __init__(
        self,
        forward: Callable[[Array], Array],
        inverse: Callable[[Array], Array] | None = None,
        *,
        kink: Callable[[Array], str | None] | None = None,
    ):
        check_function("forward", forward, "a function of a vector")
        if inverse is not None:
            check_function("inverse", inverse, "a function of a vector")
        if kink is not None:
            check_function("kink", kink, "a function of a vector")
        self._forward = forward
        self._inverse = inverse
        self._kink = kink

    def __call__(self, eta: ArrayLike) -> Array:
        """Return theta = g(eta) (n,). Raises ValueError for what is no finite vector, and where a
        derivative is asked for at a kink.
        """
        eta = as_vector("eta", eta)
        if isinstance(eta, Box) and self._kink is not None:
            reason = self._kink(getval(eta))
            if reason is not None:
                raise ValueError(f"eta must be a point where g has a derivative: {reason}")
        return as_vector("g(eta)", self._forward(eta))

    def inverse(self, theta: ArrayLike) -> Array:
        """Return an eta (m,) with g(eta) = theta (n,). Raises ValueError when g was given no
        inverse.
        """
        if self._inverse is None:
            raise ValueError(
                "g must have an inverse to find eta from theta, got a Map without one: Map(forward,"
                " inverse)"
            )
        return as_vector("the inverse of g at theta", self._inverse(as_vector("theta", theta)))

    def derivative(self, eta: ArrayLike) -> Array:
        """Return the derivative Dg (n, m) at `eta` (m,). Raises ValueError where there is none."""
        eta = _as_coordinates(eta)
        return as_real("the derivative of g", autograd.jacobian(self)(eta))

    def second_derivative(self, eta: ArrayLike, slope: ArrayLike) -> Array:
        """Return sum_k slope_k d²g_k (m, m), the second derivatives of the components of g weighted
        by `slope` (n,).
        """
        eta = _as_coordinates(eta)
        slope = as_vector("slope", slope, len(self(eta)))

        def weighted_sum(eta):
            # Of a linear g the gradient does not depend on eta. The zero keeps autograd from
            # warning of that.
            return np.dot(slope, self(eta)) + 0 * np.sum(eta**2)

        return as_real("the second derivative of g", autograd.hessian(weighted_sum)(eta))

    def inverse_derivative(self, theta: ArrayLike) -> Array:
        """Return the derivative (m, n) of g^{-1} at `theta`, the inverse of Dg. Raises ValueError
        when Dg is not invertible.
        """
        D = self.derivative(self.inverse(theta))
        rank = onp.linalg.matrix_rank(D)
        if not D.shape[0] == D.shape[1] == rank:
            raise ValueError(
                "the derivative of g must be invertible where that of its inverse is asked for,"
                f" got shape {D.shape}, rank {rank}"
            )
        return onp.linalg.inv(D)

    def __matmul__(self, other: "Map") -> "Map":
        """Return the map eta -> self(other(eta)): reparametrize(reparametrize(loss, g), h) is
        reparametrize(loss, g @ h).
        """
        if not isinstance(other, Map):
            return NotImplemented

        def forward(eta):
            return self(other(eta))

        def inverse(theta):
            return other.inverse(self.inverse(theta))

        return Map(forward, inverse)


def _as_coordinates(eta):
    """Return eta (m,), which has to have a coordinate for there to be a derivative in it."""
    eta = as_vector("eta", eta)
    if len(eta) == 0:
        raise ValueError("eta must have at least one coordinate for g to be derived in it")
    return eta


class Reparametrized:
    """The loss L∘g of the new coordinates eta, made by `reparametrize`.

    It has `outputs`, `layers`, `x`, `y` and `criterion` if L has them. Outputs are those of the
    parameters g(eta); `layers` reads eta itself as weights, as a measure does that is computed in
    the new coordinates.
    """

    def __init__(self, loss: Loss, g: Map):
        self.loss = loss
        self.g = g
        for name in ("layers", "x", "y", "criterion"):
            if knows(loss, name):
                setattr(self, name, getattr(loss, name))
        if knows(loss, "outputs"):
            self.outputs = lambda eta: loss.outputs(g(eta))
        if knows(loss, "gauss_newton") and not knows(loss, "criterion"):
            self.gauss_newton = self._carry_gauss_newton

    def __call__(self, eta: ArrayLike) -> float:
        """Return L(g(eta)). Raises ValueError where L returns no float64 number."""
        value = self.loss(self.g(eta))
        check_number(value)
        return value

    def hessian(self, eta: ArrayLike) -> Array:
        """Return Dg' H Dg + sum_k (dL/dtheta_k) d²g_k (m, m), with the gradient and the Hessian H
        of L at g(eta).
        """
        theta = self.g(eta)
        D = self.g.derivative(eta)
        bend = self.g.second_derivative(eta, gradient(self.loss, theta))
        return D.T @ hessian(self.loss, theta) @ D + bend

    def _carry_gauss_newton(self, eta):
        """Return Dg' F Dg (m, m), with the Gauss-Newton matrix F of L at g(eta).

        Of a loss that is the mean of its criterion F can be made of the outputs; of another one,
        with weight decay, it cannot.
        """
        D = self.g.derivative(eta)
        return D.T @ gauss_newton(self.loss, self.g(eta)) @ D

    def __repr__(self):
        return f"reparametrize({self.loss!r}, g)"


def reparametrize(loss: Loss, g: Map) -> Reparametrized:
    """Return the loss L∘g of the new coordinates eta, for a `Map` g from eta to theta (section 5).

    Its value at eta = g^{-1}(theta) is that of `loss` at theta, and so are the outputs. Its Hessian
    follows from that of `loss` by the chain rule, so that a fast `loss.hessian` stays in use;
    `hessian(..., method="autograd")` does not use it.

    >>> stretched = reparametrize(lambda theta: theta[0] ** 2, linear_map([[10.0]]))
    >>> hessian(stretched, [0.0])
    array([[200.]])
    """
    check_function("loss", loss, "a function of a vector")
    if not isinstance(g, Map):
        raise ValueError(f"g must be a Map, as Map(forward, inverse), got {g!r}")
    return Reparametrized(loss, g)


def linear_map(M: ArrayLike) -> Map:
    """Return theta = M eta for an invertible matrix `M` (n, n). Raises ValueError when M is
    singular to rounding.
    """
    M = as_real("M", M, shape=(None, None), what="a matrix").copy()
    rank = onp.linalg.matrix_rank(M) if M.size else 0
    if not 0 < rank == M.shape[0] == M.shape[1]:
        raise ValueError(f"M must be invertible, got shape {M.shape}, rank {rank}")

    def forward(eta):
        return np.dot(M, as_vector("eta", eta, len(M)))

    def inverse(theta):
        return onp.linalg.solve(M, as_vector("theta", theta, len(M)))

    return Map(forward, inverse)


def elementwise_map(c: ArrayLike) -> Map:
    """Return theta_i = eta_i + c_i eta_i³ for `c` > 0, one number or a vector (n,): rising, so
    one-to-one.

    The inverse is the one real root of the cubic, eta = 2k sinh(asinh(3 theta / 2k) / 3) with k = 1
    / sqrt(3c).
    """
    c = as_real("c", c, what="a number or a vector").copy()
    if c.ndim > 1 or not (c > 0).all():
        raise ValueError(f"c must be positive, one number or a vector, got {c}")
    n = len(c) if c.ndim else None
    k = 1 / onp.sqrt(3 * c)

    def forward(eta):
        return as_vector("eta", eta, n) + c * eta**3

    def inverse(theta):
        theta = as_vector("theta", theta, n)
        return 2 * k * onp.sinh(onp.arcsinh(1.5 * theta / k) / 3)

    return Map(forward, inverse)


def power_map(center: ArrayLike, a: float, b: float) -> Map:
    """Return the map of figure 5: eta = (|u|² + b)^a u with u = theta - center, for a > -1/2 and b
    >= 0.

    At the minimum `center` (n,), seen at eta = 0, curvatures are multiplied by b^(-2a). g itself
    has no formula: |u| is a root that scipy finds, differentiated by the implicit function theorem.
    For b = 0 and a != 0 a derivative at eta = 0 is refused.
    """
    center = as_vector("center", center).copy()
    a = float(as_real("a", a, shape=(), what="a number"))
    b = float(as_real("b", b, shape=(), what="a number"))
    if not a > -0.5:
        raise ValueError(
            f"a must be greater than -1/2 for the map to be one-to-one and onto, got {a}"
        )
    if b < 0:
        raise ValueError(f"b must be at least 0, got {b}")
    squared_radius = _solve_for_squared_radius(a, b)

    def forward(eta):
        square = np.sum(as_vector("eta", eta, len(center)) ** 2)
        if square == 0 and b == 0:
            return center + eta
        return center + eta * (squared_radius(square) + b) ** -a

    def inverse(theta):
        u = as_vector("theta", theta, len(center)) - center
        square = onp.sum(u**2)
        return u if square == 0 else u * (square + b) ** a

    def explain_kink(eta):
        if b > 0 or a == 0 or eta.any():
            return None
        size = "infinite" if a > 0 else "zero"
        return f"with b = 0, g is no diffeomorphism at eta = 0, its derivative is {size} there"

    return Map(forward, inverse, kink=explain_kink)


def radial_map(center: ArrayLike, r_hat: float, rho: float, delta: float) -> Map:
    """Return the map of appendix A: eta = center + psi(r) u / r with u = theta - center and r =
    |u|.

    psi leads the radius r_hat to rho, linearly, from there on linearly to delta, and leaves radii
    beyond delta alone; 0 < r_hat < delta and 0 < rho < delta. Curvatures at `center` (n,) are
    multiplied by (r_hat / rho)², all else outside the ball stays. g is continuous, but has kinks at
    |eta - center| = rho and delta (unless rho = r_hat), where a derivative is refused.
    """
    center = as_vector("center", center).copy()
    r_hat = as_positive("r_hat", r_hat)
    rho = as_positive("rho", rho)
    delta = as_positive("delta", delta)
    if not max(r_hat, rho) < delta:
        raise ValueError(
            f"delta must be greater than r_hat and rho, got delta {delta}, r_hat {r_hat}, rho {rho}"
        )

    def explain_kink(eta):
        r = onp.linalg.norm(eta - center)
        is_at_sphere = onp.isclose(r, (rho, delta), rtol=1e-12, atol=0).any()
        if rho == r_hat or not is_at_sphere:
            return None
        return (
            f"|eta - center| = {r:.6g} is one of the spheres rho = {rho:.6g} and delta ="
            f" {delta:.6g}, where g has a kink"
        )

    forward = _move_radius(center, rho, r_hat, delta)
    inverse = _move_radius(center, r_hat, rho, delta)
    return Map(forward, inverse, kink=explain_kink)


def weight_norm_map(n: int, groups: Iterable[ArrayLike] | None = None) -> Map:
    """Return weight normalization: eta = (s, v), and theta = s v / |v| for each group of parameters
    that has a scale s.

    `groups` are disjoint index vectors into the n parameters, such as the weights that enter one
    unit each; by default all n are one group. eta has the scales first, one a group, then v (n,);
    parameters of no group are their v. The map is onto, but all (s, alpha v) with alpha > 0 have
    one theta: `inverse` chooses s = |theta|, v = theta in each group.
    """
    n = as_count("n", n)
    member = _as_membership(n, [onp.arange(n)] if groups is None else groups)
    n_groups = len(member)
    is_free = 1 - member.sum(axis=0)

    def norms(name, v):
        square = np.dot(member, v**2)
        if (getval(square) == 0).any():
            raise ValueError(
                f"{name} must not be zero in a whole group, which has no direction then"
            )
        return np.sqrt(square)

    def forward(eta):
        eta = as_vector("eta", eta, n_groups + n)
        s, v = eta[:n_groups], eta[n_groups:]
        return v * (np.dot(s / norms("v", v), member) + is_free)

    def inverse(theta):
        theta = as_vector("theta", theta, n)
        return onp.concatenate([norms("theta", theta), theta])

    return Map(forward, inverse)


def _as_membership(n, groups):
    """Return the matrix (groups, n) that has a 1 where a parameter is in a group."""
    rows = []
    for group in as_list("groups", groups, "vectors of indices"):
        group = as_plain("each of groups", group)
        is_indices = group.ndim == 1 and group.dtype.kind in "iu" and len(group) > 0
        if not is_indices or group.min() < 0 or group.max() >= n:
            raise ValueError(
                f"each of groups must be a vector of indices from 0 to {n - 1}, got {group}"
            )
        rows.append(onp.bincount(group, minlength=n))
    if not rows or onp.sum(rows, axis=0).max() > 1:
        raise ValueError("groups must be at least one, and disjoint, got none or an index twice")
    return onp.array(rows, dtype=float)


def _move_radius(center, inner, outer, delta):
    """Return the map that takes the radius `inner` around `center` to `outer`, linearly on both
    sides, and keeps delta.
    """

    def move(point):
        u = as_vector("a point", point, len(center)) - center
        r = np.sqrt(np.sum(u**2)) if getval(u).any() else 0.0
        if r <= inner:
            return center + u * (outer / inner)
        if r < delta:
            moved = (outer - delta) * (r - delta) / (inner - delta) + delta
            return center + u * (moved / r)
        return point

    return move


def _solve_for_squared_radius(a, b):
    """Return the function s -> q of the root q >= 0 of q (q + b)^(2a) = s, with its derivative 1 /
    (ds/dq).
    """

    @primitive
    def solve(s):
        if s == 0:
            return 0.0
        log_s = onp.log(s)
        if b == 0:
            return onp.exp(log_s / (1 + 2 * a))
        # (q + b)^(2a) lies between q^(2a) and (2 max(q, b))^(2a).
        bounds = (
            log_s / (1 + 2 * a),
            log_s - 2 * a * onp.log(2 * b),
            (log_s - 2 * a * onp.log(2)) / (1 + 2 * a),
        )
        bracket = min(bounds) - 1, max(bounds) + 1
        q = onp.exp(scipy.optimize.brentq(excess, *bracket, args=log_s, xtol=1e-14))
        # One step of Newton takes away the rounding of the logarithm.
        return q - (q * (q + b) ** (2 * a) - s) / slope(q)

    def excess(log_q, log_s):
        return log_q + 2 * a * onp.logaddexp(log_q, onp.log(b)) - log_s

    def slope(q):
        return (q + b) ** (2 * a - 1) * ((1 + 2 * a) * q + b)

    defvjp(solve, lambda q, s: lambda v: v / slope(q))
    return solve
