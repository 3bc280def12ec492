"""What a page says of itself to whoever finds, shows or shares it.

Each page has a description of its own, its first sentences, and says as data (JSON-LD) what it is
and who made it. The site has a picture, made of one of its figures, and a page for addresses that
lead nowhere, which links to what lies beside it and needs nothing else.

What needs a whole address is made only where CITATION.cff has one (`url`): the picture for social
networks, the canonical address of each page, a map of the site, and a feed of the changes in
CHANGELOG.md. So nothing points to an address that nobody holds. A package for each of these is on
the index; each wants the address in the configuration, where this book has it in CITATION.cff.
"""

import html
import json
import re
import uuid
from pathlib import Path

from bs4 import BeautifulSoup, Tag
from PIL import Image
from sphinx.application import Sphinx
from sphinx.config import Config

from .citation import name_authors, read_citation

LONGEST = 200  # letters of a description, whole sentences
PICTURE, WIDTH, HEIGHT, EDGE = "social.png", 1200, 630, 40  # as social networks show it
NAMESPACE = uuid.UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")  # of addresses, by RFC 4122
HEADING = re.compile(r"^## (\S+) \((\d{4}-\d\d-\d\d)\)$", re.MULTILINE)

MISSING = """<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>Not found — {title}</title>
<style>
:root {{ color-scheme: light dark }}
body {{ font: 1.1rem/1.6 Georgia, serif; margin: 18vh auto; max-width: 32rem; padding: 0 1.5rem }}
</style>
</head>
<body>
<main>
<h1>There is no such page</h1>
<p>It may have moved to another chapter, or its address has a slip.
<a href="{home}">The first page of {title}</a> has the list of all chapters.</p>
</main>
</body>
</html>
"""
SITEMAP = """<?xml version="1.0" encoding="utf-8"?>
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
{entries}
</urlset>
"""
FEED = """<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom">
<title>Changes of {title}</title>
<id>{home}</id>
<link rel="self" href="{home}feed.xml"/>
<link href="{home}"/>
<updated>{updated}T00:00:00Z</updated>
<author><name>{author}</name></author>
{entries}
</feed>
"""
ENTRY = """<entry>
<title>Version {version}</title>
<id>urn:uuid:{identifier}</id>
<link href="{home}"/>
<updated>{date}T00:00:00Z</updated>
<content type="text">{text}</content>
</entry>"""


def read_book(app: Sphinx) -> dict:
    """Return what CITATION.cff says."""
    return read_citation(Path(app.srcdir) / app.config.bookproof_citation)


def get_home(citation: dict) -> str:
    """Return the site's address with a slash at its end, "" where nobody holds one."""
    address = citation.get("url", "")
    return f"{address.rstrip('/')}/" if address else ""


def use_address(app: Sphinx, config: Config) -> None:
    """Let Sphinx name the canonical address of each page."""
    home = get_home(read_citation(Path(app.srcdir) / config.bookproof_citation))
    if home:
        config.html_baseurl = home


def describe(body: str) -> str:
    """Return the first sentences that a page says, at most 200 letters, without formulas doubled.

    >>> describe('<h1>Area</h1><aside><p>No.</p></aside><p>How much <i>room</i>? Much.</p>')
    'How much room? Much.'
    """
    page = BeautifulSoup(body, "html.parser")
    for first in page.find_all("p"):
        if not is_prose(first):
            continue
        for unread in first.select(".katex-mathml, a.headerlink"):
            unread.decompose()
        text = " ".join(first.get_text().replace("\u200b", "").split())
        if text:
            return shorten(text)
    return ""


def is_prose(paragraph: Tag) -> bool:
    """Whether a paragraph is neither in a box, a margin or a figure, nor hidden."""
    within = paragraph.find_parents(["aside", "figure", "details", "table", "script"])
    boxes = paragraph.find_parents(class_=["admonition", "cell_output", "term-card"])
    return not within and not boxes


def shorten(text: str) -> str:
    """Return the whole sentences of a text that fit, or a first one that is cut."""
    kept = ""
    for sentence in re.split(r"(?<=[.?!]) (?=[A-ZΑ-Ω0-9*“])", text):
        longer = f"{kept} {sentence}".strip()
        if kept and len(longer) > LONGEST:
            break
        kept = longer
    if len(kept) <= LONGEST:
        return kept
    return kept[: LONGEST - 1].rpartition(" ")[0] + "…"


def make_data(citation: dict, title: str, description: str, address: str) -> dict:
    """Return what a page is, in the words of schema.org; title is "" for the book itself."""
    kinds = {True: "Person", False: "Organization"}
    authors = [
        {"@type": kinds["family-names" in author], "name": name}
        for author, name in zip(citation["authors"], name_authors(citation), strict=True)
    ]
    book = {
        "@type": "Book",
        "name": citation["title"],
        "author": authors,
        "version": str(citation["version"]),
    }
    common = {
        "author": authors,
        "datePublished": str(citation["date-released"]),
        "inLanguage": "en",
        "isAccessibleForFree": True,
        "about": [
            {"@type": "ScholarlyArticle", "name": work["title"]}
            for work in citation.get("references", [])
        ],
    }
    if title:
        data = {"@type": "ScholarlyArticle", "headline": title, "isPartOf": book} | common
    else:
        data = book | common
    if description:
        data["description"] = description
    if citation.get("doi"):
        data["sameAs"] = f"https://doi.org/{citation['doi']}"
    if address:
        data["url"] = address
    return {"@context": "https://schema.org"} | data


def name_meta(name: str, content: str, attribute: str = "property") -> str:
    return f'<meta {attribute}="{name}" content="{html.escape(content)}">'


def add_words(app: Sphinx, pagename, templatename, context: dict, doctree) -> None:
    """Write into the head of a page what it says of itself."""
    citation = read_book(app)
    if doctree is None or not citation:
        return
    is_first = pagename == app.config.root_doc
    title = "" if is_first else app.env.titles[pagename].astext()
    description = describe(context.get("body", "")) or citation.get("abstract", "")
    home = get_home(citation)
    address = home + app.builder.get_target_uri(pagename) if home else ""
    data = json.dumps(make_data(citation, title, description, address), ensure_ascii=False)
    lines = [
        name_meta("description", description, "name"),
        name_meta("og:type", "website" if is_first else "article"),
        name_meta("og:title", title or citation["title"]),
        name_meta("og:site_name", citation["title"]),
        name_meta("og:description", description),
        f'<script type="application/ld+json">{data.replace("<", chr(92) + "u003c")}</script>',
    ]
    if home:
        lines += [
            name_meta("og:url", address),
            name_meta("og:image", f"{home}_static/{PICTURE}"),
            name_meta("og:image:alt", citation["title"]),
            name_meta("twitter:card", "summary_large_image", "name"),
            f'<link rel="alternate" type="application/atom+xml" href="{home}feed.xml">',
        ]
    context["metatags"] = context.get("metatags", "") + "\n" + "\n".join(lines)


def find_picture(site: Path, label: str) -> Path | None:
    """Return the file of a figure as a light page shows it, None where no page has it."""
    for page in sorted(site.rglob("*.html")):
        text = page.read_text(encoding="utf-8")
        if f'id="{label}"' not in text:
            continue
        figure = BeautifulSoup(text, "html.parser").find("figure", id=label)
        image = figure and (figure.select_one("img.in-light") or figure.find("img"))
        if image:
            return (page.parent / image["src"]).resolve()
    return None


def draw_picture(figure: Path, path: Path) -> None:
    """Write a figure in the middle of a white picture of the size that social networks show."""
    with Image.open(figure) as source:
        drawn = source.convert("RGBA")
    room = WIDTH - 2 * EDGE, HEIGHT - 2 * EDGE
    scale = min(room[0] / drawn.width, room[1] / drawn.height)
    drawn = drawn.resize((round(scale * drawn.width), round(scale * drawn.height)), Image.LANCZOS)
    picture = Image.new("RGB", (WIDTH, HEIGHT), "white")
    picture.paste(drawn, ((WIDTH - drawn.width) // 2, (HEIGHT - drawn.height) // 2), drawn)
    picture.quantize(128).save(path, optimize=True)


def write_missing(title: str, language: str, home: str) -> str:
    """Return the page for addresses that lead nowhere. Without an address of the site it leads to
    the index.html that lies beside the missing page; the first page of a book is in each folder
    that has chapters, if it is itself one of them.
    """
    return MISSING.format(
        title=html.escape(title), language=language, home=html.escape(home or "index.html")
    )


def write_sitemap(home: str, pages: list[str]) -> str:
    entries = "\n".join(f"<url><loc>{html.escape(home + page)}</loc></url>" for page in pages)
    return SITEMAP.format(entries=entries)


def write_feed(changelog: str, citation: dict) -> str:
    """Return a feed with an entry for each version of a changelog that has a date."""
    home, parts = get_home(citation), HEADING.split(changelog)[1:]
    versions = list(zip(parts[::3], parts[1::3], parts[2::3], strict=True))
    entries = [
        ENTRY.format(
            version=html.escape(version),
            identifier=uuid.uuid5(NAMESPACE, f"{home}#{version}"),
            home=html.escape(home),
            date=date,
            text=html.escape(text.strip()),
        )
        for version, date, text in versions
    ]
    return FEED.format(
        title=html.escape(citation["title"]),
        home=html.escape(home),
        updated=max((date for _, date, _ in versions), default=citation["date-released"]),
        author=html.escape(", ".join(name_authors(citation))),
        entries="\n".join(entries),
    )


def write_files(app: Sphinx, exception: Exception | None) -> None:
    if exception or app.builder.format != "html":
        return
    site, citation = Path(app.outdir), read_book(app)
    if not citation:
        return
    home = get_home(citation)
    missing = write_missing(citation["title"], app.config.language, home)
    (site / "404.html").write_text(missing, encoding="utf-8")
    figure = app.config.bookproof_social_figure
    picture = find_picture(site, figure) if figure else None
    if picture is not None:
        draw_picture(picture, site / "_static" / PICTURE)
    if not home:
        return
    pages = [app.builder.get_target_uri(name) for name in sorted(app.env.found_docs)]
    (site / "sitemap.xml").write_text(write_sitemap(home, pages), encoding="utf-8")
    changelog = Path(app.srcdir) / "CHANGELOG.md"
    if changelog.exists():
        feed = write_feed(changelog.read_text(encoding="utf-8"), citation)
        (site / "feed.xml").write_text(feed, encoding="utf-8")


def setup(app: Sphinx) -> dict:
    # The figure of which the picture for social networks is made; "" for none.
    app.add_config_value("bookproof_social_figure", "", "html")
    app.setup_extension("bookproof.sphinx.citation")
    app.connect("config-inited", use_address, priority=200)
    app.connect("html-page-context", add_words, priority=800)
    app.connect("build-finished", write_files, priority=700)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
