"""The experiments whose results are stored, since they take longer than a page may: each module
defines one, runs it by `python -m experiments.<name>`, and is sampled by a test that runs a part of
it again.
"""

from pathlib import Path

RESULTS = Path(__file__).resolve().parent / "results"
