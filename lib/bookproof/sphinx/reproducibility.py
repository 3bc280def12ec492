"""The page on reproducibility: `{reproducibility} PART` becomes what this build knows of versions,
machine, times, seeds and claims, and what `make bench` has measured. None of it is typed.
"""

import ast
import json
import os
import re
import subprocess
import tomllib
from collections import Counter
from hashlib import sha256
from html import escape
from pathlib import Path

import nbformat
from docutils import nodes
from docutils.parsers.rst import directives
from jupyter_cache import get_cache
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from sphinx.util.docutils import SphinxDirective

from .. import machine
from ..notebooks import claims, statements
from .dark_figures import size_on_page
from .ledger import documents, plural, reading_order

RESULTS = Path("bench", "results.json")
SLOWEST = 5


class part(nodes.General, nodes.Element):
    """Where a part will stand, once all notebooks are read."""


class Reproducibility(SphinxDirective):
    required_arguments = 1

    def run(self):
        self.env.note_dependency(str(RESULTS))
        name = directives.choice(self.arguments[0], [*PARTS, "times-figure"])
        if name == "times-figure":  # numbered, so it has to be there when Sphinx counts
            results = stored(self.env)
            return [self.figure(results)] if results else []
        return [part(name=name)]

    def figure(self, results):
        """The benchmark's figure, in both modes under one number."""
        from chapters.figures.reproducibility import hessian_times

        drawing, figure = (
            hessian_times(drawn(results)),
            nodes.figure(names=["fig-hessian-times"], align="default"),
        )
        for mode in ("light", "dark"):
            png = drawing.png(mode)
            file = Path(self.env.mystnb_config.output_folder) / f"{sha256(png).hexdigest()}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(png)
            uri = Path(
                os.path.relpath(file, Path(self.env.doc2path(self.env.docname)).parent)
            ).as_posix()
            width, height = (f"{length}px" for length in size_on_page(png))
            figure += nodes.image(
                uri=uri, alt=ALT, classes=["nbfig", f"in-{mode}"], width=width, height=height
            )
        figure += nodes.caption("", CAPTION)
        self.state.document.note_explicit_target(figure, figure)
        return figure


ALT = (
    "Two panels with logarithmic axes, squared error and cross-entropy: seconds for one Hessian"
    " over the number of parameters. In each, every method is a rising curve, and the time of the"
    " matrix products alone is a straight line below them."
)
CAPTION = (
    "How long does one exact Hessian take? Medians for networks of four sizes and 1000 samples; of"
    " the ways to call JAX and PyTorch the faster one. The gray line is the time of the matrix"
    " products alone."
)


def stored(env):
    """The results of `make bench`, or None where there are none."""
    path = Path(env.srcdir) / RESULTS
    return json.loads(path.read_text()) if path.exists() else None


# What the benchmark's methods are on the page: of several ways to call a peer, its fastest.
GROUPS = {
    "sharpminima": ("ours",),
    "result reused": ("ours_reused",),
    "autograd": ("autograd", "autograd_one_thread"),
    "JAX": ("jax_chunks", "jax_hessian"),
    "PyTorch": ("torch_chunks", "torch_hessian"),
    "curvlinops": ("curvlinops",),
}


def quickest(problem, group):
    """The fastest of a group's methods on a problem, or None when none was timed."""
    timed = [
        problem["methods"][name]
        for name in GROUPS[group]
        if "seconds" in problem["methods"].get(name, {})
    ]
    return min(timed, key=lambda method: method["seconds"], default=None)


def drawn(results):
    """The panels of the figure: for each criterion the limit and four curves, over the problems
    with most samples.
    """
    most = max(problem["samples"] for problem in results["problems"])
    panels = []
    for criterion in ("squared_error", "cross_entropy"):
        problems = [
            p for p in results["problems"] if p["criterion"] == criterion and p["samples"] == most
        ]
        problems.sort(key=lambda p: p["size"])
        curves = []
        for group in ("sharpminima", "autograd", "JAX", "PyTorch"):
            points = [
                (p["size"], quickest(p, group)["seconds"]) for p in problems if quickest(p, group)
            ]
            if points:
                curves.append((group, points))
        panels.append(
            (criterion.replace("_", " "), [(p["size"], p["limit"]) for p in problems], curves)
        )
    return panels


# HTML, because docutils' tables know neither the scope of a header nor the words that a narrow
# screen puts before a cell.


def table(caption, head, rows, wide=False):
    """A table whose cells are HTML already; the first of each row is its header."""
    top = "".join(f'<th scope="col">{name}</th>' for name in head)
    body = ""
    for first, *others in rows:
        cells = "".join(
            f'<td data-label="{re.sub("<.*?>", "", name)}">{cell}</td>'
            for name, cell in zip(head[1:], others, strict=True)
        )
        body += f'<tr><th scope="row">{first}</th>{cells}</tr>'
    classes = "table facts wide" if wide else "table facts"
    html = (
        "<table"
        f' class="{classes}"><caption>{caption}</caption><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>'
    )
    return nodes.raw("", html, format="html")


def paragraph(html):
    return nodes.raw("", f"<p>{html}</p>", format="html")


def number(value):
    """Two digits, and no more zeros than it takes to tell them; a dash where there is none."""
    if value is None:
        return "–"
    return f"{value:.0f}" if value >= 100 else f"{value:#.2g}".rstrip(".")


def code(text):
    return f"<code>{escape(text)}</code>"


# Versions


def locked(text):
    """{package: version} of a lock, without what its markers keep for other machines."""
    pins = {}
    for line in text.splitlines():
        line = line.partition(" #")[0].strip()
        if line and not line.startswith("#"):
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate():
                pins[canonicalize_name(requirement.name)] = str(requirement.specifier).removeprefix(
                    "=="
                )
    return pins


def asked_for(pyproject):
    """The packages that pyproject.toml names, in its order."""
    project = tomllib.loads(pyproject)["project"]
    texts = [*project["dependencies"], *sum(project["optional-dependencies"].values(), [])]
    return list(dict.fromkeys(canonicalize_name(Requirement(text).name) for text in texts))


def versions_of(lock, pyproject, installed):
    """Rows (package, locked, here) for what pyproject.toml asks for, and a sentence on the whole
    lock.
    """
    pins = locked(lock)
    rows = [
        (code(name), pins.get(name, "–"), installed(name) or "not installed")
        for name in asked_for(pyproject)
    ]
    off = {
        name: installed(name) or "not installed"
        for name, version in pins.items()
        if installed(name) != version
    }
    if not off:
        return (
            rows,
            (
                f"All {len(pins)} packages of the lock are installed here in the versions that it"
                " names."
            ),
        )
    told = ", ".join(f"{code(name)} {pins[name]} (here {version})" for name, version in off.items())
    return rows, f"Of the {len(pins)} packages of the lock, {len(off)} differ here: {told}."


def versions(app, here):
    source = Path(app.srcdir)
    lock, pyproject = (
        (source / name).read_text() for name in ("requirements.txt", "pyproject.toml")
    )
    rows, sentence = versions_of(lock, pyproject, machine.installed)
    caption = "What the book asks for by name, as locked and as installed where this page was built"
    return [paragraph(sentence), table(caption, ["Package", "Locked", "Here"], rows)]


# Machine


def commit(source):
    """The commit that was built, with a word on changes beside it; None without git."""
    run = ["git", "-C", str(source)]
    try:
        top = subprocess.run([*run, "rev-parse", "--show-toplevel"], capture_output=True, text=True)
        said = subprocess.run(
            [*run, "describe", "--always", "--dirty= with changes", "--abbrev=12"],
            capture_output=True,
            text=True,
        )
    except OSError:
        return None
    # A book without a history of its own may lie inside of another one's.
    own = top.returncode == 0 and Path(top.stdout.strip()).resolve() == Path(source).resolve()
    return said.stdout.strip() if own and said.returncode == 0 else None


def built_on(app, here):
    found = {
        **machine.facts(),
        "Threads": (
            f"{os.environ.get('OPENBLAS_NUM_THREADS', 'as many as cores')} for each notebook"
        ),
    }
    found["Commit"] = commit(app.srcdir) or "unknown: this was no git checkout"
    return [
        table(
            "Where and of what this page was built",
            ["What", "Here"],
            [(name, escape(value)) for name, value in found.items()],
        )
    ]


# Times


def recorded(env, name):
    """What the cache knows of a notebook's last execution: its seconds, and those of its code
    cells.
    """
    notebook = nbformat.read(env.doc2path(name), as_version=4)
    try:
        data = get_cache(env.mystnb_config.execution_cache_path).match_cache_notebook(notebook).data
    except KeyError:
        data = {}
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    named = zip(
        (first_line(cell.source) for cell in cells), data.get("cell_seconds", ()), strict=False
    )
    return data.get("execution_seconds"), [(line, s) for line, s in named if s is not None]


def first_line(source):
    """The line by which a cell is known: the first that does something other than import."""
    lines = [line for line in source.splitlines() if line.strip() and not line.startswith("#")]
    return next(
        (line for line in lines if not line.startswith(("import ", "from ", "%"))),
        next(iter(lines), ""),
    )


def chapters_of(env):
    return [
        name for name in reading_order(env) if not isinstance(documents(env).get(name, ""), str)
    ]


def link(app, here, name):
    return (
        '<a class="reference internal"'
        f' href="{app.builder.get_relative_uri(here, name)}">{escape(app.env.titles[name].astext())}</a>'
    )


def times_of(chapters):
    """Rows of both tables from [(chapter, seconds, [(first line, seconds)])], and the sum."""
    rows = [(chapter, number(total), str(len(cells))) for chapter, total, cells in chapters]
    cells = [(s, chapter, line) for chapter, _, lines in chapters for line, s in lines]
    slowest = [
        (code(line), chapter, number(s))
        for s, chapter, line in sorted(cells, key=lambda cell: -cell[0])[:SLOWEST]
    ]
    return rows, slowest, sum(total or 0 for _, total, _ in chapters)


def times(app, here):
    if app.env.mystnb_config.execution_mode != "cache":
        return [
            paragraph(
                "Times were not measured in this build: it took the outputs that are stored in the"
                " notebooks."
            )
        ]
    chapters = [(link(app, here, name), *recorded(app.env, name)) for name in chapters_of(app.env)]
    rows, slowest, total = times_of(chapters)
    said = (
        f"{plural(len(rows), 'notebook')}, {number(total)} s in all, as many at once as there are"
        " cores; each when it was last executed here."
    )
    head = ["Chapter", "Seconds", "Cells"]
    content = [
        paragraph(said),
        table("Execution time of each chapter, with the start of its kernel", head, rows),
    ]
    if slowest:
        content.append(
            table(
                "The slowest cells, by their first lines", ["Cell", "Chapter", "Seconds"], slowest
            )
        )
    return content


# Seeds


def seeds_in(source):
    """Every source of randomness in some Python code, as written: default_rng(3), seed=0, SEED =
    0.
    """
    tree = ast.parse(re.sub(r"^[ \t]*[%!].*$", "", source, flags=re.MULTILINE))
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = (
                node.func.attr
                if isinstance(node.func, ast.Attribute)
                else getattr(node.func, "id", "")
            )
            if name == "default_rng":
                found.append((node, f"default_rng({', '.join(map(ast.unparse, node.args))})"))
            else:
                given = [
                    key
                    for key in node.keywords
                    if key.arg
                    and (key.arg.endswith(("seed", "seeds")) or key.arg == "random_state")
                ]
                found += [(node, f"{key.arg}={ast.unparse(key.value)}") for key in given]
        elif isinstance(node, ast.FunctionDef):
            found += [
                (node, f"{name}={ast.unparse(value)}")
                for name, value in defaults(node.args)
                if name.endswith("seed")
            ]
        elif (
            isinstance(node, ast.Assign)
            and len(node.targets) == 1
            and "SEED" in ast.unparse(node.targets[0]).upper()
        ):
            found.append((node, ast.unparse(node)))
    return [
        text for _, text in sorted(found, key=lambda entry: (entry[0].lineno, entry[0].col_offset))
    ]


def defaults(arguments):
    """(name, value) of each argument that has a value by default."""
    positional = [*arguments.posonlyargs, *arguments.args]
    pairs = [
        *zip(positional[::-1], arguments.defaults[::-1], strict=False),
        *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True),
    ]
    return [(argument.arg, value) for argument, value in pairs if value is not None]


def counted(texts):
    return ", ".join(
        code(text) + (f" ({n} times)" if n > 1 else "") for text, n in Counter(texts).items()
    )


def seeds(app, here):
    rows = []
    for name in chapters_of(app.env):
        cells = [cell.source for cell in documents(app.env)[name].cells if cell.cell_type == "code"]
        rows.append(
            (link(app, here, name), [seed for source in cells for seed in seeds_in(source)])
        )
    library = Path(app.srcdir) / "lib" / "sharpminima"
    rows += [
        (code(path.relative_to(library).as_posix()), seeds_in(path.read_text()))
        for path in sorted(library.rglob("*.py"))
    ]
    rows = [(where, counted(found)) for where, found in rows if found]
    return [table("Every source of randomness, as the code has it", ["Where", "Seeds"], rows)]


# Claims


def counts(app, here):
    """How much of the book is checked, counted in what this build read."""
    read = {
        name: documents(app.env)[name]
        for name in reading_order(app.env)
        if name in documents(app.env)
    }
    made = [claim for document in read.values() for claim in claims(document)]
    stated = Counter(
        "figure" if kind == "figure" else "statement"
        for document in read.values()
        for kind, _ in statements(document)
    )
    cells = sum(
        cell.cell_type == "code"
        for name in chapters_of(app.env)
        for cell in documents(app.env)[name].cells
    )
    tests = sum(
        len(re.findall(r"^def test_", path.read_text(), re.MULTILINE))
        for path in (Path(app.srcdir) / "tests").glob("*.py")
    )
    rows = [
        ("Claims", str(len(made))),
        ("Claims that held in this build", str(sum(claim["held"] for claim in made))),
        ("Theorems, definitions and other statements", str(stated["statement"])),
        ("Numbered figures with a claim of their own", str(stated["figure"])),
        ("Notebooks", str(len(chapters_of(app.env)))),
        ("Code cells", str(cells)),
        ("Test functions", str(tests)),
    ]
    return [table("What is checked", ["What", "How many"], rows)]


# Benchmark


def named(problem):
    widths = "\u2011".join(map(str, problem["widths"]))
    return (
        f"{problem['criterion'].replace('_', ' ')} {widths},"
        f" <i>N</i>\u00a0=\u00a0{problem['samples']}"
    )


def against(problem, group):
    """A group's seconds, and how many times ours they are."""
    method, ours = quickest(problem, group), quickest(problem, "sharpminima")
    if method is None:
        return "–"
    if ours is None or method is ours:
        return number(method["seconds"])
    return f"{number(method['seconds'])} ({number(method['seconds'] / ours['seconds'])}\u00a0×)"


def compared(results):
    rows = [
        (named(p), f"{p['size']:,}", *(against(p, group) for group in GROUPS), number(p["limit"]))
        for p in results["problems"]
    ]
    caption = (
        "Median seconds for one exact Hessian, and in brackets how many times sharpminima's own"
        " they are"
    )
    return table(caption, ["Problem", "<i>n</i>", *GROUPS, "limit"], rows, wide=True)


def spent(results):
    rows = []
    for p in results["problems"]:
        methods = [quickest(p, group) for group in ("sharpminima", "autograd", "JAX", "PyTorch")]
        mib = [number(method and method["mib"]) for method in methods]
        first = [number(method and method["first"]) for method in (methods[0], methods[2])]
        shares = [
            "–" if (m := quickest(p, group)) is None else f"{p['limit'] / m['seconds']:.0%}"
            for group in ("sharpminima", "result reused")
        ]
        rows.append((named(p), *shares, *first, number(p["matrix_mib"]), *mib))
    head = [
        "Problem",
        "share of limit",
        "the same, result reused",
        "first call",
        "first call of JAX",
        "matrix (MiB)",
    ]
    head += [
        f"{group} (MiB)" for group in ("peak", "peak of autograd", "peak of JAX", "peak of PyTorch")
    ]
    caption = (
        "How near to the matrix products alone, the first call of a process, and the peak of memory"
        " beyond imports and inputs"
    )
    return table(caption, head, rows, wide=True)


def promised(results):
    words = {True: "met", False: "not met", None: "not measured"}
    rows = []
    for row in results["targets"]:
        kind = "at least" if "at least" in row else "at most"
        measured = "–" if row["measured"] is None else f"{row['measured']:.3g}"
        rows.append(
            (
                escape(row["what"]),
                f"{kind} {row[kind]:g}".replace(" ", "\u00a0"),
                measured,
                words[row["met"]],
            )
        )
    return table(
        "What was promised, and the worst that was measured",
        ["Target", "Bound", "Measured", "Result"],
        rows,
    )


def many(networks):
    rows = []
    for method in networks["methods"].values():
        if "skipped" in method:
            rows.append((escape(method["title"]), "–", escape(method["skipped"])))
        else:
            every = method["timed"] == networks["networks"]
            rows.append(
                (
                    escape(method["title"]),
                    number(method["all_seconds"]),
                    "all" if every else f"{method['timed']}, the rest taken to be alike",
                )
            )
    caption = (
        f"{networks['networks']} networks {'-'.join(map(str, networks['widths']))} on"
        f" {networks['samples']} digits, {networks['size']:,} parameters each: seconds for all of"
        " them"
    )
    return table(caption, ["What", "Seconds", "Networks timed"], rows)


def left_out(results):
    """Why there is a dash: the reasons of each method of a group of which none was timed."""
    reasons = {}
    for problem in results["problems"]:
        for group in (group for group in GROUPS if quickest(problem, group) is None):
            for method in (
                problem["methods"][name] for name in GROUPS[group] if name in problem["methods"]
            ):
                reasons.setdefault((method["title"], method["skipped"]), []).append(named(problem))
    if not reasons:
        return []
    lines = "".join(
        f"<li>{escape(title)}: {escape(why)} ({'; '.join(where)})</li>"
        for (title, why), where in reasons.items()
    )
    return [nodes.raw("", f"<p>Not timed:</p><ul>{lines}</ul>", format="html")]


def circumstances(results):
    versions = [
        f"{name} {version}"
        for found in results["versions"].values()
        for name, version in (found or {}).items()
        if version
    ]
    where = results["machine"] or {}
    facts = [
        (
            f"Measured on {escape(results['date'])},"
            f" {escape(where.get('Processor', 'processor unknown'))}"
        ),
        f"{results['threads']} threads on as many cores",
        escape(where.get("BLAS", "BLAS unknown")),
        f"load before {results['load_before']}",
        f"commit {escape(results['commit'] or 'unknown')}",
        ", ".join(map(escape, dict.fromkeys(versions))),
    ]
    return paragraph("; ".join(facts) + ".")


def benchmark(app, here):
    results = stored(app.env)
    if results is None:
        return [
            paragraph(
                "No measurement is stored yet; <code>make bench</code> makes one and writes it to"
                f" <code>{RESULTS}</code>."
            )
        ]
    content = [circumstances(results), compared(results), spent(results)]
    if results["networks"]:
        content.append(many(results["networks"]))
    return [*content, promised(results), *left_out(results)]


PARTS = {
    "versions": versions,
    "machine": built_on,
    "times": times,
    "seeds": seeds,
    "claims": counts,
    "benchmark": benchmark,
}


def fill(app, doctree, here):
    for placeholder in list(doctree.findall(part)):
        placeholder.replace_self(PARTS[placeholder["name"]](app, here))


def rewrite(app, env):
    """The page tells of other pages and of this build, so it is written anew in every one."""
    return [
        name
        for name, document in documents(env).items()
        if isinstance(document, str) and "{reproducibility}" in document
    ]


def setup(app):
    app.add_node(part)
    app.add_directive("reproducibility", Reproducibility)
    app.connect("env-updated", rewrite)
    app.connect("doctree-resolved", fill)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
