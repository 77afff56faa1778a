"""What papers print, to stand beside what a sweep computes."""

from dataclasses import dataclass
from importlib.resources import files

import pandas as pd

from sweep.catalogue import Backbone

FULL_CONVOLUTION = "full convolution"
REMARKS = {"duong-trung-2019": ('"244" in the paper\'s tables is a misprint of 224.',)}


@dataclass(frozen=True, slots=True)
class Published:
    """A paper's tables, each with a `backbone` column as in a sweep's own frames.

    table3: backbone, million_mult_adds, million_parameters. table4: backbone, split, accuracy_mean_percent,
    accuracy_std_points.
    """

    name: str
    table3: pd.DataFrame
    table4: pd.DataFrame
    remarks: tuple[str, ...]


def load_published(name: str) -> Published:
    """Read the figures of a paper that `published:` may name."""
    return Published(name, _read_table(name, "table3"), _read_table(name, "table4"), REMARKS[name])


def _read_table(name: str, table: str) -> pd.DataFrame:
    with (files("sweep.report") / "published" / f"{name}-{table}.csv").open() as file:
        frame = pd.read_csv(file, dtype={"alpha": str})
    names = [_name_backbone(*row) for row in zip(frame.pop("alpha"), frame.pop("resolution"), strict=True)]
    frame.insert(0, "backbone", names)
    return frame


def _name_backbone(alpha: str, resolution: int) -> str:
    return alpha if alpha == FULL_CONVOLUTION else str(Backbone("mobilenet", float(alpha), resolution))
