"""How all figures look: colours, markers, line styles and the settings of matplotlib."""

from itertools import cycle
from typing import Any, NamedTuple

# A page replaces these by its own colours, so each stands for one meaning and is used for nothing else.
INK = "#1f2328"
MUTED = "#59636e"
GRID = "#d1d9e0"
SURFACE = "#ffffff"
WARNING = "#b34700"
# Okabe and Ito 2008, without the yellow that white swallows.
BLUE, ORANGE, GREEN, PINK, AMBER, SKY = "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"
THEMED = {
    "ink": INK,
    "muted": MUTED,
    "grid": GRID,
    "surface": SURFACE,
    "warning": WARNING,
    "blue": BLUE,
    "orange": ORANGE,
    "green": GREEN,
    "pink": PINK,
    "amber": AMBER,
    "sky": SKY,
}

# These stay: what is printed on a coloured cell must not follow the page.
DARK_ON_CELL = "#101418"
LIGHT_ON_CELL = "#fcfcfc"
HEAT_SHADES = "cividis"  # even steps to the eye, also to colour-blind ones and in grey

WIDTH_IN = 5.2  # a phone's 375 px then shrink 10 pt to no less than 9.5 px
DPI = 200
FONTS = ("DejaVu Sans", "Verdana", "Helvetica", "Arial")  # the first ships with matplotlib, the next is as wide


class Look(NamedTuple):
    """What tells one series from another, in colour and in grey."""

    colour: str
    marker: str
    line: Any


# Neighbours differ in lightness, marker and line.
LOOKS = (
    Look(BLUE, "o", "-"),
    Look(ORANGE, "s", (0, (5, 2))),
    Look(GREEN, "^", (0, (1.2, 1.2))),
    Look(PINK, "D", (0, (5, 1.5, 1.2, 1.5))),
    Look(AMBER, "v", (0, (8, 2))),
    Look(SKY, "P", (0, (3, 1, 1, 1, 1, 1))),
)
KEPT = dict(zip(("alpha 1", "alpha 0.75", "alpha 0.5", "alpha 0.25"), LOOKS, strict=False))  # alike in every report


def choose_looks(names: list[str]) -> dict[str, Look]:
    """Give every series its look: the one kept for it, or the next free one; they repeat where none is free."""
    kept = {name: KEPT[name] for name in names if name in KEPT}
    free = cycle([look for look in LOOKS if look not in kept.values()] or LOOKS)
    return {name: kept.get(name) or next(free) for name in names}


SETTINGS: dict[str, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": [FONTS[0]],
    "font.size": 10,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.titleweight": "normal",
    "axes.titlecolor": INK,
    "axes.titlepad": 5,
    "axes.labelsize": 10,
    "axes.labelcolor": INK,
    "axes.edgecolor": MUTED,
    "axes.facecolor": "none",
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "text.color": INK,
    "text.parse_math": False,
    "axes.unicode_minus": True,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 10,
    "ytick.labelsize": 10,
    "xtick.minor.size": 0,
    "lines.linewidth": 1.6,
    "lines.markersize": 6,
    "legend.frameon": False,
    "legend.fontsize": 10,
    "legend.handlelength": 2.2,
    "legend.columnspacing": 1.4,
    "figure.facecolor": SURFACE,
    "figure.constrained_layout.use": False,
    "savefig.facecolor": "auto",
    "svg.fonttype": "none",
    "svg.hashsalt": "sweep",
    "path.simplify": False,
}
