"""The point that tests of measures share."""

import pytest

from sharpminima.points import Point


@pytest.fixture(scope="module")
def at(small):
    """Each of the small networks, at a smooth random point."""
    return Point(*small)
