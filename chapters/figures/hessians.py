"""What the chapter on Hessians draws."""

import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.ticker import LogLocator

from . import drawing, label


@drawing(width=4.8, height=3.5)
def spectra(ax, color, curves):
    """Eigenvalues by rank, largest first. `curves` is a list of three (name, eigenvalues), the
    first one theta's own.
    """
    styles = [(color.theta, "-"), (color.twin, "--"), (color.twin, "-")]
    for (name, values), (ink, dash) in zip(curves, styles, strict=True):
        rank = np.arange(1, len(values) + 1)
        ax.plot(rank, values, color=ink, linestyle=dash, gid=name)
        label(ax, name, (rank[-1], values[-1]), (5, 0), ink, va="center")
    ax.set_yscale("log")
    ax.set_xlim(0, len(values))
    ax.set_xlabel("rank $i$")
    ax.set_ylabel(r"eigenvalue $\lambda_i$")
    ax.yaxis.set_major_locator(LogLocator(base=1000))
    ax.minorticks_off()


@drawing(width=5.6, height=2.7, panels=(1, 2))
def blocks(axes, color, before, after, n_first, labels):
    """|H| before and after, on one logarithmic scale, entries of the first `n_first` parameters
    above the line.
    """
    sizes = np.concatenate([before, after], axis=None)
    lowest = sizes[sizes > 0].min()
    norm = LogNorm(10.0 ** np.floor(np.log10(lowest)), sizes.max())
    middles = [(n_first - 1) / 2, (n_first + len(before) - 1) / 2]
    layers = [r"$\theta_1$", r"$\theta_2$"]
    for ax, matrix, name in zip(axes, (before, after), labels, strict=True):
        positive = np.ma.masked_equal(matrix, 0)
        image = ax.imshow(positive, norm=norm, interpolation="nearest", gid=name)
        ax.set_facecolor(color.faint)  # what is masked, the zeros
        ax.axhline(n_first - 0.5, color=color.ink, linewidth=1.5, gid="across")
        ax.axvline(n_first - 0.5, color=color.ink, linewidth=1.5, gid="down")
        ax.set_xticks(middles, layers)
        ax.set_yticks(middles, layers)
        ax.tick_params(length=0)
        ax.set_xlabel(name)
        ax.spines[:].set_visible(False)
    bar = axes[0].figure.colorbar(image, ax=list(axes), shrink=0.75, label=r"$|H_{ij}|$")
    bar.outline.set_visible(False)
    bar.ax.yaxis.set_major_locator(LogLocator(base=1000))
    bar.ax.minorticks_off()


@drawing(width=4.8, height=3.5)
def trace(ax, color, alphas, traces, norms, floor, trained):
    """Trace and spectral norm over alpha, the floor of the trace, and `trained`, the trace at alpha
    = 1.
    """
    ax.axhline(floor, color=color.faint, linewidth=1, linestyle="--", gid="floor")
    label(ax, "floor of the trace", (alphas[0], floor), (0, -5), color.faint, va="top")
    ax.plot(alphas, traces, color=color.twin, gid="trace")
    ax.plot(alphas, norms, color=color.twin, linestyle=":", gid="norm")
    ax.plot([1], [trained], "o", color=color.theta, gid="trained")
    label(ax, r"$\theta$ as trained", (1, trained), (-9, 2), color.theta, ha="right")
    end = (alphas[-1], traces[-1])
    label(ax, "trace", end, (-6, 0), color.twin, ha="right", va="center")
    place = (alphas[-12], norms[-12])
    label(ax, "spectral norm", place, (8, -6), color.twin, ha="left", va="top")
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlabel(r"$\alpha$")
    ax.set_ylabel(r"size of $\nabla^2 L(T_\alpha\theta)$")
    ax.minorticks_off()


@drawing(width=5.6, height=3.1, panels=(1, 2))
def raised(axes, color, panels):
    """Eigenvalues above M over beta. `panels` is a list of (name, betas, counts, bound, reach), one
    a panel.
    """
    for ax, (name, betas, counts, bound, reach) in zip(axes, panels, strict=True):
        ax.axhline(reach, color=color.faint, linewidth=1, linestyle="--", gid=f"{name} reach")
        ax.axhline(bound, color=color.ink, linewidth=1, linestyle=":", gid=f"{name} bound")
        ax.step(betas, counts, where="post", color=color.twin, gid=f"{name} counts")
        label(ax, "reached", (betas[0], reach), (0, 4), color.faint)
        label(ax, "promised", (betas[0], bound), (0, -4), color.ink, va="top")
        ax.annotate(name, (betas[-1], 0.04 * reach), ha="right", fontweight="bold")
        ax.set_xscale("log")
        ax.set_ylim(0, 1.12 * reach)
        ax.set_xlabel(r"$\beta$")
        ax.minorticks_off()
    axes[0].set_ylabel("eigenvalues above $M$")


@drawing(width=5.6, height=3.1, panels=(1, 2))
def diagonal(axes, color, on_diagonal, off_diagonal):
    """Entries of the Hessian over those of the Gauss-Newton matrix, (n, 2) each: on the diagonal,
    and off it.
    """
    entries = {"on the diagonal": on_diagonal, "off the diagonal": off_diagonal}
    for ax, (name, pairs) in zip(axes, entries.items(), strict=True):
        ends = [min(pairs.min(), 0), pairs.max()]
        ax.plot(ends, ends, color=color.faint, linewidth=1, gid="equality")
        ax.scatter(*pairs.T, s=7, color=color.theta, linewidths=0, alpha=0.7, gid=name)
        ax.annotate(name, (0.03, 0.97), xycoords="axes fraction", va="top", fontweight="bold")
        ax.set_xlabel(r"entry of $G$")
        ax.locator_params(nbins=4)
        ax.set_aspect("equal", adjustable="datalim")
    axes[0].set_ylabel(r"entry of $\nabla^2 L$")
