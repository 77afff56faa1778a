"""What matplotlib's SVG lacks: marks that speak, ids that do not clash, a name, and colours that a page can set."""

from xml.etree import ElementTree as ET

from sweep.report.figures.figure import Figure
from sweep.report.figures.style import FONTS, THEMED, WIDTH_IN
from sweep.report.words import with_stamp

MARK = "mark-"  # begins the gid of a mark; the row of the frame follows
SVG = "{http://www.w3.org/2000/svg}"
HREF = "{http://www.w3.org/1999/xlink}href"
DROPPED = {f"{SVG}metadata", f"{SVG}style"}  # matplotlib's one style rule would leak into a page
FAMILIES = ", ".join(f"'{name}'" for name in FONTS)  # of the same width, for readers who lack the first
WIDTH_PX = 96 * WIDTH_IN  # of CSS

ET.register_namespace("", SVG[1:-1])  # plain names, as an HTML page needs them
ET.register_namespace("xlink", HREF[1 : HREF.index("}")])


def finish_svg(text: str, figure: Figure, *, is_page: bool) -> str:
    """Return matplotlib's SVG with marks, names and own ids, from its root element on.

    On a page it is as wide as its place, up to its own width, and the page sets the colours.
    """
    root = ET.fromstring(text)  # noqa: S314 - our own output
    for element in root.iter():
        for child in [child for child in element if child.tag in DROPPED]:
            element.remove(child)
        _own_ids(element, figure.name)
    _finish_marks(root, figure)
    _finish_root(root, figure)
    if is_page:
        del root.attrib["width"], root.attrib["height"]
        root.attrib["style"] = f"width: 100%; max-width: {WIDTH_PX:g}px; height: auto; {root.attrib['style']}"
    written = ET.tostring(root, encoding="unicode").replace(f"'{FONTS[0]}'", FAMILIES)
    for name, colour in THEMED.items() if is_page else ():
        written = written.replace(colour, f"var(--{name}, {colour})")
    return written


def _own_ids(element: ET.Element, prefix: str) -> None:
    """Begin ids and what refers to them with the figure's name."""
    for name, value in element.attrib.items():
        if name == "id":
            element.attrib[name] = f"{prefix}-{value}"
        elif name == HREF and value.startswith("#"):
            element.attrib[name] = f"#{prefix}-{value[1:]}"
        elif "url(#" in value:
            element.attrib[name] = value.replace("url(#", f"url(#{prefix}-")


def _finish_marks(root: ET.Element, figure: Figure) -> None:
    texts = figure.frame["text"]
    for group in root.iter(f"{SVG}g"):
        row = group.get("id", "").removeprefix(f"{figure.name}-")
        if row.startswith(MARK):
            text = str(texts.loc[int(row.removeprefix(MARK))])
            group.attrib |= {"class": "mark", "tabindex": "0", "role": "img", "aria-label": text}
            group.set("style", "pointer-events: all")  # also where it is hollow or transparent
            _insert_text(group, 0, "title", text)


def _finish_root(root: ET.Element, figure: Figure) -> None:
    _insert_text(root, 0, "title", with_stamp(figure.title, figure.stamp), id=f"{figure.name}-title")
    _insert_text(root, 1, "desc", figure.caption, id=f"{figure.name}-desc")
    root.attrib |= {
        "role": "group",  # an img would hide its marks from screen readers
        "aria-labelledby": f"{figure.name}-title",
        "aria-describedby": f"{figure.name}-desc",
        "style": "stroke-linejoin: round; stroke-linecap: butt; pointer-events: none",
    }


def _insert_text(parent: ET.Element, place: int, tag: str, text: str, **attributes: str) -> None:
    element = ET.Element(f"{SVG}{tag}", attributes)
    element.text = text
    parent.insert(place, element)
