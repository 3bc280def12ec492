"""Settings of every test process."""

import os

os.environ.setdefault("TQDM_DISABLE", "1")  # before tqdm is imported, which reads it once

from hypothesis import settings

# Hypothesis chooses the same examples in every run, and takes its time.
settings.register_profile("book", derandomize=True, deadline=None, database=None, max_examples=25)
settings.load_profile("book")
