"""Reparametrization: the same model with other coordinates for its parameters (Dinh et al. 2017,
section 5, appendix A).

The convention is the paper's. A map g takes new coordinates eta to the parameters theta = g(eta),
so that the loss in the new coordinates is L_eta = L∘g and the point theta is seen at eta =
g^{-1}(theta). The paper writes its families as formulas for g^{-1}; so do the docstrings here.
"""

import autograd
import autograd.numpy as np
import numpy as onp
import scipy.optimize
from autograd.extend import Box, defvjp, primitive
from autograd.tracer import getval

from ._validation import as_count, as_positive, as_real, as_vector
from .hessians import gradient, hessian
from .losses import knows


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

    def __init__(self, forward, inverse=None, *, kink=None):
        for name, function in (("forward", forward), ("inverse", inverse), ("kink", kink)):
            if not (callable(function) or (function is None and name != "forward")):
                raise ValueError(f"{name} must be a function of a vector, got {function!r}")
        self._forward, self._inverse, self._kink = forward, inverse, kink

    def __call__(self, eta):
        """Return theta = g(eta) (n,). Raises ValueError for what is no finite vector, and where a
        derivative is asked for at a kink.
        """
        eta = as_vector("eta", eta)
        if isinstance(eta, Box) and self._kink is not None:
            reason = self._kink(getval(eta))
            if reason is not None:
                raise ValueError(f"eta must be a point where g has a derivative: {reason}")
        return as_vector("g(eta)", self._forward(eta))

    def inverse(self, theta):
        """Return an eta (m,) with g(eta) = theta (n,). Raises ValueError when g was given no
        inverse.
        """
        if self._inverse is None:
            raise ValueError(
                "g must have an inverse to find eta from theta, got a Map without one: Map(forward,"
                " inverse)"
            )
        return as_vector("the inverse of g at theta", self._inverse(as_vector("theta", theta)))

    def derivative(self, eta):
        """Return the derivative Dg (n, m) at `eta` (m,). Raises ValueError where there is none."""
        return as_real("the derivative of g", autograd.jacobian(self)(as_vector("eta", eta)))

    def second_derivative(self, eta, slope):
        """Return sum_k slope_k d²g_k (m, m), the second derivatives of the components of g weighted
        by `slope` (n,).
        """
        eta, slope = as_vector("eta", eta), as_vector("slope", slope, len(self(eta)))
        # The zero keeps autograd from warning of a gradient that does not depend on eta, as that of
        # a linear g.
        return as_real(
            "the second derivative of g",
            autograd.hessian(lambda e: np.dot(slope, self(e)) + 0 * np.sum(e**2))(eta),
        )

    def inverse_derivative(self, theta):
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

    def __matmul__(self, other):
        """Return the map eta -> self(other(eta)): reparametrize(reparametrize(loss, g), h) is
        reparametrize(loss, g @ h).
        """
        if not isinstance(other, Map):
            return NotImplemented
        invertible = self._inverse is not None and other._inverse is not None
        return Map(
            lambda eta: self(other(eta)),
            (lambda theta: other.inverse(self.inverse(theta))) if invertible else None,
        )


class Reparametrized:
    """The loss L∘g of the new coordinates eta, made by `reparametrize`.

    It has `outputs`, `layers`, `x`, `y` and `criterion` if L has them. Outputs are those of the
    parameters g(eta); `layers` reads eta itself as weights, as a measure does that is computed in
    the new coordinates.
    """

    def __init__(self, loss, g):
        self.loss, self.g = loss, g
        for name in ("layers", "x", "y", "criterion"):
            if knows(loss, name):
                setattr(self, name, getattr(loss, name))
        if knows(loss, "outputs"):
            self.outputs = lambda eta: loss.outputs(g(eta))

    def __call__(self, eta):
        """Return L(g(eta))."""
        return self.loss(self.g(eta))

    def hessian(self, eta):
        """Return Dg' H Dg + sum_k (dL/dtheta_k) d²g_k (m, m), with the gradient and the Hessian H
        of L at g(eta).
        """
        theta, D = self.g(eta), self.g.derivative(eta)
        return D.T @ hessian(self.loss, theta) @ D + self.g.second_derivative(
            eta, gradient(self.loss, theta)
        )

    def __repr__(self):
        return f"reparametrize({self.loss!r}, g)"


def reparametrize(loss, g):
    """Return the loss L∘g of the new coordinates eta, for a `Map` g from eta to theta (section 5).

    Its value at eta = g^{-1}(theta) is that of `loss` at theta, and so are the outputs. Its Hessian
    follows from that of `loss` by the chain rule, so that a fast `loss.hessian` stays in use;
    `hessian(..., method="autograd")` goes without.

    >>> stretched = reparametrize(lambda theta: theta[0] ** 2, linear_map([[10.0]]))
    >>> hessian(stretched, [0.0])
    array([[200.]])
    """
    if not callable(loss):
        raise ValueError(f"loss must be a function of a vector, got {loss!r}")
    if not isinstance(g, Map):
        raise ValueError(f"g must be a Map, as Map(forward, inverse), got {g!r}")
    return Reparametrized(loss, g)


def linear_map(M):
    """Return theta = M eta for an invertible matrix `M` (n, n). Raises ValueError when M is
    singular to rounding.
    """
    M = as_real("M", M, shape=(None, None), what="a matrix").copy()
    rank = onp.linalg.matrix_rank(M)
    if not M.shape[0] == M.shape[1] == rank:
        raise ValueError(f"M must be invertible, got shape {M.shape}, rank {rank}")
    n = len(M)
    return Map(
        lambda eta: np.dot(M, as_vector("eta", eta, n)),
        lambda theta: onp.linalg.solve(M, as_vector("theta", theta, n)),
    )


def elementwise_map(c):
    """Return theta_i = eta_i + c_i eta_i³ for `c` > 0, one number or a vector (n,): rising, so
    one-to-one.

    The inverse is the one real root of the cubic, eta = 2k sinh(asinh(3 theta / 2k) / 3) with k = 1
    / sqrt(3c).
    """
    c = as_real("c", c, what="a number or a vector").copy()
    if c.ndim > 1 or not (c > 0).all():
        raise ValueError(f"c must be positive, one number or a vector, got {c}")
    k, n = 1 / onp.sqrt(3 * c), len(c) if c.ndim else None
    return Map(
        lambda eta: as_vector("eta", eta, n) + c * eta**3,
        lambda theta: 2 * k * onp.sinh(onp.arcsinh(1.5 * as_vector("theta", theta, n) / k) / 3),
    )


def power_map(center, a, b):
    """Return the map of figure 5: eta = (|u|² + b)^a u with u = theta - center, for a > -1/2 and b
    >= 0.

    At the minimum `center` (n,), seen at eta = 0, curvatures are multiplied by b^(-2a). g itself
    has no formula: |u| is a root that scipy finds, differentiated by the implicit function theorem.
    For b = 0 and a != 0 a derivative at eta = 0 is refused.
    """
    center = as_vector("center", center).copy()
    a, b = (
        float(as_real(name, value, shape=(), what="a number"))
        for name, value in (("a", a), ("b", b))
    )
    if not a > -0.5:
        raise ValueError(
            f"a must be greater than -1/2 for the map to be one-to-one and onto, got {a}"
        )
    if b < 0:
        raise ValueError(f"b must be at least 0, got {b}")
    squared_radius, n = _squared_radius(a, b), len(center)

    def forward(eta):
        square = np.sum(as_vector("eta", eta, n) ** 2)
        return (
            center + eta
            if square == 0 and b == 0
            else center + eta * (squared_radius(square) + b) ** -a
        )

    def inverse(theta):
        u = as_vector("theta", theta, n) - center
        square = onp.sum(u**2)
        return u if square == 0 else u * (square + b) ** a

    def kink(eta):
        if b == 0 and a != 0 and not eta.any():
            return (
                "with b = 0, g is no diffeomorphism at eta = 0, its derivative is"
                f" {'infinite' if a > 0 else 'zero'} there"
            )

    return Map(forward, inverse, kink=kink)


def radial_map(center, r_hat, rho, delta):
    """Return the map of appendix A: eta = center + psi(r) u / r with u = theta - center and r =
    |u|.

    psi leads the radius r_hat to rho, linearly, from there on linearly to delta, and leaves radii
    beyond delta alone; 0 < r_hat < delta and 0 < rho < delta. Curvatures at `center` (n,) are
    multiplied by (r_hat / rho)², all else outside the ball stays. g is continuous, but has kinks at
    |eta - center| = rho and delta (unless rho = r_hat), where a derivative is refused.
    """
    center = as_vector("center", center).copy()
    r_hat, rho, delta = (
        as_positive(name, value)
        for name, value in (("r_hat", r_hat), ("rho", rho), ("delta", delta))
    )
    if not max(r_hat, rho) < delta:
        raise ValueError(
            f"delta must be greater than r_hat and rho, got delta {delta}, r_hat {r_hat}, rho {rho}"
        )

    def kink(eta):
        r = onp.linalg.norm(eta - center)
        if rho != r_hat and onp.isclose(r, (rho, delta), rtol=1e-12, atol=0).any():
            return (
                f"|eta - center| = {r:.6g} is one of the spheres rho = {rho:.6g} and delta ="
                f" {delta:.6g}, where g has a kink"
            )

    return Map(_radial(center, rho, r_hat, delta), _radial(center, r_hat, rho, delta), kink=kink)


def weight_norm_map(n, groups=None):
    """Return weight normalization: eta = (s, v), and theta = s v / |v| for each group of parameters
    that has a scale s.

    `groups` are disjoint index vectors into the n parameters, such as the weights that enter one
    unit each; by default all n are one group. eta has the scales first, one a group, then v (n,);
    parameters of no group are their v. The map is onto, but all (s, alpha v) with alpha > 0 have
    one theta: `inverse` chooses s = |theta|, v = theta in each group.
    """
    n = as_count("n", n)
    groups = [onp.arange(n)] if groups is None else [onp.asarray(group) for group in groups]
    for group in groups:
        if (
            group.ndim != 1
            or group.dtype.kind not in "iu"
            or len(group) == 0
            or group.min() < 0
            or group.max() >= n
        ):
            raise ValueError(
                f"each of groups must be a vector of indices from 0 to {n - 1}, got {group}"
            )
    member = onp.zeros((len(groups), n))
    for row, group in zip(member, groups, strict=True):
        row[group] = 1
    if not groups or member.sum() != sum(map(len, groups)) or member.sum(axis=0).max() > 1:
        raise ValueError("groups must be at least one, and disjoint, got none or an index twice")
    free = 1 - member.sum(axis=0)

    def norms(name, v):
        square = np.dot(member, v**2)
        if (getval(square) == 0).any():
            raise ValueError(
                f"{name} must not be zero in a whole group, which has no direction then"
            )
        return np.sqrt(square)

    def forward(eta):
        eta = as_vector("eta", eta, len(member) + n)
        s, v = eta[: len(member)], eta[len(member) :]
        return v * (np.dot(s / norms("v", v), member) + free)

    return Map(
        forward,
        lambda theta: onp.concatenate([norms("theta", as_vector("theta", theta, n)), theta]),
    )


def _radial(center, inner, outer, delta):
    """Return the map that leads the radius `inner` around `center` to `outer`, linearly on both
    sides, and keeps delta.
    """

    def move(point):
        u = as_vector("a point", point, len(center)) - center
        r = np.sqrt(np.sum(u**2)) if getval(u).any() else 0.0
        if r <= inner:
            return center + u * (outer / inner)
        if r < delta:
            return center + u * (((outer - delta) * (r - delta) / (inner - delta) + delta) / r)
        return point

    return move


def _squared_radius(a, b):
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
        # (q + b)^(2a) is between q^(2a) and what 2q or 2b put in the place of q + b make of it.
        bounds = (
            log_s / (1 + 2 * a),
            log_s - 2 * a * onp.log(2 * b),
            (log_s - 2 * a * onp.log(2)) / (1 + 2 * a),
        )
        q = onp.exp(
            scipy.optimize.brentq(excess, min(bounds) - 1, max(bounds) + 1, args=log_s, xtol=1e-14)
        )
        return q - (q * (q + b) ** (2 * a) - s) / slope(
            q
        )  # one step of Newton takes the rounding of the logarithm away

    def excess(log_q, log_s):
        return log_q + 2 * a * onp.logaddexp(log_q, onp.log(b)) - log_s

    def slope(q):
        return (q + b) ** (2 * a - 1) * ((1 + 2 * a) * q + b)

    defvjp(solve, lambda q, s: lambda v: v / slope(q))
    return solve
