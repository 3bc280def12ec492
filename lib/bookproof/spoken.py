"""A formula in one line, for those who hear it: from MathML, as KaTeX writes it."""

import xml.etree.ElementTree as ElementTree

# What is over or under something, in words.
ACCENTS = {
    "^": "hat",
    "~": "tilde",
    "ˉ": "bar",
    "‾": "bar",
    "˙": "dot",
    "→": "vector",
    "⃗": "vector",
}
UNHEARD = {"\u2061", "\u200b", ""}  # of function application, and of width zero


def write_in_line(mathml: str) -> str:
    r"""Return a formula in one line.

    >>> sum = "<mrow><mi>a</mi><mo>+</mo><mi>b</mi></mrow>"
    >>> write_in_line(f"<math><mfrac><mn>1</mn>{sum}</mfrac></math>")
    '1/(a + b)'
    >>> write_in_line("<math><msubsup><mi>x</mi><mi>i</mi><mn>2</mn></msubsup></math>")
    'x_i^2'
    """
    return " ".join(read(ElementTree.fromstring(mathml)).split())


def read(element: ElementTree.Element) -> str:
    """Return an element of MathML and what is in it."""
    name = element.tag.rpartition("}")[2]
    parts = list(element)
    if name in ("mi", "mn", "mtext"):
        return element.text or ""
    if name == "mo":
        return read_sign(element)
    if name == "msub" or name == "munder":
        return f"{group(parts[0])}_{group(parts[1])}"
    if name == "msup":
        return f"{group(parts[0])}^{group(parts[1])}"
    if name in ("msubsup", "munderover"):
        return f"{group(parts[0])}_{group(parts[1])}^{group(parts[2])}"
    if name == "mfrac":
        return f"{group(parts[0])}/{group(parts[1])}"
    if name == "msqrt":
        return f"√{group_all(parts)}"
    if name == "mover":
        sign = read(parts[1]).strip()
        return f"{group(parts[0])} {ACCENTS.get(sign, 'over ' + sign)}"
    if name == "mtable":
        return f" [{'; '.join(read(part) for part in parts)}] "
    if name == "mtr":
        return ", ".join(read(part) for part in parts)
    if name == "mspace":
        return " "
    return "".join(read(part) for part in parts)


def read_sign(element: ElementTree.Element) -> str:
    """Return a sign, with room around one that stands between two things."""
    sign = (element.text or "").strip()
    if sign in UNHEARD:
        return ""
    is_alone = element.get("stretchy") == "false" or element.get("fence") == "true"
    if is_alone or sign in "()[]{}|∥∣!′⊤⌊⌋⟨⟩":
        return sign
    if sign in ",;":
        return f"{sign} "
    return f" {sign} "


def group(element: ElementTree.Element) -> str:
    return enclose(read(element))


def group_all(elements: list[ElementTree.Element]) -> str:
    return enclose("".join(read(element) for element in elements))


def enclose(words: str) -> str:
    """Return some words in parentheses, where they are more than one thing."""
    words = words.strip()
    return words if len(words) < 2 or words.replace(".", "").isalnum() else f"({words})"
