"""Table 3: what a forward pass costs and how large a model is, beside what was published. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from sweep.catalogue import IMAGENET_CLASSES, Backbone, Complexity, FeatureKind, count_complexity, feature_width
from sweep.planning.expand import list_backbones
from sweep.report.cells import Cell, Column, Mark, Row, Table
from sweep.report.frames import SweepFrames
from sweep.report.published import FULL_CONVOLUTION, PAPERS, load_costs
from sweep.report.tables.build import make_table

MILLION = 1_000_000
MULT_ADDS_TOLERANCE_M = 0.5  # published figures are whole millions; ours are compared as printed, 149.50
REFERENCE = Backbone("mobilenet", 1.0, 224)  # what the full convolution is compared with


def make_table3(frames: SweepFrames) -> Table:
    """Mult-adds and parameters (millions) of every backbone, counted in the model, beside the published ones."""
    rows = tuple(_list_rows(frames))
    columns = _list_columns(frames)
    if frames.spec.published is None:
        kept = [index for index, column in enumerate(columns) if not column.key.endswith("published_m")]
        columns = tuple(columns[index] for index in kept)
        rows = tuple(tuple(row[index] for index in kept) for row in rows)
    title = "Table 3. Mult-adds and parameters, in millions"
    return make_table(frames, "table3", title, columns, rows, notes=tuple(_note_complexities(frames, rows)))


def _list_columns(frames: SweepFrames) -> tuple[Column, ...]:
    """Columns of Table 3; the number of classes of the classifier stands in the heading."""
    own = len(frames.inputs.data.classes)
    return (
        Column("backbone", "backbone"),
        Column("mult_adds_m", f"mult-adds, {IMAGENET_CLASSES:,} classes", 2),
        Column("mult_adds_published_m", "published mult-adds"),
        Column("trainable_parameters_m", f"trainable, {IMAGENET_CLASSES:,} classes", 3),
        Column("parameters_m", f"parameters, {IMAGENET_CLASSES:,} classes", 3),
        Column("parameters_published_m", "published parameters"),
        Column("own_mult_adds_m", f"mult-adds, {own} classes", 2),
        Column("own_parameters_m", f"parameters, {own} classes", 3),
    )


def _list_rows(frames: SweepFrames) -> Iterator[Row]:
    """Yield a row per backbone in the paper's order, then the full convolution they are compared with."""
    published = _load_published_complexities(frames)
    own = len(frames.inputs.data.classes)
    families = frames.spec.grid.backbone
    backbones = list_backbones(frames.spec)
    for backbone in sorted(backbones, key=lambda each: (families.index(each.family), -each.alpha, -each.resolution)):
        marks = () if backbone in frames.complexities else (Mark.BY_ARITHMETIC,)
        imagenet, swept = count_with_classifiers(frames, backbone)
        yield _make_complexity_row(Cell(str(backbone), marks), imagenet, swept, published)
    if REFERENCE in backbones or frames.spec.published:
        full, swept = (count_complexity(REFERENCE, classes, separable=False) for classes in (IMAGENET_CLASSES, own))
        yield _make_complexity_row(Cell(FULL_CONVOLUTION, (Mark.BY_ARITHMETIC,)), full, swept, published)


def _load_published_complexities(frames: SweepFrames) -> dict[Any, dict[str, float]]:
    if frames.spec.published is None:
        return {}
    table = load_costs(frames.spec.published).table.set_index("backbone")
    return {name: {str(key): float(value) for key, value in row.items()} for name, row in table.iterrows()}


def count_with_classifiers(frames: SweepFrames, backbone: Backbone) -> tuple[Complexity, Complexity]:
    """Return the backbone with the ImageNet classifier, and with the head of the sweep on its features.

    As counted in the built model, else by arithmetic. A backbone whose features are logits was built with the ImageNet
    classifier already.
    """
    kind = frames.spec.features
    on_logits = kind is FeatureKind.LOGITS
    built = frames.complexities.get(backbone) or count_complexity(backbone, IMAGENET_CLASSES if on_logits else 0)
    pooled_width = feature_width(backbone, FeatureKind.POOLED)
    imagenet = built if on_logits else _add_classifier(built, pooled_width, IMAGENET_CLASSES)
    return imagenet, _add_classifier(built, feature_width(backbone, kind), len(frames.inputs.data.classes))


def count_costs(frames: SweepFrames) -> dict[Backbone, Complexity]:
    """Mult-adds and parameters of every backbone with the head that the sweep trains."""
    return {backbone: count_with_classifiers(frames, backbone)[1] for backbone in list_backbones(frames.spec)}


def count_mult_adds(frames: SweepFrames) -> dict[str, float]:
    """Mult-adds of every model by its name, with the head that the sweep trains, in millions."""
    return {str(backbone): cost.mult_adds / MILLION for backbone, cost in count_costs(frames).items()}


def _add_classifier(complexity: Complexity, width: int, classes: int) -> Complexity:
    weights = (width + 1) * classes
    return Complexity(
        complexity.mult_adds + width * classes,
        complexity.parameters + weights,
        complexity.trainable_parameters + weights,
    )


def _make_complexity_row(
    name: Cell, imagenet: Complexity, own: Complexity, published: Mapping[Any, Mapping[str, float]]
) -> Row:
    mult_adds = imagenet.mult_adds / MILLION
    trainable, parameters = imagenet.trainable_parameters / MILLION, imagenet.parameters / MILLION
    printed = published.get(name.value, {})
    printed_mult_adds, printed_parameters = printed.get("million_mult_adds"), printed.get("million_parameters")
    differs = printed_mult_adds is not None and abs(round(mult_adds, 2) - printed_mult_adds) > MULT_ADDS_TOLERANCE_M
    lies_outside = printed_parameters is not None and not (
        round(trainable, 2) <= printed_parameters <= round(parameters, 2)
    )
    return (
        name,
        Cell(mult_adds),
        Cell(printed_mult_adds, (Mark.DIFFERS,) if differs else ()),
        Cell(trainable),
        Cell(parameters),
        Cell(printed_parameters, (Mark.DIFFERS,) if lies_outside else ()),
        Cell(own.mult_adds / MILLION),
        Cell(own.parameters / MILLION),
    )


def _note_complexities(frames: SweepFrames, rows: tuple[Row, ...]) -> Iterator[str]:
    """Yield what a reader of Table 3 must know."""
    own = len(frames.inputs.data.classes)
    yield (
        f"{IMAGENET_CLASSES:,} classes: with the classifier of ImageNet; {own} classes: with the head that this sweep "
        "trains. Parameters count the moving statistics of "
        "batch norm, trainable ones do not."
    )
    if any(Mark.BY_ARITHMETIC in row[0].marks for row in rows):
        yield "†: by arithmetic, not counted in a built model."
    if frames.spec.published is None:
        return
    different = [str(row[0].value) for row in rows if any(Mark.DIFFERS in cell.marks for cell in row)]
    yield (
        f"Published: {PAPERS[frames.spec.published].citation}. ≠: more than {MULT_ADDS_TOLERANCE_M} M mult-adds from "
        "the computed figure, or parameters outside trainable to all. "
        + (f"Different: {', '.join(different)}." if different else "None is different.")
    )
    yield from load_costs(frames.spec.published).remarks
