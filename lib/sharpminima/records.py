"""An audit as data that other programs read: one mapping, and the same as CSV.

schema      the number of this layout, 1
version     of the library
complete    False if the audit was interrupted
networks    a list of name, description, parameters (their number), minimum (true or false)
columns     a list of key, head (as tables show it), keeps (the function)
rows        a list of key, name, family, formula (TeX between dollar signs), source, cite (the
            key in the bibliography, or null), claims (keys of columns), place (where the authors
            claim it), and cells: from keys of columns to

    verdict         survives, breaks, undefined or unclear; minima and elsewhere likewise, for
                    the networks that are minima and for the others
    sign            as in the table: = (=) – ? or a factor
    defined         the number of networks at which values were compared; of, that of all
    basis           proved or sampled of what survives, counterexample of what breaks, else null
    proof           two lines, or null
    limit           of what was sampled: at which other networks it breaks, or null if none is known
    claimed         whether the authors claim that it survives
    reasons         a list of reason, networks (how many): why it is undefined
    worst           of what breaks, else null: network, seed, value, twin, factor (numbers of six
                    digits; factor is null for unlike signs), python (the line that reproduces
                    it)
"""

import csv
import io
import json
from collections import Counter
from collections.abc import Mapping

from .measures import Measure, find_limit, find_proof
from .tables import write_head

SCHEMA = 1
CSV_COLUMNS = (
    "measure",
    "name",
    "family",
    "transformation",
    "verdict",
    "minima",
    "elsewhere",
    "sign",
    "defined",
    "of",
    "basis",
    "claimed",
)


def make_record(audits: Mapping, *, version: str, complete: bool) -> dict:
    """Return the audits, a mapping from names to `Audit`, as one mapping of plain values, laid out
    as this module says.
    """
    first = next(iter(audits.values()))
    networks = [
        {
            "name": site.name,
            "description": site.description,
            "parameters": len(site.theta),
            "minimum": site.is_minimum,
        }
        for site in first.sites.values()
    ]
    columns = [
        {"key": key, "head": write_head(key), "keeps": t.keeps}
        for key, t in first.transformations.items()
    ]
    return {
        "schema": SCHEMA,
        "version": version,
        "complete": complete,
        "networks": networks,
        "columns": columns,
        "rows": [_make_row(name, audit) for name, audit in audits.items()],
    }


def write_json(record: dict) -> str:
    """Return the record as JSON, an entry a line, so that a change shows where it is."""
    return json.dumps(record, ensure_ascii=False, indent=1)


def write_csv(record: dict) -> str:
    """Return the record as CSV: a line for each measure and transformation."""
    page = io.StringIO()
    writer = csv.DictWriter(page, CSV_COLUMNS, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    for row in record["rows"]:
        for column, cell in row["cells"].items():
            about = {"measure": row["key"], "name": row["name"], "family": row["family"]}
            writer.writerow({**about, "transformation": column, **cell})
    return page.getvalue()


def _make_row(name, audit):
    measure = audit.measure
    key = getattr(measure, "__name__", name)
    row = {"key": key, "name": name, "family": "Your own", "formula": "", "source": ""}
    row |= {"cite": None, "claims": [], "place": ""}
    if isinstance(measure, Measure):
        row |= {
            "family": measure.family,
            "formula": measure.formula,
            "source": measure.source,
            "cite": measure.cite,
            "claims": [t for t in audit.findings if t in measure.claims],
            "place": measure.place,
        }
    row["cells"] = {
        t: _make_cell(measure, key, t, finding, len(audit.sites))
        for t, finding in audit.findings.items()
    }
    return row


def _make_cell(measure, key, transformation, finding, n_networks):
    proof = None
    limit = None
    basis = None
    if finding.verdict == "survives" or finding.breaks_elsewhere_only:
        proof = find_proof(key, transformation)
        basis = "sampled" if proof is None else "proved"
        limit = find_limit(key, transformation)
    elif finding.verdict == "breaks":
        basis = "counterexample"
    reasons = Counter(finding.undefined.values())
    return {
        "verdict": finding.verdict,
        "minima": finding.at_minima,
        "elsewhere": finding.elsewhere,
        "sign": finding.sign,
        "defined": finding.compared,
        "of": n_networks,
        "basis": basis,
        "proof": proof,
        "limit": limit,
        "claimed": isinstance(measure, Measure) and transformation in measure.claims,
        "reasons": [{"reason": reason, "networks": n} for reason, n in reasons.items()],
        "worst": _make_example(measure, key, transformation, finding),
    }


def _make_example(measure, key, transformation, finding):
    if finding.verdict != "breaks":
        return None
    worst = finding.worst
    factor = 1 + worst.change
    asked = f'sm.MEASURES["{key}"]' if isinstance(measure, Measure) else "measure"
    line = (
        f'sm.audit({asked}, seeds=[{worst.seed}], networks={{"{worst.network}":'
        f' sm.sample_networks(large=True)["{worst.network}"]}}).counterexample("{transformation}")'
    )
    return {
        "network": worst.network,
        "seed": worst.seed,
        "value": _round(worst.value),
        "twin": _round(worst.twin_value),
        "factor": _round(factor) if factor < float("inf") else None,
        "python": line,
    }


def _round(value):
    return float(f"{value:.6g}")
