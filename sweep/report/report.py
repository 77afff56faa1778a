"""A report from a sweep's folder: read, tabulate, draw, render, write."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sweep.data.files import write_beside
from sweep.errors import FatalError, UserError, list_allowed
from sweep.metrics import METRICS, Metric
from sweep.report.answer import make_answer
from sweep.report.cells import Selection, Table
from sweep.report.documents import Picture, Report, write_explanation
from sweep.report.explanation import FOLDER, Source, explain_cell
from sweep.report.frames import SweepFrames, read_sweep
from sweep.report.header import make_header, make_stamp
from sweep.report.inference import Inference, infer
from sweep.report.published import PAPERS, PublishedMeans, describe_task, load_means, read_means
from sweep.report.render import Format, render_report, render_tables
from sweep.report.statistics.errors import About
from sweep.report.study import Study, read_study
from sweep.report.tables.comparison import make_comparison
from sweep.report.tables.complexities import count_mult_adds, make_table3
from sweep.report.tables.cost import RESOURCES, make_budgets, make_cost
from sweep.report.tables.effects import make_effects
from sweep.report.tables.images import make_table1
from sweep.report.tables.means import make_class_metrics, make_diagnostics, make_metrics, make_table4
from sweep.report.tables.patients import make_patients
from sweep.report.tables.reviewer import make_reviewer
from sweep.report.tables.selection import make_selection
from sweep.report.tables.standing import make_pairs, make_standing
from sweep.report.tables.variance import make_variance
from sweep.report.warnings import list_warnings
from sweep.report.words import with_stamp
from sweep.store.store import Store

if TYPE_CHECKING:
    from sweep.report.figures.figure import Figure

DEFAULT_METRIC = "accuracy"
FIGURES = "figures"  # folder beside the report
SPEC_NAME = "spec.yaml"  # the resolved spec, in the sweep's folder


@dataclass(frozen=True, slots=True)
class Request:
    """What a report is asked to say, and how. `against`: a CSV file to compare with instead of the spec's paper."""

    form: Format = Format.MARKDOWN
    select: Selection = Selection.VALIDATION
    metric: str = DEFAULT_METRIC
    against: Path | None = None
    has_figures: bool = False
    about: About = About.POOL

    @property
    def subfolder(self) -> str:
        """Where a report lies within its sweep's: what is not asked by default does not overwrite what is."""
        differs = {
            self.metric: self.metric != DEFAULT_METRIC,
            "chosen-on-test": self.select is Selection.TEST,
            self.about.value: self.about is About.PROCEDURE,
            f"against-{self.against.stem if self.against else ''}": self.against is not None,
        }
        return "-".join(name for name, applies in differs.items() if applies)


@dataclass(frozen=True, slots=True)
class Written:
    """A report and its files. `text` is all that they say; of a page, where it lies. `margin`: see `Inference`."""

    report: Report
    metric: Metric
    margin: str
    text: str
    files: tuple[Path, ...]
    figures: int = 0


def write_report(folder: Path, request: Request, output: Path) -> str:
    """Write a report as `publish_report` does, and return its text."""
    return publish_report(folder, request, output).text


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
    report = make_report(study, inference)
    if request.form is Format.HTML:
        path, page = target / "report.html", _make_page(study, inference, report, name).encode()
        _write(path, page)
        said = f"{path}: {len(page) / 2**20:.1f} MiB, opens in any browser\n"
        return Written(report, study.metric, inference.describe_margin(study.metric), said, (path,))
    pictures = list(_write_figures(study, inference, report, target / FIGURES)) if request.has_figures else []
    files = render_report(report, request.form, pictures)
    for name, text in files.items():
        _write(target / name, text.encode())
    paths = tuple(target / name for name in files)
    return Written(
        report, study.metric, inference.describe_margin(study.metric), "\n".join(files.values()), paths, len(pictures)
    )


def print_tables(folder: Path, request: Request, names: Sequence[str]) -> str:
    """Return some tables of a report, and write nothing.

    Raises:
        UserError: as `publish_report` does, or there is no such table.
    """
    study = _read(folder, request)
    return render_tables(make_report(study, infer(study, request.about)), request.form, names)


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


def find_headline(folder: Path) -> str | None:
    """Return the first sentence of a sweep's report; None where it cannot be read."""
    with suppress(UserError, FatalError):
        study = _read(folder, Request())
        return with_stamp(make_answer(study, infer(study)).headline, make_stamp(study.frames))
    return None


def make_report(study: Study, inference: Inference) -> Report:
    """Make all that a report says, in the order of saying it."""
    answer = make_answer(study, inference)
    main = [make_table4(study, inference), make_diagnostics(study, inference, answer.split, is_detail=False)]
    tables = (*main, *_make_details(study, inference, answer.split))
    return Report(make_header(study), answer, tables, len(main), list_warnings(study, inference))


def _make_details(study: Study, inference: Inference, answered: str) -> Iterator[Table]:
    """Yield the tables behind the answer, those that are read before those that are looked up."""
    splits = [str(split) for split in study.frames.spec.grid.split]
    yield make_effects(study, inference)
    yield make_table1(study.frames)
    if (patients := make_patients(study.frames)) is not None:
        yield patients
    yield make_table3(study.frames)
    yield make_cost(study)
    yield make_reviewer(study, inference)
    if study.published is not None:
        yield make_comparison(study, inference, study.published)
    yield from (make_standing(study, inference, split) for split in splits)
    yield from (make_diagnostics(study, inference, split, is_detail=True) for split in splits if split != answered)
    yield make_metrics(study)
    if len(study.frames.inputs.data.classes) > 2:
        yield make_class_metrics(study)
    yield make_selection(study)
    yield make_variance(study)
    yield from (make_budgets(study, resource) for resource in RESOURCES)
    yield make_pairs(study, inference)


def _read(folder: Path, request: Request) -> Study:
    metric = METRICS.get(request.metric)
    if metric is None:
        raise UserError(f"metric: {request.metric!r} is unknown {list_allowed(request.metric, METRICS)}")
    with Store.read(folder) as store:
        frames = read_sweep(store)
        return read_study(store, frames, metric, request.select, _find_published(frames, metric, request.against))


def _find_published(frames: SweepFrames, metric: Metric, against: Path | None) -> PublishedMeans | None:
    task = describe_task(frames.inputs.data)
    if against is None:
        paper = frames.spec.published
        return load_means(paper, metric) if paper and PAPERS[paper].task == task else None
    published = read_means(against, metric)
    if published.task not in (None, task):
        raise UserError(
            f"{against}: is about another task (theirs: {published.task}; ours: {task}); compare results on the same "
            "images and classes"
        )
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


def _write_figures(study: Study, inference: Inference, report: Report, folder: Path) -> Iterator[Picture]:
    """Draw every figure as SVG and PNG, its data beside it as CSV."""
    from sweep.report.figures.drawing import draw_png, draw_svg

    for figure in _make_figures(study, inference, report):
        _write(folder / f"{figure.name}.svg", draw_svg(figure).encode())
        _write(folder / f"{figure.name}.png", draw_png(figure))
        _write(folder / f"{figure.name}.csv", figure.frame.to_csv(index=False, lineterminator="\n").encode())
        yield Picture(f"{FIGURES}/{figure.name}.svg", figure.title, figure.caption)


def _make_page(study: Study, inference: Inference, report: Report, name: str) -> str:
    from sweep.report.figures.drawing import Theme, draw_svg
    from sweep.report.page.page import Drawing, write_page

    figures = _make_figures(study, inference, report)
    drawings = [Drawing(each.name, each.title, each.caption, draw_svg(each, Theme.PAGE)) for each in figures]
    source = Source(f"results/{name}/{SPEC_NAME}")
    explanations = {key: explain_cell(study, inference, key, source) for key in study.cells}
    return write_page(report, drawings, explanations)


def _make_figures(study: Study, inference: Inference, report: Report) -> "tuple[Figure, ...]":
    from sweep.report.figures.data import make_figures

    return make_figures(study, inference, report.answer, count_mult_adds(study.frames))


def _write(path: Path, content: bytes) -> None:
    with write_beside(path) as file:
        file.write(content)
