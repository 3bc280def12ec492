"""By which words a work is cited: author and year, as the bibliography has them."""

import string
from collections import Counter
from collections.abc import Mapping

from pybtex.style.formatting.unsrt import Style as Unsorted
from pybtex.style.labels import BaseLabelStyle

MOST_AUTHORS = 2  # named in a label; of more only the first


class AuthorYearLabels(BaseLabelStyle):
    """Labels such as "Dinh et al. 2017"; works of one label have letters behind the year."""

    def format_labels(self, sorted_entries):
        labels = [name_work(entry) for entry in sorted_entries]
        times, seen = Counter(labels), Counter()
        for label in labels:
            letter = string.ascii_lowercase[seen[label]] if times[label] > 1 else ""
            seen[label] += 1
            yield label + letter


class AuthorYear(Unsorted):
    default_label_style = AuthorYearLabels
    default_sorting_style = "author_year_title"


def name_work(entry) -> str:
    """Return by which words a work is cited."""
    people = entry.persons.get("author") or entry.persons.get("editor") or []
    names = [
        " ".join(map(str, person.rich_prelast_names + person.rich_last_names)) for person in people
    ]
    year = entry.fields.get("year", "no year")
    if not names:
        return f"{entry.fields.get('title', entry.key)} {year}"
    if len(names) > MOST_AUTHORS:
        return f"{names[0]} et al. {year}"
    return f"{' and '.join(names)} {year}"


def name_works(entries: Mapping) -> dict[str, str]:
    """Return the labels of all works of a bibliography, {key: label}."""
    style = AuthorYear()
    ordered = style.sort(entries.values())
    labels = style.format_labels(ordered)
    return {entry.key: label for entry, label in zip(ordered, labels, strict=True)}
