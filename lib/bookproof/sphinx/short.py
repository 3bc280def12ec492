"""How a claim is held, in a word or two: what a mark shows while it is closed."""

import math
import re

from ..claims import SUPERSCRIPTS

PLAIN = {raised: plain for plain, raised in SUPERSCRIPTS.items()}
MOST = 2  # kinds that a mark names


def say_in_short(parts: list[dict]) -> str:
    """Return what a mark says of the parts of a claim: its most telling kinds, each by the part
    that promises least.

    >>> say_in_short([{"kind": "equality", "promise": "equal to 10⁻¹³ of each", "measured": 0.1}])
    '10⁻¹³'
    >>> say_in_short([{"kind": "count", "promise": "true of all 1597", "measured": 1597}])
    'all 1597'
    """
    said = []
    for kind, say in SAY.items():
        same = [part for part in parts if part["kind"] == kind]
        if same:
            said.append(say(same))
    return " · ".join(said[:MOST])


def read_tolerance(promise: str) -> float:
    """Return the tolerance in a promise, 0 where two sides are the same numbers.

    >>> read_tolerance("equal to 3·10⁻⁷ of each"), read_tolerance("equal")
    (3e-07, 0.0)
    """
    found = re.match(r"equal to (\S+)", promise)
    if found is None:
        return 0.0
    digits = found[1].replace("·", "*").translate(PLAIN)
    power = re.fullmatch(r"(?:([\d.]+)\*)?10(-?\d+)", digits)
    if power and re.search(r"[⁰¹²³⁴-⁹⁻]", found[1]):
        return float(f"{power[1] or 1}e{power[2]}")
    return float(digits)


def say_equalities(parts: list[dict]) -> str:
    loosest = max(parts, key=lambda part: read_tolerance(part["promise"]))
    found = re.match(r"equal to (\S+)", loosest["promise"])
    return found[1] if found else "exact"


def say_counts(parts: list[dict]) -> str:
    """Return the count of the fewest cases.

    >>> alone = {"promise": "true", "measured": 1.0}
    >>> say_counts([{"promise": "true of all 12", "measured": 12.0}, alone])
    'true'
    """
    fewest = min(parts, key=lambda part: part["measured"])
    return fewest["promise"].removeprefix("true of ")


def say_inequalities(parts: list[dict]) -> str:
    """Return the least margin; where there is none to tell, that the bounds hold."""
    shares = [part["measured"] for part in parts if part["measured"]]
    if len(shares) < len(parts) or max(shares) > 0.95:
        return "bounds hold"
    margin = 1 / max(shares)
    if margin >= 1e4:
        return f"over 10{str(int(math.log10(margin))).translate(SUPERSCRIPTS)}× to spare"
    return f"{float(f'{margin:.2g}'):,g}× to spare"


def say_estimates(parts: list[dict]) -> str:
    """Return within how many standard errors the parts are, by the widest."""
    widths = [re.match(r"agrees within (\S+)", part["promise"])[1] for part in parts]
    return f"within {max(widths, key=float)} s.e."


def say_figures(parts: list[dict]) -> str:
    """Return the share of the axes to which the figures are drawn, that of the coarsest."""
    found = [re.search(r"to (\S+) % of", part["promise"]) for part in parts]
    shares = [match[1] for match in found if match]
    return f"drawn to {max(shares, key=float)} %" if shares else "as computed"


def say_words(parts: list[dict]) -> str:
    return "as said"


# The most telling kinds first.
SAY = {
    "figure": say_figures,
    "equality": say_equalities,
    "estimate": say_estimates,
    "count": say_counts,
    "inequality": say_inequalities,
    "words": say_words,
}
