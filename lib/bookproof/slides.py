"""Make slides of what the built site shows first: figures with their questions, and *In short*.

    python -m bookproof.slides _build

Which figures, and in which order, stands in slides.yml beside the chapters. Everything else is the
site's: the question that a caption asks is the slide's title, the caption answers it, and below
stands what the chapter says in short, or where it corrects its source. So numbers, formulas and
alt texts are those of the pages. The deck is one HTML file with its pictures and fonts in it; a
browser shows it slide by slide and prints one slide a page.
"""

import argparse
import base64
import html
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

import yaml
from bs4 import BeautifulSoup, Tag

from .sphinx.citation import name_authors, read_citation

SPECIFICATION = "slides.yml"
NOTES = {"in short": "In short", "correction": "Corrected"}
MANY = 620  # letters beside a figure that stand there in full size
KATEX = "_static/katex/katex.min.css"
# Fonts of KaTeX that are left out where no formula has the class.
RARE_FONTS = {
    "AMS": r"mathbb|amsrm",
    "Caligraphic": "mathcal",
    "Fraktur": "mathfrak",
    "SansSerif": r"mathsf|textsf",
    "Script": "mathscr",
    "Typewriter": r"mathtt|texttt",
    "BoldItalic": r"boldsymbol|mathbfit|textbfit",
}

DECK = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
{fonts}
{style}
</style>
</head>
<body>
<main>
{slides}
</main>
<script>
addEventListener("keydown", event => {{
  const by = {{ArrowRight: 1, ArrowDown: 1, PageDown: 1, " ": 1, ArrowLeft: -1, ArrowUp: -1,
    PageUp: -1}}[event.key]
  if (!by || event.target.closest("a")) return
  event.preventDefault()
  const slides = [...document.querySelectorAll("section")]
  const tops = slides.map(slide => Math.abs(slide.getBoundingClientRect().top))
  const next = slides[tops.indexOf(Math.min(...tops)) + by]
  next?.scrollIntoView()
}})
</script>
</body>
</html>
"""
# A slide is 64 by 36 rem, 1280 by 720 pixels in print.
STYLE = """
@page { size: 1280px 720px; margin: 0 }
html {
  background: #fff; color: #1a1a1a; font-size: min(calc(100vw / 64), calc(100vh / 36));
  scroll-snap-type: y mandatory; scrollbar-width: none;
  print-color-adjust: exact; -webkit-print-color-adjust: exact;
}
body { margin: 0; font: 1rem/1.45 FACE, Georgia, serif }
section {
  box-sizing: border-box; width: 64rem; height: 36rem; margin: 0 auto; padding: 2rem 3rem 1rem;
  display: grid; grid: auto minmax(0, 1fr) auto / minmax(0, 32.5rem) minmax(0, 1fr);
  column-gap: 2.2rem; scroll-snap-align: center; break-after: page; break-inside: avoid;
  min-height: min(36rem, 100vh); overflow: hidden;
}
section:last-child { break-after: auto }
header { grid-column: 1 / -1 }
header * { margin: 0 }
header p { color: #555; font-size: 0.85rem }
h1 + p { padding-bottom: 1.2rem }
h1, h2 { font-size: 1.75rem; font-weight: 600; line-height: 1.2; padding-bottom: 0.9rem }
h1 { font-size: 2.3rem; padding-bottom: 0.4rem }
a { color: #005f96; text-decoration: none }
figure { margin: 0; display: grid; grid-template-rows: minmax(0, 1fr) auto; min-height: 0 }
figure img { width: 100%; height: 100%; object-fit: contain; object-position: left center }
figcaption { font-size: 0.8rem; padding-top: 0.3rem }
.words { align-self: center; font-size: 0.95rem }
.words p { margin: 0 0 0.8rem }
.words.long { font-size: 0.82rem; line-height: 1.4 }
.note {
  background: #f2f2ef; border-top: 3px solid #005f96; font-size: 0.95em; padding: 0.7rem 1rem;
}
.note.correction { background: #faf5ea; border-color: #b06000 }
.note p { margin: 0 }
.note > strong { color: #005f96; display: block }
.note.correction > strong { color: #8a4b00 }
footer {
  grid-column: 1 / -1; display: flex; justify-content: space-between; color: #555;
  font-size: 0.75rem; padding-top: 0.6rem;
}
@media screen { section + section { border-top: 1px solid #d5d8da } }
@media print { html { font-size: 20px } }
"""


class NoSlides(Exception):
    """The deck cannot be made; the message says why."""


@dataclass(frozen=True)
class Slide:
    """One figure of a page with what stands around it; the texts are HTML.

    `picture` is the file of the figure as a light page shows it, `address` where the page shows
    it, below the site's home.
    """

    chapter: str
    address: str
    number: str
    question: str
    answer: str
    alt: str
    picture: Path
    note: str
    note_kind: str


class Pages:
    """The pages of a built site, each read when a figure of it is asked for."""

    def __init__(self, site: Path):
        self.texts = {
            path.relative_to(site).as_posix(): path.read_text(encoding="utf-8")
            for path in sorted(site.rglob("*.html"))
        }
        self.read: dict[str, BeautifulSoup] = {}

    def __getitem__(self, address: str) -> BeautifulSoup:
        if address not in self.read:
            self.read[address] = BeautifulSoup(self.texts[address], "html.parser")
        return self.read[address]

    def find_figure(self, label: str) -> tuple[str, Tag]:
        """Return the address of the page that has a figure, and the figure."""
        for address, text in self.texts.items():
            figure = self[address].find("figure", id=label) if f'id="{label}"' in text else None
            if figure is not None:
                return address, figure
        raise NoSlides(f"{SPECIFICATION} names the figure {label}, which no page has")


def split_caption(caption: Tag) -> tuple[str, str]:
    """Return the question that a caption asks first, and the answer, as HTML."""
    question, answer, asked = [], [], False
    for child in caption.children:
        if asked:
            answer.append(str(child))
        elif isinstance(child, Tag):
            question.append(str(child))
            asked = child.get_text().endswith("?")  # after a formula
        else:
            before, mark, after = str(child).partition("?")
            question.append(html.escape(before + mark))
            answer.append(html.escape(after))
            asked = bool(mark)
    if not asked:
        raise NoSlides(f"a caption asks no question first: {caption.get_text()[:60]}")
    return "".join(question).strip(), "".join(answer).strip()


def find_note(page: BeautifulSoup, kind: str) -> str:
    """Return what a page says in short, or its first margin note on the slides it corrects, best
    one that begins with them."""
    if kind == "in short":
        box = page.select_one(".in-short")
        paragraphs = box.find_all("p")[1:] if box else []
    else:
        notes = page.select("aside.margin")
        about = [note for note in notes if "slides" in note.get_text()]
        about.sort(key=lambda note: not note.get_text().strip().startswith("The slides"))
        paragraphs = about[0].find_all("p")[1:] if about else []
    if not paragraphs:
        raise NoSlides(f"the page {page.title.get_text()} has nothing to show for: {kind}")
    return " ".join(paragraph.decode_contents() for paragraph in paragraphs)


def make_slide(site: Path, pages: Pages, wish: dict) -> Slide:
    """Return the slide that an entry of slides.yml asks for."""
    kind = wish.get("note", "")
    if kind and kind not in NOTES:
        raise NoSlides(f"note must be one of {', '.join(NOTES)}, got {kind!r}")
    address, figure = pages.find_figure(wish["figure"])
    page = pages[address]
    image = figure.select_one("img.in-light") or figure.find("img")
    question, answer = split_caption(figure.select_one(".caption-text"))
    return Slide(
        chapter=page.title.get_text().rpartition(" — ")[0],
        address=f"{address}#{wish['figure']}",
        number=figure.select_one(".caption-number").get_text().strip(),
        question=question,
        answer=answer,
        alt=image["alt"],
        picture=(site / address).parent.joinpath(unquote(image["src"])).resolve(),
        note=find_note(page, kind) if kind else "",
        note_kind=kind,
    )


def write_slide(slide: Slide, number: int, count: int, deck: dict, home: str) -> str:
    """Return a slide as HTML. Its links lead below `home`, those of its texts too."""
    page = home + slide.address.partition("#")[0]
    head, title = f"<p>{html.escape(slide.chapter)}</p>", f"<h2>{slide.question}</h2>"
    if number == 1:
        head = f"<h1>{html.escape(deck['title'])}</h1><p>{html.escape(deck['lead'])}</p>"
    note = ""
    if slide.note:
        note = (
            f'<div class="note {slide.note_kind.replace(" ", "-")}">'
            f"<strong>{NOTES[slide.note_kind]}</strong><p>{slide.note}</p></div>"
        )
    words = settle_links(f"<p>{slide.answer}</p>{note}", page)
    picture = encode(slide.picture, "image/png")
    return (
        f"<section><header>{head}{title}</header>"
        f'<figure><img src="{picture}" alt="{html.escape(slide.alt)}">'
        f'<figcaption><a href="{home}{slide.address}">{slide.number}</a></figcaption></figure>'
        f'<div class="{"words long" if is_long(words) else "words"}">{words}</div>'
        f"<footer><span>{html.escape(deck['foot'])}</span>"
        f"<span>{number} / {count}</span></footer></section>"
    )


def is_long(text: str) -> bool:
    """Whether the words of a slide have to be set smaller; a formula counts as what is read."""
    part = BeautifulSoup(text, "html.parser")
    for twin in part.select(".katex-mathml"):
        twin.decompose()
    return len(part.get_text()) > MANY


def settle_links(text: str, page: str) -> str:
    """Return HTML of a page whose links also lead there from elsewhere; ids are left out, since a
    deck has pieces of many pages.
    """
    part = BeautifulSoup(text, "html.parser")
    folder = page.rpartition("/")[0]
    for link in part.find_all("a", href=True):
        target = link["href"]
        if target.startswith("#"):
            link["href"] = page + target
        elif not re.match(r"[a-z]+:", target):
            link["href"] = f"{folder}/{target}"
    for element in part.find_all(id=True):
        del element["id"]
    for element in part.find_all(attrs={"aria-describedby": True}):
        del element["aria-describedby"]
    return str(part)


def encode(path: Path, kind: str) -> str:
    data = base64.b64encode(path.read_bytes()).decode()
    return f"data:{kind};base64,{data}"


def gather_fonts(site: Path, text: str) -> Iterator[str]:
    """Yield the site's style for formulas, and the faces of its own fonts, all with the fonts in
    them.
    """
    katex = site / KATEX
    if katex.exists():
        unused = [name for name, used in RARE_FONTS.items() if not re.search(used, text)]
        yield carry_fonts(katex, katex.read_text(encoding="utf-8"), unused)
    for sheet in sorted((site / "_static").glob("*.css")):
        style = sheet.read_text(encoding="utf-8")
        faces = re.findall(r"@font-face\s*\{[^}]*\}", style)
        yield carry_fonts(sheet, "\n".join(faces), [])


def carry_fonts(sheet: Path, style: str, unused: list[str]) -> str:
    """Return a style with its woff2 files in it, and without the faces of fonts that are not there
    or not used.
    """

    def carry(face: re.Match) -> str:
        packed = re.search(r"url\((data:font/woff2[^)]*)\)", face[0])
        if packed is not None:
            return write_source(face[0], packed[1].strip("\"'"))
        found = re.search(r'url\(["\']?([^"\')]*?\.woff2)["\']?\)', face[0])
        if found is None or any(name in found[1] for name in unused):
            return ""
        path = sheet.parent / found[1]
        return write_source(face[0], encode(path, "font/woff2")) if path.exists() else ""

    return re.sub(r"@font-face\s*\{[^}]*\}", carry, style)


def write_source(face: str, data: str) -> str:
    """Return a face that has one source, a font in woff2."""
    without = re.sub(r"src:(?:url\([^)]*\)|[^;}])*;?", "", face)
    return without.replace("{", f'{{src:url({data}) format("woff2");', 1)


def find_face(fonts: str) -> str:
    """Return the name of the book's own font, that of the last face."""
    names = re.findall(r'font-family:\s*"?([^";}]+)', fonts)
    own = [name for name in names if not name.startswith("KaTeX")]
    return own[-1] if own else "Georgia"


def write_deck(site: Path, source: Path, home: str) -> str:
    """Return the deck that slides.yml in the folder of chapters below `source` asks for, made of
    the built site; `home` is what leads to the site's home.
    """
    [specification] = source.glob(f"*/{SPECIFICATION}")
    deck = yaml.safe_load(specification.read_text(encoding="utf-8"))
    citation = read_citation(source / "CITATION.cff")
    authors = ", ".join(name_authors(citation))
    deck["foot"] = f"{citation['title']} · version {citation['version']} · {authors}"
    pages = Pages(site)
    slides = [make_slide(site, pages, wish) for wish in deck["slides"]]
    texts = [
        write_slide(slide, number, len(slides), deck, home)
        for number, slide in enumerate(slides, start=1)
    ]
    body = "\n".join(texts)
    fonts = "\n".join(gather_fonts(site, body))
    style = STYLE.replace("FACE", f'"{find_face(fonts)}"')
    return DECK.format(title=html.escape(deck["title"]), fonts=fonts, style=style, slides=body)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("target", type=Path, help="the folder of what is built")
    parser.add_argument("--source", type=Path, default=Path("."), help="the folder of the book")
    options = parser.parse_args()
    site, path = options.target / "html", options.target / "slides" / "index.html"
    if not (site / "index.html").exists():
        print(f"There is no site in {site} yet: build the book first.", file=sys.stderr)
        return 1
    address = read_citation(options.source / "CITATION.cff").get("url", "")
    try:
        deck = write_deck(
            site, options.source, f"{address.rstrip('/')}/" if address else "../html/"
        )
    except NoSlides as why:
        print(f"There are no slides: {why}.", file=sys.stderr)
        return 1
    path.parent.mkdir(exist_ok=True)
    path.write_text(deck, encoding="utf-8")
    print(f"{deck.count('<section>')} slides, {len(deck.encode()) / 1e6:.2f} MB: {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
