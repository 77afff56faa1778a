"""A drawing holds every mark with its words, takes the colours of a page, and is the same every time."""

import re
import subprocess
import sys
from dataclasses import replace
from xml.etree import ElementTree as ET

import matplotlib as mpl
import numpy as np
import pytest
from figure_example import draw_data, judge, make_whole_study
from matplotlib.colors import to_rgb

from sweep.report.figures.drawing import Theme, draw_png, draw_svg
from sweep.report.figures.figure import FigureKind
from sweep.report.figures.grids import choose_ink
from sweep.report.figures.painting import format_tick
from sweep.report.figures.style import (
    DARK_ON_CELL,
    HEAT_SHADES,
    INK,
    LIGHT_ON_CELL,
    LOOKS,
    SURFACE,
    THEMED,
    choose_looks,
)

SVG = "{http://www.w3.org/2000/svg}"
XLINK = "{http://www.w3.org/1999/xlink}"
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def figures():
    study = make_whole_study(is_demo=True)
    by_kind = {figure.kind: figure for figure in reversed(draw_data(study, judge(study)).values())}
    assert set(by_kind) == set(FigureKind)
    return by_kind


@pytest.fixture(scope="module")
def inlined(figures):
    return {kind: draw_svg(figure, Theme.PAGE) for kind, figure in figures.items()}


@pytest.fixture(scope="module")
def heatmap(figures):
    return figures[FigureKind.HEATMAP]


def read_marks(svg):
    return [element for element in ET.fromstring(svg).iter(f"{SVG}g") if element.get("class") == "mark"]


@pytest.mark.parametrize("kind", FigureKind)
def test_every_mark_is_there_and_says_its_words(figures, inlined, kind):
    texts = [text for text in figures[kind].frame["text"] if text]
    marks = read_marks(inlined[kind])
    assert sorted(mark.get("aria-label") for mark in marks) == sorted(texts)
    assert all(mark.find(f"{SVG}title").text == mark.get("aria-label") for mark in marks)
    assert all((mark.get("tabindex"), mark.get("role")) == ("0", "img") for mark in marks)


@pytest.mark.parametrize("kind", FigureKind)
def test_ids_are_the_figures_own_and_every_reference_is_kept(figures, inlined, kind):
    root = ET.fromstring(inlined[kind])
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    links = {element.get(f"{XLINK}href", "#")[1:] for element in root.iter()} - {""}
    links |= set(re.findall(r"url\(#([^)]*)\)", inlined[kind]))
    assert len(set(ids)) == len(ids)
    assert all(each.startswith(f"{figures[kind].name}-") for each in ids)
    assert links <= set(ids)


@pytest.mark.parametrize("kind", FigureKind)
def test_a_page_sets_every_colour_of_ink_and_surface(inlined, kind):
    bare = re.sub(r"var\(--\w+, #[0-9a-f]{6}\)", "", inlined[kind])
    assert not [colour for colour in THEMED.values() if colour in bare]
    assert f"var(--ink, {INK})" in inlined[kind]


def test_an_inlined_drawing_fits_its_place_and_has_no_background(inlined):
    svg = inlined[FigureKind.HEATMAP]
    root = ET.fromstring(svg)
    assert svg.startswith("<svg ")
    assert (root.get("width"), root.get("height")) == (None, None)
    assert root.get("viewBox")
    assert "width: 100%; max-width: 499.2px" in root.get("style")
    assert root.find(f"{SVG}g/{SVG}g/{SVG}path").get("style") == "fill: none"


def test_a_file_stands_alone_on_white(heatmap):
    svg = draw_svg(heatmap)
    background = ET.fromstring(svg).find(f"{SVG}g/{SVG}g/{SVG}path")
    assert svg.startswith("<?xml")
    assert "var(" not in svg
    assert background.get("style") == f"fill: {SURFACE}"


def test_a_drawing_is_named_and_described(heatmap, inlined):
    root = ET.fromstring(inlined[FigureKind.HEATMAP])
    texts = {element.get("id"): element.text for element in root}
    assert texts[root.get("aria-labelledby")] == f"{heatmap.title} [DEMO IMAGES, RANDOM WEIGHTS]"
    assert texts[root.get("aria-describedby")] == heatmap.caption


@pytest.mark.parametrize("theme", Theme)
def test_the_stamp_is_printed_and_without_one_nothing_is(heatmap, theme):
    stamp = ">DEMO IMAGES, RANDOM WEIGHTS</text>"
    assert stamp in draw_svg(heatmap, theme)
    assert "DEMO" not in draw_svg(replace(heatmap, stamp=""), theme)


def test_a_file_prints_its_title_and_a_page_does_not(heatmap, inlined):
    assert f">{heatmap.title}</text>" in draw_svg(heatmap)
    assert f">{heatmap.title}</text>" not in inlined[FigureKind.HEATMAP]


def test_nothing_of_matplotlib_leaks_into_a_page(inlined):
    for svg in inlined.values():
        assert "<style" not in svg
        assert "<metadata" not in svg


def test_the_same_figure_gives_the_same_bytes(figures):
    figure = figures[FigureKind.COST]
    assert draw_svg(figure) == draw_svg(figure)
    assert draw_png(figure) == draw_png(figure)


def test_settings_of_the_user_neither_matter_nor_change(heatmap):
    plain = draw_svg(heatmap)
    with mpl.rc_context({"font.size": 30, "svg.fonttype": "path", "axes.facecolor": "red"}):
        assert draw_svg(heatmap) == plain
        assert mpl.rcParams["font.size"] == 30


def test_a_png_has_200_dots_an_inch_and_says_neither_when_nor_with_what(heatmap):
    png = draw_png(heatmap)
    assert png.startswith(PNG_SIGNATURE)
    assert int.from_bytes(png[16:20]) == 1040
    assert b"Software" not in png


def test_drawing_never_touches_pyplot():
    probe = "import sys, sweep.report.figures.drawing; sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", probe], check=False).returncode == 0


def test_names_with_markup_and_formulas_are_drawn_as_they_are(figures):
    figure = figures[FigureKind.CONFUSION]
    frame = figure.frame.replace({"NORMAL": "a<b>&$x$"})
    assert "a&lt;b&gt;&amp;$x$" in draw_svg(replace(figure, frame=frame))


@pytest.mark.parametrize(
    ("value", "printed"),
    [(185.37984, "185"), (417.1008, "417"), (0.045072, "0.0451"), (1234.5, "1,230"), (0.5, "0.5"), (100.0, "100")],
)
def test_a_tick_has_three_significant_digits_at_most(value, printed):
    assert format_tick(value) == printed


def test_an_alpha_looks_alike_in_every_report():
    whole, part = choose_looks(["alpha 1", "alpha 0.75", "alpha 0.5"]), choose_looks(["alpha 0.75", "alpha 0.6"])
    assert whole["alpha 0.75"] == part["alpha 0.75"]
    assert part["alpha 0.6"] != part["alpha 0.75"]


def test_looks_repeat_where_there_are_more_series_than_looks():
    looks = choose_looks([f"series {number}" for number in range(len(LOOKS) + 1)])
    assert looks["series 0"] == looks[f"series {len(LOOKS)}"] == LOOKS[0]


@pytest.mark.parametrize("theme", Theme)
def test_what_the_bars_are_stands_on_the_drawing_itself(figures, theme):
    assert ">Bars: 95 % bounds, for all models together. Bold: the model to take.</text>" in draw_svg(
        figures[FigureKind.BEST], theme
    )


def test_unbounded_bars_do_not_stretch_the_axis(figures):
    figure = figures[FigureKind.BEST]
    frame = figure.frame.assign(lower=-float("inf"), upper=float("inf"))
    assert len(read_marks(draw_svg(replace(figure, frame=frame)))) == len(frame)


def measure_luminance(colour):
    """WCAG 2.1, 0 to 1."""
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in to_rgb(colour)]
    return np.dot([0.2126, 0.7152, 0.0722], linear)


@pytest.mark.parametrize("share", [0.0, 0.25, 0.48, 0.5, 0.75, 1.0])
def test_text_on_a_cell_has_the_higher_contrast(share):
    lights = {ink: measure_luminance(ink) + 0.05 for ink in (DARK_ON_CELL, LIGHT_ON_CELL)}
    cell = measure_luminance(mpl.colormaps[HEAT_SHADES](share)) + 0.05
    assert choose_ink(share) == max(lights, key=lambda ink: max(lights[ink] / cell, cell / lights[ink]))


LONG = "mobilenet_v2-1-224, hidden layers 1024-1024-512, optimizer adam, sampling class_balanced"


def test_long_names_stand_whole_on_short_lines_and_take_the_height_they_need(figures):
    figure = figures[FigureKind.BEST]
    frame = figure.frame.assign(row=[f"{LONG}, features {place}" for place in range(len(figure.frame))])
    drawn = draw_svg(replace(figure, frame=frame))
    texts = ["".join(element.itertext()).replace("\xa0", " ") for element in ET.fromstring(drawn).iter(f"{SVG}text")]
    assert [text for text in texts if text in LONG and len(text) > 3] == [
        part for _ in frame.index for part in ("mobilenet_v2-1-224,", "hidden layers 1024-1024-512,", "optimizer adam,")
    ]
    heights = [int(draw_png(each)[20:24].hex(), 16) for each in (figure, replace(figure, frame=frame))]
    assert heights[1] > 1.5 * heights[0]


def test_a_legend_of_long_names_stays_within_the_width(figures):
    figure = figures[FigureKind.DIFFERENCE]
    frame = figure.frame.assign(series=[f"{LONG} {name}" for name in figure.frame["series"]])
    texts = ET.fromstring(draw_svg(replace(figure, frame=frame))).iter(f"{SVG}text")
    assert max(len("".join(text.itertext())) for text in texts) < 90
