"""From a figure's data to SVG and PNG. The same figure gives the same bytes. Needs matplotlib."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from io import BytesIO
from textwrap import wrap

from matplotlib import style
from matplotlib.figure import Figure as Canvas

from sweep.report.figures.figure import Figure, FigureKind
from sweep.report.figures.grids import paint_confusion, paint_heatmap
from sweep.report.figures.lines import paint_curves, paint_roc
from sweep.report.figures.painting import measure_legend, measure_rows
from sweep.report.figures.points import paint_best, paint_cost, paint_differences, paint_sensitivity
from sweep.report.figures.style import DPI, INK, LOOKS, MUTED, SETTINGS, WARNING, WIDTH_IN
from sweep.report.figures.svg import finish_svg

LOWEST_IN = 2.4
LARGE_CLASSES = 4  # whose cells hold two lines of text with room to spare

TITLE_LINE_IN, TITLE_CHARACTERS = 0.22, 52  # of a line, and that fit on it
NOTE_LINE_IN, NOTE_CHARACTERS, NOTE_PT = 0.17, 80, 9


class Theme(StrEnum):
    """Where a drawing is shown."""

    FILE = "file"  # alone: own colours on white, with its title
    PAGE = "page"  # inside an HTML page that has colours, background and the title itself


def draw_svg(figure: Figure, theme: Theme = Theme.FILE) -> str:
    """Draw a figure as SVG text.

    Every mark is a group of class "mark" that says its numbers in words. Ids begin with the figure's name. For a page
    the root is what is inlined: no XML declaration, no background, as wide as its place, colours as CSS variables.
    """
    is_page, buffer = theme is Theme.PAGE, BytesIO()
    with _draw(figure, has_title=not is_page) as canvas:
        background = "none" if is_page else "auto"
        canvas.savefig(buffer, format="svg", facecolor=background, metadata={"Date": None, "Creator": None})
    root = finish_svg(buffer.getvalue().decode(), figure, is_page=is_page)
    return root if is_page else f'<?xml version="1.0" encoding="UTF-8"?>\n{root}\n'


def draw_png(figure: Figure) -> bytes:
    """Draw a figure as PNG, 200 dots an inch."""
    buffer = BytesIO()
    with _draw(figure, has_title=True) as canvas:
        canvas.savefig(buffer, format="png", dpi=DPI, metadata={"Software": None})
    return buffer.getvalue()


# -- which painter, and how many inches in height below the title ------------------------------------------------


def _measure_panels(figure: Figure, panel_in: float) -> float:
    return 0.9 + panel_in * figure.frame["panel"].nunique() + measure_legend(figure)


def _measure_confusion(figure: Figure) -> float:
    classes = figure.frame["row"].nunique()
    return max(LOWEST_IN, 0.9 + 0.9 * min(classes, LARGE_CLASSES) + 0.25 * max(0, classes - LARGE_CLASSES))


def _measure_roc(figure: Figure) -> float:
    curves = figure.frame["series"].nunique()
    return 4.8 + 0.2 * (curves if curves <= len(LOOKS) else 1)


PAINTERS: dict[FigureKind, tuple[Callable[[Canvas, Figure], None], Callable[[Figure], float]]] = {
    FigureKind.BEST: (paint_best, lambda figure: max(LOWEST_IN, 1.3 + measure_rows(figure, 0.22))),
    FigureKind.COST: (paint_cost, lambda figure: _measure_panels(figure, 2.1)),
    FigureKind.HEATMAP: (paint_heatmap, lambda figure: max(LOWEST_IN, 0.8 + 0.6 * figure.frame["row"].nunique())),
    FigureKind.CURVES: (paint_curves, lambda _: 3.6),
    FigureKind.SENSITIVITY: (paint_sensitivity, lambda figure: _measure_panels(figure, 1.8)),
    FigureKind.CONFUSION: (paint_confusion, _measure_confusion),
    FigureKind.ROC: (paint_roc, _measure_roc),
    FigureKind.DIFFERENCE: (
        paint_differences,
        lambda figure: max(LOWEST_IN, 0.9 + measure_rows(figure, 0.4) + measure_legend(figure)),
    ),
}


# -- canvas ------------------------------------------------------------------------------------------------------


@contextmanager
def _draw(figure: Figure, *, has_title: bool) -> Iterator[Canvas]:
    """Yield the drawn canvas while the settings hold: text and ticks are made only when it is saved."""
    paint, measure_height = PAINTERS[figure.kind]
    titles = [(line, WARNING) for line in wrap(figure.stamp, TITLE_CHARACTERS)]
    titles += [(line, INK) for line in wrap(figure.title, TITLE_CHARACTERS) if has_title]
    notes = wrap(figure.note, NOTE_CHARACTERS)
    title = TITLE_LINE_IN * len(titles) + (0.08 if titles else 0.0)
    head = title + NOTE_LINE_IN * len(notes) + (0.06 if notes else 0.0)
    height = measure_height(figure) + head
    with style.context(["default", SETTINGS]):  # whatever the user's own settings are
        canvas = Canvas(figsize=(WIDTH_IN, height), layout="constrained")
        layout = canvas.get_layout_engine()
        if layout is not None:
            layout.set(rect=(0, 0, 1, 1 - head / height), w_pad=0.05, h_pad=0.05)  # type: ignore[call-arg]
        x = 0.05 / WIDTH_IN
        for place, (text, colour) in enumerate(titles):
            y = 1 - (0.06 + TITLE_LINE_IN * place) / height
            canvas.text(x, y, text, color=colour, weight="bold", size=11.5, va="top")
        for place, text in enumerate(notes):
            y = 1 - (0.04 + title + NOTE_LINE_IN * place) / height
            canvas.text(x, y, text, color=MUTED, size=NOTE_PT, va="top")
        paint(canvas, figure)
        yield canvas
