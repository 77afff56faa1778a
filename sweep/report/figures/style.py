"""How all figures look: colours, markers, line styles and the settings of matplotlib."""

from itertools import cycle
from typing import Any, NamedTuple

# A page replaces these by its own colours, so each stands for one meaning and is used for nothing else.
THEMED = {"ink": "#1f2328", "muted": "#59636e", "grid": "#d1d9e0", "surface": "#ffffff", "warning": "#b34700"}
INK, MUTED, GRID, SURFACE, WARNING = THEMED.values()
# Okabe and Ito 2008, without the yellow that white swallows.
BLUE, ORANGE, GREEN, PINK, AMBER, SKY = "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"
THEMED |= {"blue": BLUE, "orange": ORANGE, "green": GREEN, "pink": PINK, "amber": AMBER, "sky": SKY}

# These stay: what is printed on a coloured cell must not follow the page.
DARK_ON_CELL = "#101418"
LIGHT_ON_CELL = "#fcfcfc"
HEAT_SHADES = "cividis"  # even steps to the eye, also to colour-blind ones and in grey

WIDTH_IN = 5.2  # a phone's 375 px then shrink 10 pt to no less than 9.5 px
DPI = 200
FONTS = ("DejaVu Sans", "Verdana", "Helvetica", "Arial")  # the first ships with matplotlib, the next is as wide


class Look(NamedTuple):
    """How a mark and the line of its series look; series differ in colour and in grey."""

    colour: str
    marker: str
    line: Any = "none"
    size: float = 6.5
    is_hollow: bool = False
    is_ringed: bool = False


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


SETTINGS: dict[str, Any] = {  # what differs from matplotlib's own
    "font.sans-serif": [FONTS[0]],
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.titlepad": 5,
    "axes.labelcolor": INK,
    "axes.edgecolor": MUTED,
    "axes.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "text.color": INK,
    "text.parse_math": False,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.minor.size": 0,
    "lines.linewidth": 1.6,
    "legend.frameon": False,
    "legend.handlelength": 2.2,
    "legend.columnspacing": 1.4,
    "figure.facecolor": SURFACE,
    "svg.fonttype": "none",
    "svg.hashsalt": "sweep",
    "path.simplify": False,
}
