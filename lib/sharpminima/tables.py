"""How the audit of measures shows itself: as a table for a page, as Markdown, as plain text."""

import re
import textwrap
from collections.abc import Mapping
from html import escape
from typing import NamedTuple

HEADS = {
    "layer_scale": "layer scaling",
    "node_scale": "node scaling",
    "permutation": "permu\u00adtation",  # a soft hyphen: columns are narrow
    "weight_norm_scale": "weight-norm scaling",
    "elementwise_map": "element-wise map",
    "linear_map": "linear map",
    "radial_map": "radial map",
    "input_basis": "input basis",
    "logit_scale": "logits scaled",
    "perturbation": "weights perturbed",
}
KEY = (
    "= the same at all twins where it is defined; (=) the same at minima, another value elsewhere;"
    " a factor: by how much two values of one function differed at most; ± unlike signs, or one of"
    " them zero; ? too close to tell; – undefined."
)
MEASURED = re.compile(
    r" \([^()]*\d[^()]*\)"
)  # a number in brackets belongs to one network, and may be rounding
SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


class Finding(NamedTuple):
    """What became of a measure under one transformation.

    `verdict`, and `at_minima` and `elsewhere`, are "survives", "breaks", "unclear" or "undefined";
    `worst` is the comparison with the largest change (None where there is none); `undefined` maps
    the networks at which the measure has no value to the reason.
    """

    verdict: str
    at_minima: str
    elsewhere: str
    worst: object
    undefined: dict
    count: int

    @property
    def sign(self):
        """The finding in a few characters, as in the table; `KEY` explains them."""
        if self.verdict == "survives":
            return "="
        if self.verdict == "undefined":
            return "–"
        if self.verdict == "unclear":
            return "?"
        return "(=)" if self.at_minima == "survives" else _times(self.worst.change + 1)

    def __str__(self):
        left_out = f"undefined at {_networks(len(self.undefined))}" if self.undefined else ""
        if self.verdict == "undefined":
            return left_out
        where = (
            " away from minima only"
            if self.verdict == "breaks" and self.at_minima == "survives"
            else ""
        )
        if (
            self.verdict == "survives"
        ):  # by how much it changed is rounding, and differs from machine to machine
            found = f"the same at {self.count} twins"
        else:
            found = (
                f"{_times(1 + self.worst.change)} at {self.worst.network}, seed {self.worst.seed}"
            )
        return f"{self.verdict}{where}: {found}{'; ' if left_out else ''}{left_out}"


class Audits(Mapping):
    """The audits of several measures by name. Shows itself as a table, a row a measure and a column
    a transformation.
    """

    def __init__(self, audits):
        self.audits = dict(audits)

    def __getitem__(self, name):
        return self.audits[name]

    def __iter__(self):
        return iter(self.audits)

    def __len__(self):
        return len(self.audits)

    @property
    def signs(self):
        """The table as a mapping from measures to mappings from transformations to signs."""
        return {
            name: {t: finding.sign for t, finding in audit.findings.items()}
            for name, audit in self.audits.items()
        }

    @property
    def reasons(self):
        """Where values are missing, and why: one sentence for all measures with the same reason at
        as many networks.
        """
        found = {}
        for name, audit in self.audits.items():
            groups = {}
            for t, finding in audit.findings.items():
                if finding.undefined:
                    groups.setdefault(len(finding.undefined), []).append(t)
            for count, under in groups.items():
                reason = MEASURED.sub("", next(iter(audit.findings[under[0]].undefined.values())))
                whence = (
                    "everything"
                    if len(under) == len(audit.findings)
                    else ", ".join(map(_head, under))
                )
                found.setdefault((whence, f"{count} of {len(audit.sites)}", reason), []).append(
                    name
                )
        return [
            f"Undefined under {whence} at {count} networks: {'; '.join(names)} ({reason})."
            for (whence, count, reason), names in found.items()
        ]

    def select(self, names):
        """Return the rows of these names, in their order."""
        return Audits({name: self.audits[name] for name in names})

    def to_markdown(self):
        """Return the table as Markdown."""
        heads = ["measure", *(_head(t) for t in self._columns)]
        rows = [[name, *(signs[t] for t in self._columns)] for name, signs in self.signs.items()]
        lines = [heads, ["---", *[":-:"] * len(self._columns)], *rows]
        return "\n".join(
            "| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines
        )

    def text(self, *, reasons=False):
        """Return the table as plain text, a row a transformation if there is one measure only; with
        the `reasons` of what is undefined.
        """
        if len(self) == 1:
            [(name, audit)] = self.audits.items()
            rows = [[_head(t), str(finding)] for t, finding in audit.findings.items()]
            table = [name, *_aligned(rows)]
        else:
            table = _aligned(
                [
                    ["", *map(_head, self._columns)],
                    *([name, *signs.values()] for name, signs in self.signs.items()),
                ]
            )
        return "\n".join(
            [*table, *(textwrap.fill(reason, 120) for reason in (self.reasons if reasons else ()))]
        )

    def __str__(self):
        return self.text()

    __repr__ = __str__

    def _repr_html_(self):
        transformations = next(iter(self.audits.values())).transformations
        columns = sorted(self._columns, key=lambda t: not transformations[t].keeps)
        if len(self) == 1:
            return _html(f"What became of {next(iter(self))}", *self._one(columns))
        n_kept = sum(t.keeps for t in transformations.values())
        groups = [
            (n_kept, "the function is kept"),
            (len(transformations) - n_kept, "it is changed"),
        ]
        head = "".join(f'<th scope="colgroup" colspan="{n}">{text}</th>' for n, text in groups if n)
        names = "".join(f'<th scope="col">{escape(HEADS.get(t, t))}</th>' for t in columns)
        rows = [
            (name, "".join(_cell(audit.findings[t]) for t in columns))
            for name, audit in self.audits.items()
        ]
        return _html(
            "Which measures survive which transformation",
            f'<tr><td></td>{head}</tr><tr><th scope="col">measure</th>{names}</tr>',
            rows,
        )

    def _one(self, columns):
        """Head and rows of the table of a single measure, a row a transformation."""
        [audit] = self.audits.values()
        rows = [
            (_head(t), f"{_cell(audit.findings[t])}<td>{escape(str(audit.findings[t]))}</td>")
            for t in columns
        ]
        return (
            (
                '<tr><th scope="col">transformation</th><th scope="col">sign</th><th'
                ' scope="col">finding</th></tr>'
            ),
            rows,
        )

    @property
    def _columns(self):
        return list(next(iter(self.audits.values())).findings)


def _html(caption, head, rows):
    body = "".join(f'<tr><th scope="row">{escape(name)}</th>{cells}</tr>' for name, cells in rows)
    return (
        f'<div class="audit" role="region" aria-label="{escape(caption)}" tabindex="0"'
        ' style="overflow-x: auto"><table'
        f' class="audit"><caption>{escape(caption)}</caption><thead>{head}</thead><tbody>{body}</tbody></table></div><p'
        f' class="audit">{escape(KEY)}</p>'
    )


def _cell(finding):
    look = "survives" if finding.sign in ("=", "(=)") else finding.verdict
    return f'<td class="{look}">{escape(finding.sign)}</td>'


def _networks(count):
    return "1 network" if count == 1 else f"{count} networks"


def _head(transformation):
    return HEADS.get(transformation, transformation).replace("\u00ad", "")


def _aligned(rows):
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _times(factor):
    """A factor of at least 1 in a few characters, the same on every machine."""
    if factor == float("inf"):
        return "±"
    if factor < 1.1:
        return f"{factor:.3g}×"
    digits, exponent = f"{factor:.1e}".split("e")
    if int(exponent) < 5:
        return f"{float(f'{factor:.2g}'):,.{max(0, 1 - int(exponent))}f}×"
    return f"{digits}·10{str(int(exponent)).translate(SUPERSCRIPTS)}×"
