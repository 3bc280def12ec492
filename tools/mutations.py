"""What cosmic-ray would change in some Python files: one small defect a line, as JSON.

    .venv-mutants/bin/python tools/mutations.py --sample 0.05 --seed 1 lib/sharpminima/*.py

Runs in an environment of its own, tests/mutants/requirements.txt. cosmic-ray finds the places and
writes the changed code; planting it and running what should notice is left to bookproof.mutate,
which does the same for defects that people wrote.
"""

import argparse
import itertools
import json
import random
import sys
from pathlib import Path

import parso.python.tree  # noqa: F401  (cosmic-ray 8.7 imports parso's modules in an order that fails)
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator

# Of cosmic-ray's 213 operators those whose mutants a test has to look for. Left out are exchanges
# that fail wherever the line runs, as of * with >>, and several of one place that differ in nothing
# a test could tell, as of == with each of five others.
OPERATORS = [
    *(
        f"core/ReplaceBinaryOperator_{pair}"
        for pair in "Add_Sub Sub_Add Mul_Div Div_Mul Pow_Mul FloorDiv_Div BitAnd_BitOr".split()
    ),
    *(
        f"core/ReplaceComparisonOperator_{pair}"
        for pair in "Lt_LtE LtE_Lt Gt_GtE GtE_Gt Eq_NotEq NotEq_Eq Is_IsNot IsNot_Is".split()
    ),
    "core/ReplaceUnaryOperator_Delete_USub",
    "core/ReplaceUnaryOperator_Delete_Not",
    "core/ReplaceUnaryOperator_Delete_Invert",
    "core/AddNot",
    "core/ReplaceTrueWithFalse",
    "core/ReplaceFalseWithTrue",
    "core/ReplaceAndWithOr",
    "core/ReplaceOrWithAnd",
    "core/ReplaceBreakWithContinue",
    "core/ReplaceContinueWithBreak",
    "core/NumberReplacer",
    "core/RemoveDecorator",
    "core/ZeroIterationForLoop",
]

# What makes a slip elsewhere raise: without it the results are the same until somebody slips.
GUARD, UNGUARDED = "strict=True", "strict=False"


def count_places(path):
    """Return {operator: number of places in a file where it applies}."""
    nodes = list(ast_nodes(get_ast(path.read_text(encoding="utf-8"))))
    counts = {}
    for name in OPERATORS:
        operator = get_operator(name)()
        counts[name] = sum(len(list(operator.mutation_positions(node))) for node in nodes)
    return counts


def describe_change(code, changed):
    """Return the first line that differs, counted from 1, with the lines before and after."""
    before, after = code.splitlines(), changed.splitlines()
    head = count_common(before, after)
    tail = count_common(before[:head:-1], after[:head:-1])
    was = "\n".join(before[head : len(before) - tail])
    becomes = "\n".join(after[head : len(after) - tail])
    return {"line": head + 1, "was": was, "becomes": becomes}


def count_common(lines, others):
    """Return how many lines are the same from the first on."""
    pairs = zip(lines, others, strict=False)
    return len(list(itertools.takewhile(lambda pair: pair[0] == pair[1], pairs)))


def list_mutations(path, share, seed):
    """Yield a random share of all mutations of a file."""
    code = path.read_text(encoding="utf-8")
    for name, count in count_places(path).items():
        for place in range(count):
            key = f"{seed} {path.as_posix()} {name} {place}"
            if random.Random(key).random() >= share:
                continue
            changed = mutate_code(code, get_operator(name)(), place)
            if changed is None or changed == code:
                continue
            change = describe_change(code, changed)
            if change["becomes"] != change["was"].replace(GUARD, UNGUARDED):
                what = name.removeprefix("core/")
                yield {"file": path.as_posix(), "what": what, **change}


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--sample", type=float, default=1.0, help="the share that is listed")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    for path in options.files:
        for mutation in list_mutations(path, options.sample, options.seed):
            print(json.dumps(mutation, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
