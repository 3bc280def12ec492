"""Plant one defect at a time into a copy of the book, and run what should notice it.

    python -m bookproof.mutate tests/mutants [--kind library] [--sample 0.1] [--seed 0]
                               [--generator ".venv-mutants/bin/python tools/mutations.py"]

The lists in the folder say which defects there are and which tests should notice them (see
bookproof.mutants). A generator adds those of a tool: a command that prints a mutant a line for the
files it is given. Everything is planted in temporary checkouts; the working tree is left alone.

A defect is caught if a test fails, cannot be imported, or does not end; what failed first must pass
without any defect. Fails if a defect that people wrote down is missed, or if of the tool's less
than the share `--least` is caught.
"""

import argparse
import contextlib
import importlib
import importlib.util
import json
import multiprocessing
import multiprocessing.connection
import os
import random
import resource
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tqdm import tqdm

from .falsify import is_chosen
from .machine import count_cores
from .mutants import ListError, Mutant, MutantList, plant, read_list
from .notebooks import HANG
from .tables import Table

# Only what never ends takes so many seconds of the processor, however busy the machine is; what
# waits for ever takes none.
MOST_PROCESSOR_SECONDS = 600
# What the tests of a copy import from there.
ROOTS = ("lib", "chapters", ".")
PASSED, NONE_RAN = 0, 5  # what pytest exits with
CANNOT = " cannot be imported"
LOG = ".pytest-says"


@dataclass(frozen=True)
class Result:
    """What became of a mutant: "caught", with the first test that failed, "missed", or
    "equivalent", with the reason.
    """

    mutant: Mutant
    outcome: str
    by: str = ""
    seconds: float = 0.0

    @property
    def is_by_hand(self) -> bool:
        return self.mutant.line is None


# Copies of the book


def list_files(project: Path) -> list[Path]:
    """Return the files of a checkout that git knows or would add, without those that are gone."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    run = subprocess.run(command, cwd=project, capture_output=True, text=True, check=True)
    files = [Path(name) for name in run.stdout.split("\0") if name]
    return [file for file in files if (project / file).is_file()]


def make_copy(project: Path, folder: Path) -> Path:
    """Copy a checkout into a folder, and return the folder."""
    for file in list_files(project):
        target = folder / file
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(project / file, target)
    return folder


@contextlib.contextmanager
def planted(copy: Path, mutant: Mutant) -> Iterator[None]:
    """Have a defect in a copy as long as the block runs."""
    path = copy / mutant.file
    before = path.read_text(encoding="utf-8")
    try:
        path.write_text(plant(before, mutant), encoding="utf-8", newline="\n")
        forget_compiled(path)
        yield
    finally:
        path.write_text(before, encoding="utf-8", newline="\n")
        forget_compiled(path)


def forget_compiled(path: Path) -> None:
    """Remove what Python has compiled of a file: it would not see a change of the same length
    within the same second.
    """
    if path.suffix == ".py":
        Path(importlib.util.cache_from_source(str(path))).unlink(missing_ok=True)


# One run of tests, in a process of its own that has the large packages already


class FirstFailure:
    """A plugin of pytest that remembers what failed first."""

    def __init__(self):
        self.name = ""

    def pytest_collectreport(self, report):
        if report.failed:
            self.name = self.name or f"{report.nodeid}{CANNOT}"

    def pytest_runtest_logreport(self, report):
        if report.failed:
            self.name = self.name or report.nodeid


def run_tests(copy: Path, tests: Sequence[str], options: Sequence[str], answer) -> None:
    """Run tests of a copy in this process, which was made for it, and send what pytest exits with
    and the first failure.
    """
    os.setsid()  # so that all that it starts can be stopped together
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_PROCESSOR_SECONDS, MOST_PROCESSOR_SECONDS))
    os.chdir(copy)
    with open(copy / LOG, "w") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    roots = [str(copy / root) for root in ROOTS]
    sys.path[:0] = roots
    os.environ["PYTHONPATH"] = os.pathsep.join(roots)
    sys.dont_write_bytecode = False  # the next run in this copy need not compile it all again
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    forget_packages(copy)
    import pytest

    first = FirstFailure()
    code = pytest.main(["-x", "-q", "--rootdir", str(copy), *options, *tests], plugins=[first])
    answer.send((int(code), first.name))


def forget_packages(copy: Path) -> None:
    """Let the packages that lie in a copy be imported anew, from there."""
    own = set()
    for root in ROOTS:
        if (copy / root).is_dir():
            own |= {path.name for path in (copy / root).iterdir() if path.is_dir()}
    for name in list(sys.modules):
        if name.partition(".")[0] in own:
            del sys.modules[name]


@dataclass
class Run:
    """A run that is under way."""

    copy: Path
    mutant: Mutant | None
    tests: tuple[str, ...]
    process: multiprocessing.Process
    answer: multiprocessing.connection.Connection
    began: float
    stack: contextlib.ExitStack

    def finish(self) -> tuple[int | None, str, float]:
        """Return what pytest exited with, None if it did not, the first failure, and seconds."""
        took = time.monotonic() - self.began
        code, name = None, ""
        if self.answer.poll():
            with contextlib.suppress(EOFError):
                code, name = self.answer.recv()
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.join()
        self.stack.close()
        return code, name, took


class Runner:
    """Runs tests of mutants, several at a time, each in its own copy of the book."""

    def __init__(self, copies: Sequence[Path]):
        self.free = list(copies)
        self.running: list[Run] = []
        self.context = multiprocessing.get_context("fork")

    def start(self, mutant: Mutant | None, tests: tuple[str, ...], options: Sequence[str]) -> None:
        copy = self.free.pop()
        stack = contextlib.ExitStack()
        if mutant is not None:
            stack.enter_context(planted(copy, mutant))
        here, there = self.context.Pipe(duplex=False)
        arguments = (copy, tests, options, there)
        process = self.context.Process(target=run_tests, args=arguments)
        process.start()
        there.close()
        run = Run(copy, mutant, tests, process, here, time.monotonic(), stack)
        self.running.append(run)

    def wait(self) -> Iterator[Run]:
        """Yield the runs that have ended, or should have; at least one."""
        ended = []
        while not ended:
            ready = {run.process.sentinel for run in self.running}
            ready |= {run.answer for run in self.running}
            ready = set(multiprocessing.connection.wait(list(ready), timeout=1.0))
            now = time.monotonic()
            for run in self.running:
                is_over = now - run.began > HANG
                if is_over or run.process.sentinel in ready or run.answer in ready:
                    ended.append(run)
        for run in ended:
            self.running.remove(run)
            yield run
            self.free.append(run.copy)

    def run_all(self, tasks: Iterable[tuple]) -> Iterator[tuple[Run, tuple]]:
        """Run all tasks, (mutant or None, tests, options), and yield each with how it ended."""
        tasks = list(tasks)[::-1]
        try:
            while tasks or self.running:
                while tasks and self.free:
                    self.start(*tasks.pop())
                for run in self.wait():
                    yield run, run.finish()
        finally:
            for run in self.running:
                run.finish()


def try_mutants(runner: Runner, chosen: MutantList, mutants: Sequence[Mutant]) -> Iterator[Result]:
    """Yield what became of each mutant of one kind; raises ListError at the end, if what noticed
    one fails without it.
    """
    wanted = []
    for mutant in mutants:
        reason = chosen.explain(mutant)
        if reason:
            yield Result(mutant, "equivalent", reason)
        else:
            wanted.append(mutant)
    tasks = [(mutant, mutant.tests, chosen.options) for mutant in wanted]
    ended = runner.run_all(tasks)
    noticed = {}
    for run, (code, name, took) in tqdm(ended, total=len(tasks), desc=chosen.kind, unit="mutant"):
        result = judge(run.mutant, code, name)
        if result.outcome == "caught":
            noticed |= dict.fromkeys([name.partition(CANNOT)[0]] if name else run.tests)
        yield replace(result, seconds=round(took, 1))
    if noticed:
        see_that_they_pass(runner, tuple(noticed), chosen.options)


def see_that_they_pass(runner: Runner, tests: tuple[str, ...], options: Sequence[str]) -> None:
    """Run tests in a copy without a defect; raises ListError if they do not pass."""
    [(run, (code, name, _))] = runner.run_all([(None, tests, options)])
    if code != PASSED:
        said = (run.copy / LOG).read_text(errors="replace")
        raise ListError(
            "what notices a defect must pass without any, and does not:"
            f" {name or f'pytest exits with {code}'}\n{said[-3000:]}"
        )


def judge(mutant: Mutant, code: int | None, name: str) -> Result:
    """Return the result of a run that ended with a code of pytest, or with none.

    Misuse is what pytest says of a conftest.py that cannot be imported, because of the defect, and
    of tests that are not there: what notices a defect has to pass without it.
    """
    if code == PASSED:
        return Result(mutant, "missed")
    if code == NONE_RAN:
        raise ListError(f"{mutant}: no test ran: {' '.join(mutant.tests)}")
    if code is None:
        name = "the end of the process, or none"
    return Result(mutant, "caught", name or f"pytest, which exits with {code}")


def preload(names: Iterable[str]) -> None:
    """Import what the tests of all mutants need, except the packages under test."""
    for name in names:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)


# What a tool adds


def generate(
    command: Sequence[str], chosen: MutantList, files: Sequence[str], sample: float, seed: int
) -> list[Mutant]:
    """Return the mutants that a tool makes of some files, or a random sample of them."""
    options = ["--sample", str(sample), "--seed", str(seed)]
    run = subprocess.run(
        [*command, *options, *files], stdout=subprocess.PIPE, text=True, check=True
    )
    records = [json.loads(line) for line in run.stdout.splitlines()]
    return [chosen.make_mutant({"defect": record["what"], **record}) for record in records]


def list_generated_files(chosen: MutantList) -> list[str]:
    """Return the files of Python that have tests by name or by folder, which a tool may change."""
    found = []
    for place in chosen.tests:
        paths = Path(place).rglob("*.py") if place.endswith("/") else [Path(place)]
        found += [path.as_posix() for path in paths if path.suffix == ".py"]
    return sorted(set(found))


# The report


def count_by_module(results: Iterable[Result]) -> Table:
    """Return how many mutants of each kind and file were caught, missed and equivalent."""
    counts: dict[tuple, Counter] = {}
    for result in results:
        author = "people" if result.is_by_hand else "a tool"
        row = result.mutant.kind, author, result.mutant.file
        counts.setdefault(row, Counter())[result.outcome] += 1
    rows = []
    for row in sorted(counts):
        rows.append([*row, *write_counts(counts[row])])
    for author in ("people", "a tool"):
        total = sum((counts[row] for row in counts if row[1] == author), Counter())
        if total:
            rows.append(["all", author, "", *write_counts(total)])
    head = ["kind", "by", "file", "planted", "caught", "missed", "equivalent", "share"]
    return Table("Mutants", head, rows)


def write_counts(count: Counter) -> list[str]:
    numbers = [count[outcome] for outcome in ("caught", "missed", "equivalent")]
    return [str(sum(numbers)), *map(str, numbers), f"{100 * share_caught(count):.1f} %"]


def share_caught(count: Counter) -> float:
    """Return the share that was caught of those that change something."""
    judged = count["caught"] + count["missed"]
    return count["caught"] / judged if judged else 1.0


def report(results: Sequence[Result], failed: Sequence[str], least: float) -> int:
    """Print what was missed and all counts; return 0 if nothing was missed that people wrote down,
    the tool's share is at least `least`, and no command failed.
    """
    for result in results:
        if result.outcome == "missed":
            print(f"\nmissed: {result.mutant}")
            print(f"  was:     {_indent(result.mutant.was)}")
            print(f"  becomes: {_indent(result.mutant.becomes)}")
            print(f"  should be noticed by: pytest {' '.join(result.mutant.tests)}")
            print(f"  to see it alone: {describe_way_to_reproduce(result.mutant)}")
    if results:
        print(f"\n{count_by_module(results)}")
    by_hand = Counter(result.outcome for result in results if result.is_by_hand)
    by_tool = Counter(result.outcome for result in results if not result.is_by_hand)
    for name in failed:
        print(f"missed: {name}")
    is_enough = share_caught(by_tool) >= least
    if not is_enough:
        print(f"Of the tool's mutants at least {100 * least:g} % must be caught.")
    return 0 if is_enough and not by_hand["missed"] and not failed else 1


def describe_way_to_reproduce(mutant: Mutant) -> str:
    """Return the command that plants the mutants of one file again."""
    return f"python -m bookproof.mutate tests/mutants --kind {mutant.kind} --file {mutant.file}"


def _indent(text):
    return text.strip().replace("\n", "\n           ")


def tell(result: Result, path: Path | None) -> None:
    """Print what became of a mutant, and append a line of JSON to a file if there is one."""
    print(f"{result.outcome}: {result.mutant}: {result.by}", flush=True)
    if path is not None:
        record = {**vars(result.mutant), **vars(result)}
        del record["mutant"]
        with open(path, "a", encoding="utf-8") as file:
            file.write(json.dumps(record, ensure_ascii=False) + "\n")


# The command


def read_lists(folder: Path, kind: str | None) -> list[MutantList]:
    """Return the lists in a folder, or the one of a kind."""
    lists = [read_list(path) for path in sorted(folder.glob("*.toml"))]
    kinds = [one.kind for one in lists]
    if kind is not None and kind not in kinds:
        raise ListError(f"kind must be one of {', '.join(kinds)}, got {kind!r}")
    return [one for one in lists if kind in (None, one.kind)]


def run_command(command: Sequence[str], sample: float, seed: int) -> bool:
    """Run what plants defects by itself; say whether it noticed all."""
    arguments = [part.format(sample=sample, seed=seed) for part in command]
    print(f"\nRunning python {shlex.join(arguments)}", flush=True)
    return subprocess.run([sys.executable, *arguments]).returncode == 0


def is_in_shard(key: str, shard: str) -> bool:
    """Say whether a mutant belongs to a shard, such as 2/8, the second of eight."""
    number, count = map(int, shard.split("/"))
    return zlib.crc32(key.encode()) % count == number - 1


def run_lists(lists: Sequence[MutantList], options, seed: int) -> tuple[list[Result], list[str]]:
    """Return what became of all mutants that are chosen, and the commands that failed."""
    results, failed = [], []
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        copies = [make_copy(Path.cwd(), Path(folder) / f"copy{n}") for n in range(options.jobs)]
        for one in lists:
            preload(one.preload)
            mutants = [m for m in one.mutants if is_chosen(f"{seed} {m.key}", options.sample)]
            files = list_generated_files(one)
            if options.file:
                mutants = [mutant for mutant in mutants if mutant.file in options.file]
                files = [file for file in files if file in options.file]
            if options.generator and files:
                command = shlex.split(options.generator)
                share = options.sample if options.share is None else options.share
                mutants += generate(command, one, files, share, seed)
            mutants = [mutant for mutant in mutants if is_in_shard(mutant.key, options.shard)]
            for result in try_mutants(Runner(copies), one, mutants):
                tell(result, options.write)
                results.append(result)
    for command in [command for one in lists for command in one.commands]:
        if not options.file and not run_command(command.command, options.sample, seed):
            failed.append(f"one of those that this command plants: {shlex.join(command.command)}")
    return results, failed


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m bookproof.mutate",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("lists", type=Path, help="the folder of the lists")
    parser.add_argument("--kind", help="only the list of this name")
    parser.add_argument("--file", action="append", help="only mutants of this file")
    parser.add_argument("--sample", type=float, default=1.0, help="the share that is planted")
    parser.add_argument("--seed", type=int, help="of the sample; drawn and printed if not given")
    parser.add_argument("--generator", help="the command that makes mutants of files")
    parser.add_argument("--share", type=float, help="of the generator's mutants, if another one")
    parser.add_argument("--shard", default="1/1", help="only a part, as 2/8, the second of eight")
    parser.add_argument("--least", type=float, default=0.9, help="of the generator's, caught")
    parser.add_argument("--jobs", type=int, default=count_cores(), help="mutants at a time")
    parser.add_argument("--write", type=Path, help="a file that gets a line of JSON for each")
    options = parser.parse_args(arguments)
    seed = random.SystemRandom().randrange(10**6) if options.seed is None else options.seed
    if options.sample < 1 or options.generator:
        print(f"The sample has the seed {seed}: --seed {seed} draws it again.", flush=True)
    try:
        lists = read_lists(options.lists, options.kind)
        results, failed = run_lists(lists, options, seed)
    except ListError as error:
        print(error, file=sys.stderr)
        return 1
    return report(results, failed, options.least)


if __name__ == "__main__":
    sys.exit(main())
