"""What a header and a cell say in words, the same in every kind of document."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from sweep.networks.table import WeightsSource
from sweep.report.cells import Cell, Column, Header, Mark, MeanCell, Table
from sweep.report.statistics.best import Verdict

ANSWER, WARNINGS, DETAILS, PROVENANCE, METHODS = "Answer", "Warnings", "Details", "Provenance", "Methods"  # headings
SHORT_HASH = 12  # digits shown of a SHA-256
VERDICTS = {Verdict.MAY_BE_BEST: " ★", Verdict.WITHIN: " ≈", Verdict.WORSE: " ↓", Verdict.CANNOT_TELL: " ?"}
SYMBOLS = {Mark.DIFFERS: " ≠", Mark.BY_ARITHMETIC: " †"}


def describe_header(header: Header) -> Iterator[tuple[str, str]]:
    """Yield (what, text) of everything a report must say about itself."""
    yield "Data", _describe_data(header)
    yield "Weights", _describe_weights(header)
    yield "Preprocessing", header.preprocessing
    yield "Training", header.recipe
    yield "Code", "; ".join(header.code) or "not recorded"
    yield "Machine", "; ".join(header.machines) or "not recorded"
    yield "Completeness", _describe_completeness(header)
    yield "Selection", header.selection
    yield "Newest result", header.made_at or "none yet"


def _describe_data(header: Header) -> str:
    data = header.data
    kind = "drawn demo images, not real ones" if data.is_demo else "real images"
    counts = ", ".join(f"{name} {count:,}" for name, count in zip(data.classes, data.images_per_class, strict=True))
    left_out = f"; {data.left_out:,} undecodable files left out" if data.left_out else ""
    fingerprint = data.fingerprint[:SHORT_HASH]
    return f"{data.name}, {kind}: {data.images:,} ({counts}){left_out}; fingerprint {fingerprint}"


def _describe_weights(header: Header) -> str:
    hashes: dict[WeightsSource, list[str]] = {}
    for name, weights in header.weights.items():
        hashes.setdefault(weights.source, []).append(f"{name} {weights.sha256[:SHORT_HASH]}")
    titles = {WeightsSource.RANDOM: "random weights, any batch norm calibrated on the images"}
    return "; ".join(f"{titles.get(source, source.value)} ({', '.join(found)})" for source, found in hashes.items())


def _describe_completeness(header: Header) -> str:
    gaps = {"failed": header.failed, "missing": header.missing}
    parts = ", ".join(f"{count:,} {gap}" for gap, count in gaps.items() if count)
    return f"{header.succeeded:,} of {header.planned:,} trials" + (f" ({parts})" if parts else "")


def with_stamp(title: str, stamp: str) -> str:
    """Put behind a title what its numbers are not; no stamp, no brackets."""
    return f"{title} [{stamp}]" if stamp else title


def list_methods(tables: Iterable[Table]) -> list[str]:
    """List how the numbers of some tables were made, each method once."""
    return list(dict.fromkeys(method for table in tables for method in table.methods))


class Printed(NamedTuple):
    """A cell as it is printed: its value, and of a mean what stands behind it."""

    value: str
    std: str = ""
    bounds: str = ""  # interval and published figure
    signs: str = ""


def format_cell(cell: Cell, column: Column) -> str:
    """Print a value with its deviation and its marks, bold apart."""
    return "".join(print_cell(cell, column))


def print_cell(cell: Cell, column: Column) -> Printed:
    """Print a value and what stands behind it."""
    if cell.value is None:
        return Printed("cannot tell" if Mark.CANNOT_TELL in cell.marks else "-")
    decimals, signs = column.decimals, "".join(SYMBOLS.get(mark, "") for mark in cell.marks)
    if isinstance(cell.value, str):
        text = cell.value
    else:
        text = _print_as_is(cell.value) if decimals is None else print_number(cell.value, decimals)
    if not isinstance(cell, MeanCell):
        return Printed(text, signs=signs)
    decimals, bounds = decimals or 0, ""
    std = "" if cell.std is None else f" ± {print_number(cell.std, decimals + 1)}"
    if cell.interval is not None:
        bounds = f" [{', '.join(print_number(end, decimals) for end in (cell.interval.lower, cell.interval.upper))}]"
    if cell.published is not None:
        bounds += f" ({print_number(cell.published, decimals)})"
    return Printed(text, std, bounds, ("" if cell.verdict is None else VERDICTS[cell.verdict]) + signs)


def _print_as_is(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:,g}"


def print_number(value: float, decimals: int) -> str:
    """Print a number with its thousands apart, and zero without a sign."""
    text = f"{value:,.{decimals}f}"
    return text.removeprefix("-") if float(text.replace(",", "")) == 0 else text


def count_trials(cell: Cell, table: Table) -> str:
    """Say how many of the trials behind a cell are there, where the sweep is partial."""
    return f" ({cell.finished}/{cell.planned})" if table.is_partial and cell.planned else ""
