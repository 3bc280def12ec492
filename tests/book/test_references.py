"""Every source that a measure cites is in the bibliography."""

import sharpminima as sm
from tests.support import PROJECT


def test_the_bibliography_has_what_measures_cite():
    bibliography = (PROJECT / "references.bib").read_text(encoding="utf-8")
    cited = {measure.cite for measure in sm.MEASURES.values() if measure.cite is not None}
    assert len(cited) > 10
    assert not {key for key in cited if f"{{{key}," not in bibliography}
