"""A claim of the book, checked where it stands: what is said, how far from it the computation came, how far it may."""

import math
from dataclasses import asdict, dataclass, field
from html import escape

MIME = "application/vnd.sharpminima.claim+json"


class ClaimError(AssertionError):
    """A claim of the book does not hold. Its cell fails, and with it the build."""


@dataclass(frozen=True)
class Claim:
    """A claim that held. As the last value of a notebook cell it shows as one line, the same on every machine.

    `error` was measured and is at most `bound`. It travels in the output's metadata only, which nbval does not compare;
    the ledger gathers claims by their MIME type.
    """

    identifier: str
    sentence: str
    bound: float
    source: str
    function: str
    test: str
    error: float = field(compare=False)

    def __str__(self):
        return f"✓ Checked{self._held_to()}. {self.sentence} [{self.identifier}]"

    def _repr_mimebundle_(self, include=None, exclude=None):
        record = {**asdict(self), "held": True}
        error = record.pop("error")
        mark = '<span class="claim-mark" aria-hidden="true">✓</span>'
        html = f'<p class="claim">{mark} <strong>Checked{self._held_to()}.</strong> {escape(self.sentence)}</p>'
        return {MIME: record, "text/html": html, "text/plain": str(self)}, {MIME: {"error": error}}

    def _held_to(self):
        return "" if self.bound == 0 else f" to {self.bound:g}"


def check(identifier, sentence, *, error, bound, source, function, test):
    """Return the `Claim` if the measured `error` is at most `bound`, else raise ClaimError: NaN never holds.

    `identifier` is the label of the theorem, definition or figure it is about, or a name of its own. `source` says whose
    statement it is; `function` names the public function that computes it and `test` ("test_hessians.py::test_rule") the
    test that checks the same. Raises ValueError for an empty text, a negative error (a forgotten abs) or a
    bound that is not at least 0 and finite.

    >>> about = {"source": "this book", "function": "relu", "test": "test_networks.py::test_relu"}
    >>> print(check("halves", "A third and two thirds are one.", error=abs(1 / 3 + 2 / 3 - 1), bound=1e-15, **about))
    ✓ Checked to 1e-15. A third and two thirds are one. [halves]
    >>> check("thirds", "A third is 0.333.", error=abs(1 / 3 - 0.333), bound=1e-15, **about)
    Traceback (most recent call last):
    sharpminima.claims.ClaimError: thirds does not hold: A third is 0.333. Measured 0.000333, held to 1e-15.
    """
    texts = {"identifier": identifier, "sentence": sentence, "source": source, "function": function, "test": test}
    for name, text in texts.items():
        if not isinstance(text, str) or not text.strip():
            raise ValueError(f"{name} must say something, got {text!r}")
    error, bound = float(error), float(bound)
    if not 0 <= bound < math.inf:
        raise ValueError(f"bound must be a finite number of at least 0, got {bound}")
    if error < 0:
        raise ValueError(f"error must be at least 0, got {error}: take abs, or max(0, ...) for an inequality")
    if not error <= bound:
        raise ClaimError(f"{identifier} does not hold: {sentence} Measured {error:.3g}, held to {bound:g}.")
    return Claim(**texts, error=error, bound=bound)
