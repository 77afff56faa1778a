"""What a header and a cell say in words, the same in every kind of document."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from sweep.catalogue import WeightsSource
from sweep.metrics import Metric, with_blank
from sweep.report.cells import Cell, Column, Header, Mark, MeanCell, Selection, Table

IN_SHORT, METHODS = "In short", "Methods"  # headings
SHORT_HASH = 12  # digits shown of a SHA-256
SYMBOLS = {Mark.DIFFERS: " ≠", Mark.BY_ARITHMETIC: " †", Mark.PARETO: " ‡"}
SELECTIONS = {
    Selection.VALIDATION: "learning rate and steps are chosen by the mean validation {metric} over the shuffles; a "
    "test image of one shuffle may be a validation image of another, so the choice has seen some test images",
    Selection.TEST: "learning rate and steps are the best on the test images, as papers often print; optimistic",
}


def describe_selection(header: Header) -> str:
    """Say what the learning rate and steps are chosen on."""
    return SELECTIONS[header.select].format(metric=header.metric)


def describe_header(header: Header) -> Iterator[tuple[str, str]]:
    """Yield (what, text) of everything a report must say about itself."""
    yield "Data", _describe_data(header)
    yield "Weights", _describe_weights(header)
    shared = list(_list_shared_weights(header))
    if shared:
        yield "Shared weights", f"one file stands in for several backbones: {'; '.join(shared)}"
    yield "Code", "; ".join(header.code) or "not recorded"
    yield "Machine", "; ".join(header.machines) or "not recorded"
    yield "Completeness", _describe_completeness(header)
    yield "Selection", describe_selection(header)
    yield "Newest result", header.made_at or "none yet"


def _describe_data(header: Header) -> str:
    data = header.data
    kind = "drawn demo images, not real ones" if data.is_demo else "real images"
    counts = ", ".join(f"{name} {count:,}" for name, count in zip(data.classes, data.images_per_class, strict=True))
    left_out = f"; {data.left_out:,} undecodable files left out" if data.left_out else ""
    fingerprint = data.fingerprint[:SHORT_HASH]
    return f"{data.name}, {kind}: {data.images:,} ({counts}){left_out}; fingerprint {fingerprint}"


def _describe_weights(header: Header) -> str:
    sources = dict.fromkeys(weights.source for weights in header.weights.values())
    return "; ".join(_describe_source(header, source) for source in sources)


def _describe_source(header: Header, source: WeightsSource) -> str:
    is_random = source is WeightsSource.RANDOM
    title = "random weights, any batch norm calibrated on the images" if is_random else source.value
    hashes = {name: each.sha256[:SHORT_HASH] for name, each in header.weights.items() if each.source is source}
    return f"{title} ({', '.join(f'{name} {digits}' for name, digits in hashes.items())})"


def _list_shared_weights(header: Header) -> Iterator[str]:
    """Yield the backbones of each weights file that more than one has: they compare resolutions of one network."""
    owners: dict[str, list[str]] = {}
    for backbone, weights in header.weights.items():
        if weights.source is not WeightsSource.RANDOM:
            owners.setdefault(weights.sha256, []).append(backbone)
    yield from (", ".join(backbones) for backbones in owners.values() if len(backbones) > 1)


def _describe_completeness(header: Header) -> str:
    gaps = {"failed": header.failed, "missing": header.missing}
    parts = ", ".join(f"{count:,} {gap}" for gap, count in gaps.items() if count)
    return f"{header.succeeded:,} of {header.planned:,} trials" + (f" ({parts})" if parts else "")


def stamp_title(table: Table) -> str:
    """Put beside a table's title what its numbers are not."""
    return with_stamp(table.title, table.stamp)


def name_sweep(header: Header) -> str:
    """Put beside a sweep's name what its numbers are not."""
    return with_stamp(header.sweep, header.stamp)


def with_stamp(title: str, stamp: str) -> str:
    """Put a stamp in brackets behind a title; no stamp, no brackets."""
    return f"{title} [{stamp}]" if stamp else title


def list_methods(tables: Iterable[Table]) -> list[str]:
    """List how the numbers of some tables were made, each method once."""
    return list(dict.fromkeys(method for table in tables for method in table.methods))


def list_findings(tables: Iterable[Table]) -> list[str]:
    """List what some tables show."""
    return list(dict.fromkeys(table.finding for table in tables if table.finding))


def list_notes(table: Table) -> list[str]:
    """List what a reader of a table must know: first what it shows."""
    return [text for text in (table.finding, *table.notes) if text]


def format_cell(cell: Cell, column: Column) -> str:
    """Print a value with its deviation and its marks, bold apart."""
    if cell.value is None:
        return "cannot tell" if Mark.CANNOT_TELL in cell.marks else "-"
    decimals = column.decimals
    if isinstance(cell.value, str):
        text = cell.value
    else:
        text = _print_as_is(cell.value) if decimals is None else _print_number(cell.value, decimals)
    if isinstance(cell, MeanCell):
        text += " ± n/a" if cell.std is None else f" ± {_print_number(cell.std, (decimals or 0) + 1)}"
    return text + "".join(SYMBOLS.get(mark, "") for mark in cell.marks)


def format_mean(cell: MeanCell, metric: Metric) -> str:
    """Print a mean with its deviation and unit."""
    return with_blank(format_cell(cell, Column(metric.name, metric.title, metric.decimals)), metric.unit)


def _print_as_is(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:,g}"


def _print_number(value: float, decimals: int) -> str:
    text = f"{value:,.{decimals}f}"
    return text.removeprefix("-") if float(text.replace(",", "")) == 0 else text


def count_trials(cell: Cell, table: Table) -> str:
    """Say how many of the trials behind a cell are there, where the sweep is partial."""
    return f" ({cell.finished}/{cell.planned})" if table.is_partial and cell.planned else ""


def list_choices(table: Table) -> Table | None:
    """Make the companion of a table of means: the configuration behind each cell."""
    if table.axis != "split":
        return None
    rows = tuple(tuple(_show_choice(cell) for cell in row) for row in table.rows)
    return replace(table, title="Learning rate and steps behind each cell", rows=rows, notes=())


def _show_choice(cell: Cell) -> Cell:
    if not isinstance(cell, MeanCell):
        return cell
    behind = f", n = {cell.shuffles}" if cell.finished < cell.planned else ""
    return Cell(f"{cell.learning_rate:g}, {cell.steps}{behind}" if cell.shuffles else None)
