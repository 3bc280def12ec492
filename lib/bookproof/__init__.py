"""What makes the figures, numbers and claims of a Jupyter Book checkable.

In a notebook: `claim` with its parts `equal`, `at_most`, `at_least`, `true_of` and `agrees`, and
`drawing` for figures that show themselves in light and dark. `contract` holds a figure to what it
must show, a `panel` each with its artists (`curve`, `line`, `span`, `region`, `band`, `bars`,
`image`, `contours`, `surface`), and `says` its caption to what it says. `explorer` is a
picture to move, with the numbers that it must show. `answer` registers what the solution of an
exercise found, and `check_answer` compares a reader's own value with it. In `_config.yml`: the
extension `bookproof.sphinx`. In pytest's configuration: `bookproof = true`.
"""

from .answers import answer, check_answer
from .captions import says
from .claims import (
    Claim,
    ClaimError,
    agrees,
    at_least,
    at_most,
    claim,
    equal,
    shows,
    true_of,
)
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
    span,
    surface,
)
from .explorers import explorer

__version__ = "0.1.0"
