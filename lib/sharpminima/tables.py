"""How an audit is shown: its signs and findings as plain text, as Markdown, as HTML.

Here nothing is decided. A finding comes with its `verdict`, its `sign` and its text, and
`findings` is a mapping from the names of transformations to findings.
"""

from collections.abc import Collection, Mapping
from html import escape

HEADS = {
    "layer_scale": "layer scaling",
    "node_scale": "node scaling",
    "permutation": "permu\u00adtation",  # a soft hyphen: columns are narrow
    "unit_split": "unit split",
    "hidden_twin": "hidden twin",
    "softmax_shift": "softmax shift",
    "weight_norm_scale": "weight-norm scaling",
    "weight_norm_sign": "weight-norm sign",
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
    " them zero; ? too close to tell; – undefined. A small number says at how many of the networks"
    " values were compared, where that was not at all."
)
SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")

Signs = Mapping[str, Mapping[str, str]]


def write_factor(factor: float) -> str:
    """Return a factor of at least 1 in a few characters, the same on every machine.

    >>> write_factor(1.0203), write_factor(436.2), write_factor(1.2345e6)
    ('1.02×', '440×', '1.2·10⁶×')
    """
    if factor == float("inf"):
        return "±"
    if factor < 1.01:
        return f"{factor:.4g}×"
    if factor < 1.1:
        return f"{factor:.3g}×"
    digits, exponent = f"{factor:.1e}".split("e")
    power = int(exponent)
    if power < 5:
        rounded = float(f"{factor:.2g}")
        decimals = max(0, 1 - power)
        return f"{rounded:,.{decimals}f}×"
    return f"{digits}·10{str(power).translate(SUPERSCRIPTS)}×"


def write_head(transformation: str) -> str:
    """Return the name of a transformation as text shows it."""
    return HEADS.get(transformation, transformation).replace("\u00ad", "")


def write_count(n_networks: int) -> str:
    """Return a number of networks in words."""
    if n_networks == 1:
        return "1 network"
    return f"{n_networks} networks"


def render_signs_as_text(signs: Signs) -> list[str]:
    """Return the lines of the table of signs: a row for each measure, a column for each
    transformation.
    """
    heads = [write_head(name) for name in _find_columns(signs)]
    rows = [[measure, *of_measure.values()] for measure, of_measure in signs.items()]
    return _align([["", *heads], *rows])


def render_findings_as_text(findings: Mapping) -> list[str]:
    """Return a line for each transformation, with the finding in words."""
    return _align([[write_head(name), str(finding)] for name, finding in findings.items()])


def render_signs_as_markdown(signs: Signs) -> str:
    """Return the table of signs as Markdown."""
    columns = _find_columns(signs)
    heads = ["measure", *(write_head(name) for name in columns)]
    rule = ["---"] + [":-:"] * len(columns)
    rows = [[measure, *of_measure.values()] for measure, of_measure in signs.items()]
    return "\n".join(_render_markdown_row(row) for row in [heads, rule, *rows])


def render_signs_as_html(
    findings: Mapping[str, Mapping],
    controls: Collection[str],
    *,
    families: Mapping[str, str] | None = None,
    n_networks: int | None = None,
) -> str:
    """Return the table of the signs of several measures, `findings` of each, as HTML. The columns
    of the `controls`, which change the function, come last.

    Measures of one of the `families` stand together under its name, where there are several. A cell
    whose values were compared at fewer than `n_networks` says at how many.
    """
    names = _find_columns(findings)
    kept = [name for name in names if name not in controls]
    changed = [name for name in names if name in controls]
    groups = _render_group(kept, "the function is kept")
    groups += _render_group(changed, "it is changed")
    heads = _render_heads(["measure", *(HEADS.get(name, name) for name in kept + changed)])
    by_family = {}
    for measure in findings:
        family = "" if families is None else families[measure]
        by_family.setdefault(family, []).append(measure)
    bodies = []
    for family, measures in by_family.items():
        rows = []
        for measure in measures:
            of_measure = findings[measure]
            signs = [_render_sign(of_measure[name], n_networks) for name in kept + changed]
            rows.append((measure, "".join(signs)))
        bodies.append((family if len(by_family) > 1 else "", rows))
    caption = "Which measures survive which transformation"
    n_columns = 1 + len(names)
    return _render_table(caption, f"<tr><td></td>{groups}</tr>{heads}", bodies, n_columns)


RECORD_SIGNS = {
    ("survives", "proved"): ("≡", "survives, proved"),
    ("survives", "sampled"): ("=", "survives, sampled"),
    ("breaks", "proved"): ("(≡)", "survives at minima, proved; breaks elsewhere"),
    ("breaks", "sampled"): ("(=)", "survives at minima, sampled; breaks elsewhere"),
    ("breaks", "counterexample"): ("×", "breaks"),
    ("undefined", None): ("–", "undefined"),
    ("unclear", None): ("?", "too close to tell"),
}


def render_record_as_html(record: Mapping) -> str:
    """Return an audit's record (see `sharpminima.records`) as a narrow HTML table: families with
    headings, what is proved told from what was sampled, authors' claims marked, and in each cell
    at how many networks it is defined, where that is not all. The factor, or the reason, is what
    a cell says when it is pointed at.
    """
    columns = sorted(record["columns"], key=lambda column: not column["keeps"])
    heads = [escape(column["head"]) for column in columns]
    cells = "".join(f'<th scope="col"><span>{head}</span></th>' for head in heads)
    by_family = {}
    for row in record["rows"]:
        by_family.setdefault(row["family"], []).append(row)
    bodies = []
    for family, rows in by_family.items():
        lines = [
            (row["name"], "".join(_render_cell(row["cells"][c["key"]], c["head"]) for c in columns))
            for row in rows
        ]
        bodies.append((family, lines))
    label = "Which measures survive which twins"
    head = f'<tr><th scope="col">measure</th>{cells}</tr>'
    return _render_table(label, head, bodies, 1 + len(columns), look="audit compact", key="")


def _render_cell(cell, head):
    sign, words = RECORD_SIGNS[cell["verdict"], cell["basis"]]
    notes = [f"{head}: {words}"]
    if cell["basis"] == "counterexample":
        notes.append(f"by {cell['sign']} at {cell['worst']['network']}")
    if cell["limit"] is not None:
        notes.append(cell["limit"])
    notes += [reason["reason"] for reason in cell["reasons"][:1]]
    if cell["claimed"]:
        notes.append("claimed by the authors")
    text = sign
    if cell["claimed"]:
        text += "<sup>c</sup>"
    if 0 < cell["defined"] < cell["of"]:
        text += f"<sub>{cell['defined']}</sub>"
    title = escape("; ".join(notes), quote=True)
    return f'<td class="{cell["verdict"]}" title="{title}">{text}</td>'


def render_findings_as_html(measure: str, findings: Mapping, controls: Collection[str]) -> str:
    """Return the findings on one measure as HTML, a row for each transformation, the `controls`
    last.
    """
    rows = []
    for name in sorted(findings, key=lambda name: name in controls):
        finding = findings[name]
        cells = f"{_render_sign(finding)}<td>{escape(str(finding))}</td>"
        rows.append((write_head(name), cells))
    heads = _render_heads(["transformation", "sign", "finding"])
    return _render_table(f"What became of {measure}", heads, [("", rows)], 3)


def _find_columns(rows):
    """Return the names of the columns, which are the same in all rows."""
    return list(next(iter(rows.values())))


def _align(rows):
    """Return the rows as lines whose columns begin below each other."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        lines.append("  ".join(cells).rstrip())
    return lines


def _render_markdown_row(cells):
    escaped = [cell.replace("|", "\\|") for cell in cells]
    return f"| {' | '.join(escaped)} |"


def _render_table(caption, head, bodies, n_columns, *, look="audit", key=KEY):
    """Return a table; `bodies` are pairs of a heading, empty for none, and the rows under it."""
    caption = escape(caption)
    parts = []
    for heading, rows in bodies:
        lines = [f'<tr><th scope="row">{escape(name)}</th>{cells}</tr>' for name, cells in rows]
        if heading:
            over = f'<th scope="rowgroup" colspan="{n_columns}">{escape(heading)}</th>'
            lines.insert(0, f'<tr class="family">{over}</tr>')
        parts.append(f"<tbody>{''.join(lines)}</tbody>")
    table = (
        f'<table class="{look}"><caption>{caption}</caption>'
        f"<thead>{head}</thead>{''.join(parts)}</table>"
    )
    label = f'role="region" aria-label="{caption}" tabindex="0"'  # the keyboard can scroll it
    page = f'<div class="audit" {label} style="overflow-x: auto">{table}</div>'
    if key:
        page += f'<p class="audit">{escape(key)}</p>'
    return page


def _render_heads(names):
    cells = [f'<th scope="col">{escape(name)}</th>' for name in names]
    return f"<tr>{''.join(cells)}</tr>"


def _render_group(columns, title):
    if not columns:
        return ""
    return f'<th scope="colgroup" colspan="{len(columns)}">{title}</th>'


def _render_sign(finding, n_networks=None):
    look = finding.verdict
    if finding.sign in ("=", "(=)"):
        look = "survives"
    text = escape(finding.sign)
    is_partial = n_networks is not None and 0 < finding.compared < n_networks
    if is_partial:
        text += f"<sub>{finding.compared}</sub>"
    return f'<td class="{look}">{text}</td>'
