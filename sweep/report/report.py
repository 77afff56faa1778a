"""A report from a sweep's folder: read, tabulate, draw, render, write."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from sweep.data.files import write_beside
from sweep.errors import FatalError, UserError, list_allowed
from sweep.metrics import METRICS
from sweep.report.answer import make_answer
from sweep.report.cells import Selection, Table
from sweep.report.costs import MILLION, count_costs
from sweep.report.documents import FIGURES, Drawing, Report, write_explanation
from sweep.report.explanation import FOLDER, Source, explain_cell
from sweep.report.frames import Asked, read_sweep
from sweep.report.header import make_header, make_stamp
from sweep.report.inference import Inference, infer
from sweep.report.layout import CellKey, slug
from sweep.report.published import load_means, read_means
from sweep.report.render import Format, render_report, render_tables
from sweep.report.statistics.errors import About
from sweep.report.study import Study, read_study
from sweep.report.tables.cost import make_complexities, make_cost
from sweep.report.tables.effects import make_effects
from sweep.report.tables.images import make_images, make_patients
from sweep.report.tables.means import make_means
from sweep.report.tables.metrics import make_diagnostics, make_metrics
from sweep.report.tables.reviewer import make_reviewer
from sweep.report.tables.selection import make_selection
from sweep.report.tables.standing import make_pairs, make_standing
from sweep.report.tables.variance import make_variance
from sweep.report.warnings import list_warnings
from sweep.report.words import with_stamp
from sweep.store.store import SPEC_NAME, Store

if TYPE_CHECKING:
    from sweep.report.figures.figure import Figure

DEFAULT_METRIC = "accuracy"

MakeTables = Callable[[Study, Inference], Iterable[Table]]
MAIN: tuple[MakeTables, ...] = (make_means, make_diagnostics)  # right below the answer, but for their details
REST: tuple[MakeTables, ...] = (  # those that are read before those that are looked up
    make_effects,
    make_images,
    make_patients,
    make_complexities,
    make_cost,
    make_reviewer,
    make_standing,
    make_metrics,
    make_selection,
    make_variance,
    make_pairs,
)


@dataclass(frozen=True, slots=True)
class Request:
    """What a report is asked to say, and how.

    against: a CSV file to compare with instead of the spec's paper. rows, columns: compared axes by name, instead of
    models and blocks; where: the values of axes that are looked at alone, by their text.
    """

    form: Format = Format.MARKDOWN
    select: Selection = Selection.VALIDATION
    metric: str = DEFAULT_METRIC
    against: Path | None = None
    has_figures: bool = False
    about: About = About.POOL
    rows: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    where: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def subfolder(self) -> str:
        """Where a report lies within its sweep's: what is not asked by default does not overwrite what is."""
        differs = {
            self.metric: self.metric != DEFAULT_METRIC,
            "chosen-on-test": self.select is Selection.TEST,
            self.about.value: self.about is About.PROCEDURE,
            f"against-{self.against.stem if self.against else ''}": self.against is not None,
            f"rows-{'-'.join(self.rows)}": bool(self.rows),
            f"columns-{'-'.join(self.columns)}": bool(self.columns),
            **{slug(f"{name}-{'-or-'.join(values)}"): True for name, values in self.where.items()},
        }
        return "-".join(name for name, applies in differs.items() if applies)


@dataclass(frozen=True, slots=True)
class Written:
    """A report and its files. `text` is all that they say; of a page, where it lies. `margin`: see `Inference`."""

    report: Report
    margin: str
    text: str
    files: tuple[Path, ...]
    figures: int = 0


def publish_report(folder: Path, request: Request, output: Path) -> Written:
    """Write a report of a sweep under `output`, in a folder of the sweep's name.

    Raises:
        UserError: the folder holds no sweep, or the file to compare with is of no use.
        FatalError: the report cannot be written.
    """
    study = _read(folder, request)
    inference = infer(study, request.about)
    name = folder.resolve().name
    target = output / name / request.subfolder
    report, margin = make_report(study, inference), inference.describe_margin(study.metric)
    drawings = list(_write_figures(study, inference, report, target / FIGURES)) if request.has_figures else []
    if request.form is Format.HTML:
        path, page = target / "report.html", _make_page(study, inference, report, name).encode()
        _write(path, page)
        said = f"{path}: {len(page) / 2**20:.1f} MiB, opens in any browser\n"
        return Written(report, margin, said, (path,), len(drawings))
    files = render_report(report, request.form, drawings)
    for name, text in files.items():
        _write(target / name, text.encode())
    return Written(report, margin, "\n".join(files.values()), tuple(target / name for name in files), len(drawings))


def print_tables(folder: Path, request: Request, names: Sequence[str]) -> str:
    """Return some tables of a report, and write nothing.

    Raises:
        UserError: as `publish_report` does, or there is no such table.
    """
    study = _read(folder, request)
    return render_tables(make_report(study, infer(study, request.about)), request.form, names)


def explain_number(folder: Path, cell: str, select: Selection) -> str:
    """Explain a mean, named as metric:model:block, as plain text.

    Raises:
        UserError: the folder holds no sweep, or the sweep no such cell.
    """
    study, key = _find_cell(folder, cell, select)
    with Store.read(folder) as store:
        images = store.load_images_folder()
    whole, here = folder.resolve(), Path.cwd()
    near = whole.relative_to(here) if whole.is_relative_to(here) else whole
    source = Source(str(near / SPEC_NAME), images or FOLDER, str(near.parent))
    return write_explanation(explain_cell(study, infer(study), key, source))


def find_trials(folder: Path, cell: str, select: Selection) -> list[str]:
    """Return the trials behind a mean, named as metric:model:block, in the order of their repetitions.

    Raises:
        UserError: the folder holds no sweep, or the sweep no such cell.
    """
    study, key = _find_cell(folder, cell, select)
    return [readout.trial_id for readout in study.readouts[key]]


def _find_cell(folder: Path, cell: str, select: Selection) -> tuple[Study, CellKey]:
    metric, key = _parse_cell(cell)
    study = _read(folder, Request(select=select, metric=metric))
    if key not in study.cells:
        models, blocks = ("; ".join(names) for names in (study.frames.models, study.frames.blocks))
        raise UserError(f"{cell!r}: {folder.name} has no such cell (models: {models}; blocks: {blocks})")
    return study, key


def find_headline(folder: Path) -> str | None:
    """Return the first sentence of a sweep's report; None where it cannot be read."""
    with suppress(UserError, FatalError):
        study = _read(folder, Request())
        return with_stamp(make_answer(study, infer(study)).headline, make_stamp(study.frames))
    return None


def make_report(study: Study, inference: Inference) -> Report:
    """Make all that a report says, in the order of saying it."""
    first, rest = ([table for make in makers for table in make(study, inference)] for makers in (MAIN, REST))
    main = [table for table in first if not table.is_detail]
    tables = (*main, *rest, *(table for table in first if table.is_detail))
    return Report(make_header(study), make_answer(study, inference), tables, len(main), list_warnings(study, inference))


def _read(folder: Path, request: Request) -> Study:
    metric = METRICS.get(request.metric)
    if metric is None:
        raise UserError(f"metric: {request.metric!r} is unknown {list_allowed(request.metric, METRICS)}")
    with Store.read(folder) as store:
        frames = read_sweep(store, Asked(request.rows, request.columns, request.where))
        against = request.against
        published = read_means(against, frames, metric) if against else load_means(frames, metric)
        return read_study(store, frames, metric, request.select, published)


def _parse_cell(cell: str) -> tuple[str, CellKey]:
    metric, _, rest = cell.partition(":")
    model, _, block = rest.rpartition(":")
    if not model:
        raise UserError(
            f"{cell!r} is not a cell (allowed: metric:model:block, for example accuracy:mobilenet-0.75-192:80/10/10)"
        )
    return metric, (model, block)


def _write_figures(study: Study, inference: Inference, report: Report, folder: Path) -> Iterator[Drawing]:
    """Draw every figure as SVG and PNG, its data beside it as CSV."""
    from sweep.report.figures.drawing import draw_png, draw_svg

    for figure in _make_figures(study, inference, report):
        drawing = Drawing(figure.name, figure.title, figure.caption, draw_svg(figure))
        _write(folder / f"{figure.name}.svg", drawing.svg.encode())
        _write(folder / f"{figure.name}.png", draw_png(figure))
        _write(folder / f"{figure.name}.csv", figure.frame.to_csv(index=False, lineterminator="\n").encode())
        yield drawing


def _make_page(study: Study, inference: Inference, report: Report, name: str) -> str:
    from sweep.report.figures.drawing import Theme, draw_svg
    from sweep.report.page.page import write_page

    figures = _make_figures(study, inference, report)
    drawings = [Drawing(each.name, each.title, each.caption, draw_svg(each, Theme.PAGE)) for each in figures]
    source = Source(f"results/{name}/{SPEC_NAME}")
    explanations = {key: explain_cell(study, inference, key, source) for key in study.cells}
    return write_page(report, drawings, explanations)


def _make_figures(study: Study, inference: Inference, report: Report) -> "tuple[Figure, ...]":
    from sweep.report.figures.data import make_figures

    costs = {model: cost.own.mult_adds / MILLION for model, cost in count_costs(study.frames).items()}
    return make_figures(study, inference, report.answer, costs)


def _write(path: Path, content: bytes) -> None:
    with write_beside(path) as file:
        file.write(content)
