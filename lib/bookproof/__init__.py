"""What makes the figures, numbers and claims of a Jupyter Book checkable.

In a notebook: `claim` with its parts `equal`, `at_most`, `at_least`, `true_of` and `agrees`, and
`drawing` for figures that show themselves in light and dark and can be asked for what they draw. In
`_config.yml`: the extension `bookproof.sphinx`. In pytest's configuration: `bookproof = true`.
"""

from .claims import Claim, ClaimError, agrees, at_least, at_most, claim, equal, true_of
from .contracts import (
    band,
    bars,
    contours,
    contract,
    curve,
    image,
    line,
    panel,
    region,
    says,
    span,
    surface,
)

__version__ = "0.1.0"
