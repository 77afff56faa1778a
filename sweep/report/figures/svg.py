"""What matplotlib's SVG lacks: marks that speak, ids that do not clash, a name, and colours that a page can set."""

import re
from xml.etree import ElementTree as ET

from sweep.report.figures.figure import Figure
from sweep.report.figures.style import FONTS, THEMED
from sweep.report.words import with_stamp

MARK = "mark-"  # begins the gid of a mark; the row of the frame follows
SVG_NAMESPACE = "http://www.w3.org/2000/svg"
XLINK_NAMESPACE = "http://www.w3.org/1999/xlink"
DROPPED = {"metadata", "style"}  # matplotlib's one style rule would leak into a page
CSS_PX_PER_IN = 96


def finish_svg(text: str, figure: Figure) -> str:
    """Return matplotlib's SVG with marks, names and own ids, from its root element on."""
    root = ET.fromstring(text)  # noqa: S314 - our own output
    for element in root.iter():
        _drop_namespaces(element)
        for child in [child for child in element if child.tag.rpartition("}")[2] in DROPPED]:
            element.remove(child)
        _own_ids(element, figure.name)
        _settle_font(element)
    _finish_marks(root, figure)
    _finish_root(root, figure)
    return ET.tostring(root, encoding="unicode")


def theme_svg(root: str, width_in: float) -> str:
    """Let a page set the colours and the width."""
    for name, colour in THEMED.items():
        root = root.replace(colour, f"var(--{name}, {colour})")
    width_px = width_in * CSS_PX_PER_IN
    root = re.sub(r'^(<svg[^>]*?) height="[^"]*"', r"\1", root, count=1)
    root = re.sub(r'^(<svg[^>]*?) width="[^"]*"', r"\1", root, count=1)
    return root.replace('style="', f'style="width: 100%; max-width: {width_px:g}px; height: auto; ', 1)


def _drop_namespaces(element: ET.Element) -> None:
    """Write plain names, as an HTML page needs them; the root declares what they mean."""
    element.tag = element.tag.rpartition("}")[2]
    for name in [name for name in element.attrib if name.startswith("{")]:
        prefix = "xlink:" if XLINK_NAMESPACE in name else "xml:"
        element.attrib[prefix + name.rpartition("}")[2]] = element.attrib.pop(name)


def _own_ids(element: ET.Element, prefix: str) -> None:
    """Begin ids and what refers to them with the figure's name."""
    for name, value in element.attrib.items():
        if name == "id":
            element.attrib[name] = f"{prefix}-{value}"
        elif name == "xlink:href" and value.startswith("#"):
            element.attrib[name] = f"#{prefix}-{value[1:]}"
        elif "url(#" in value:
            element.attrib[name] = value.replace("url(#", f"url(#{prefix}-")


def _settle_font(element: ET.Element) -> None:
    """Name fonts of the same width, for readers who lack the first."""
    if element.tag == "text" and "style" in element.attrib:
        families = ", ".join(f"'{name}'" if " " in name else name for name in FONTS)
        element.attrib["style"] = element.attrib["style"].replace(f"'{FONTS[0]}'", families)


def _finish_marks(root: ET.Element, figure: Figure) -> None:
    texts = figure.frame["text"]
    for group in root.iter("g"):
        row = group.get("id", "").removeprefix(f"{figure.name}-")
        if row.startswith(MARK):
            text = str(texts.loc[int(row.removeprefix(MARK))])
            group.attrib |= {"class": "mark", "tabindex": "0", "role": "img", "aria-label": text}
            group.set("style", "pointer-events: all")  # also where it is hollow or transparent
            title = ET.Element("title")
            title.text = text
            group.insert(0, title)


def _finish_root(root: ET.Element, figure: Figure) -> None:
    title_id, desc_id = f"{figure.name}-title", f"{figure.name}-desc"
    title, desc = ET.Element("title", id=title_id), ET.Element("desc", id=desc_id)
    title.text = with_stamp(figure.title, figure.stamp)
    desc.text = figure.caption
    root.insert(0, title)
    root.insert(1, desc)
    root.attrib |= {
        "xmlns": SVG_NAMESPACE,
        "xmlns:xlink": XLINK_NAMESPACE,
        "role": "group",  # an img would hide its marks from screen readers
        "aria-labelledby": title_id,
        "aria-describedby": desc_id,
        "style": "stroke-linejoin: round; stroke-linecap: butt; pointer-events: none",
    }
