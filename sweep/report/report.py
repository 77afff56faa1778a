"""A report from a sweep's folder: read, tabulate, draw, render, write."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sweep.data.files import write_beside
from sweep.errors import UserError
from sweep.metrics import METRICS, Metric
from sweep.report.cells import Selection, Table
from sweep.report.documents import Picture, write_explanation
from sweep.report.explanation import FOLDER, Source, explain_cell
from sweep.report.frames import SweepFrames, read_sweep
from sweep.report.header import make_header
from sweep.report.inference import Inference, infer
from sweep.report.published import PublishedMeans, load_means, read_means
from sweep.report.render import Format, render_tables
from sweep.report.study import Study, read_study
from sweep.report.tables.comparison import make_comparison
from sweep.report.tables.complexities import MILLION, count_costs, make_table3
from sweep.report.tables.cost import RESOURCES, make_budgets, make_cost
from sweep.report.tables.images import make_table1
from sweep.report.tables.means import make_class_metrics, make_metrics, make_table4
from sweep.report.tables.patients import make_patients
from sweep.report.tables.ranking import make_pairs, make_ranking
from sweep.report.tables.selection import make_selection
from sweep.report.tables.variance import make_variance
from sweep.store.store import Store

if TYPE_CHECKING:
    from sweep.report.figures.figure import Figure

FIGURES = "figures"  # folder beside the report
SPEC_NAME = "spec.yaml"  # the resolved spec, in the sweep's folder


@dataclass(frozen=True, slots=True)
class Request:
    """What a report is asked to say, and how. `against`: a CSV file to compare with instead of the spec's paper."""

    form: Format = Format.MARKDOWN
    select: Selection = Selection.VALIDATION
    metric: str = "accuracy"
    against: Path | None = None
    has_figures: bool = False


def write_report(folder: Path, request: Request, output: Path) -> str:
    """Write a report of a sweep under `output`, in a folder of the sweep's name.

    Returns all of its text; of a page, where it lies.

    Raises:
        UserError: the folder holds no sweep, or the file to compare with is of no use.
        FatalError: the report cannot be written.
    """
    study = _read(folder, request)
    inference = infer(study)
    name = folder.resolve().name
    target = output / name
    tables = list(make_tables(study, inference))
    pictures = list(_write_figures(study, inference, target / FIGURES)) if request.has_figures else []
    if request.form is Format.HTML:
        page = _make_page(study, inference, tables, name).encode()
        _write(target / "report.html", page)
        return f"{target / 'report.html'}: {len(page) / 2**20:.1f} MiB, opens in any browser\n"
    files = render_tables(make_header(study), tables, request.form, pictures)
    for name, text in files.items():
        _write(target / name, text.encode())
    return "\n".join(files.values())


def explain_number(folder: Path, cell: str, select: Selection) -> str:
    """Explain a number of Table 4, named as metric:backbone:split, as plain text.

    Raises:
        UserError: the folder holds no sweep, or the sweep no such cell.
    """
    metric, key = _parse_cell(cell)
    study = _read(folder, Request(select=select, metric=metric))
    if key not in study.cells:
        backbones, splits = (dict.fromkeys(names) for names in zip(*study.cells, strict=True))
        raise UserError(
            f"{cell!r}: {folder.name} has no such cell (backbones: {', '.join(backbones)}; splits: {', '.join(splits)})"
        )
    with Store.read(folder) as store:
        images = store.load_images_folder()
    near = _shorten(folder)
    source = Source(str(near / SPEC_NAME), images or FOLDER, str(near.parent))
    return write_explanation(explain_cell(study, infer(study), key, source))


def _shorten(folder: Path) -> Path:
    """Name a folder from the current one where it lies within."""
    whole = folder.resolve()
    return whole.relative_to(Path.cwd()) if whole.is_relative_to(Path.cwd()) else whole


def make_tables(study: Study, inference: Inference) -> Iterator[Table]:
    """Yield every table of a report, in its order."""
    yield make_table1(study.frames)
    yield make_table3(study.frames)
    yield make_table4(study)
    yield make_metrics(study)
    if len(study.frames.inputs.data.classes) > 2:
        yield make_class_metrics(study)
    if study.published is not None:
        yield make_comparison(study, inference, study.published)
    if (patients := make_patients(study.frames)) is not None:
        yield patients
    for split in study.frames.spec.grid.split:
        yield make_ranking(study, inference, str(split))
    yield make_variance(study)
    yield make_selection(study)
    yield make_cost(study)
    yield from (make_budgets(study, resource) for resource in RESOURCES)
    yield make_pairs(study, inference)


def _read(folder: Path, request: Request) -> Study:
    metric = METRICS.get(request.metric)
    if metric is None:
        raise UserError(f"metric: {request.metric!r} is unknown (allowed: {', '.join(METRICS)})")
    with Store.read(folder) as store:
        frames = read_sweep(store)
        return read_study(store, frames, metric, request.select, _find_published(frames, metric, request.against))


def _find_published(frames: SweepFrames, metric: Metric, against: Path | None) -> PublishedMeans | None:
    if against is None:
        return load_means(frames.spec.published, metric) if frames.spec.published else None
    published = read_means(against, metric)
    cells = set(map(tuple, frames.trials[["backbone", "split"]].drop_duplicates().to_numpy().tolist()))
    if not cells & published.means.keys():
        theirs, ours = (" at ".join(min(keys)) if keys else "none" for keys in (published.means, cells))
        raise UserError(
            f"{against}: has no cell of this sweep (found: {theirs}, ...; the sweep has: {ours}, ...); name a file "
            "with some of the same backbones and splits"
        )
    return published


def _parse_cell(cell: str) -> tuple[str, tuple[str, str]]:
    metric, _, rest = cell.partition(":")
    backbone, _, split = rest.partition(":")
    if not split:
        raise UserError(
            f"{cell!r} is not a cell (allowed: metric:backbone:split, for example accuracy:mobilenet-0.75-192:80/10/10)"
        )
    return metric, (backbone, split)


def _write_figures(study: Study, inference: Inference, folder: Path) -> Iterator[Picture]:
    """Draw every figure as SVG and PNG, its data beside it as CSV."""
    from sweep.report.figures.drawing import draw_png, draw_svg

    for figure in _make_figures(study, inference):
        _write(folder / f"{figure.name}.svg", draw_svg(figure).encode())
        _write(folder / f"{figure.name}.png", draw_png(figure))
        _write(folder / f"{figure.name}.csv", figure.frame.to_csv(index=False, lineterminator="\n").encode())
        yield Picture(f"{FIGURES}/{figure.name}.svg", figure.title, figure.caption)


def _make_page(study: Study, inference: Inference, tables: list[Table], name: str) -> str:
    from sweep.report.figures.drawing import Theme, draw_svg
    from sweep.report.page.page import Drawing, write_page

    figures = _make_figures(study, inference)
    drawings = [Drawing(each.name, each.title, each.caption, draw_svg(each, Theme.PAGE)) for each in figures]
    source = Source(f"results/{name}/{SPEC_NAME}")
    explanations = {key: explain_cell(study, inference, key, source) for key in study.cells}
    return write_page(make_header(study), tables, drawings, explanations)


def _make_figures(study: Study, inference: Inference) -> "tuple[Figure, ...]":
    from sweep.report.figures.data import make_figures

    bounds = {key: (found.lower, found.upper) if found else None for key, found in inference.intervals.items()}
    costs = {str(backbone): cost.mult_adds / MILLION for backbone, cost in count_costs(study.frames).items()}
    return make_figures(study, bounds, costs)


def _write(path: Path, content: bytes) -> None:
    with write_beside(path) as file:
        file.write(content)
