"""What a model costs: mult-adds and parameters beside what was published, seconds as measured, Pareto sets. Pure."""

from collections.abc import Iterator, Mapping

from sweep.networks.table import IMAGENET_CLASSES, NETWORKS, Complexity, count_complexity
from sweep.report.cells import Cell, Column, Mark, Row, Table
from sweep.report.costs import FORWARD, HIDDEN, MILLION, Cost, count_costs, list_front
from sweep.report.frames import SweepFrames
from sweep.report.inference import Inference
from sweep.report.layout import NETWORK
from sweep.report.methods import warn_of_selection
from sweep.report.profiles import FULL_CONVOLUTION
from sweep.report.published import load_costs
from sweep.report.study import Study
from sweep.report.tables.build import MODEL, like, make_table

MULT_ADDS_TOLERANCE_M = 0.5  # published figures are whole millions; ours are compared as printed, 149.50

Published = Mapping[str, Mapping[str, float]]  # by network: million_mult_adds, million_parameters


def make_complexities(study: Study, _: Inference) -> Iterator[Table]:
    """Yield mult-adds and parameters (millions) as counted when networks were built, beside the published ones."""
    frames = study.frames
    published, own = load_costs(frames.profile), len(frames.inputs.data.classes)
    columns: tuple[Column, ...] = (
        MODEL,
        Column("mult_adds_m", f"mult-adds, {IMAGENET_CLASSES:,} classes", 2),
        Column("mult_adds_published_m", "published mult-adds"),
        Column("trainable_parameters_m", f"trainable, {IMAGENET_CLASSES:,} classes", 3),
        Column("parameters_m", f"parameters, {IMAGENET_CLASSES:,} classes", 3),
        Column("parameters_published_m", "published parameters"),
        Column("own_mult_adds_m", f"mult-adds, {own} classes", 2),
        Column("own_parameters_m", f"parameters, {own} classes", 3),
    )
    rows = tuple(_list_rows(frames, published))
    kept = [place for place, column in enumerate(columns) if published or not column.key.endswith("published_m")]
    columns, rows = tuple(columns[each] for each in kept), tuple(tuple(row[each] for each in kept) for row in rows)
    notes = tuple(_note_complexities(frames, rows))
    yield make_table(frames, "complexities", "Mult-adds and parameters, in millions", columns, rows, notes=notes)


def _list_rows(frames: SweepFrames, published: Published) -> Iterator[Row]:
    """Yield a row for each network with a head of its own, then the full convolution that a paper compares with."""
    named: dict[str, Cost] = {}
    for model, cost in count_costs(frames).items():
        deciding = (NETWORK, *NETWORKS[cost.network.name].axes, "features", HIDDEN)
        names = [axis.name for axis in frames.layout.of_models if axis.name in deciding]
        named.setdefault(frames.layout.name(frames.models[model], names), cost)
    for name, cost in named.items():
        cell = Cell(name, () if cost.is_counted else (Mark.BY_ARITHMETIC,))
        yield _make_row(cell, cost.imagenet, cost.own, published.get(str(cost.network), {}))
    full = frames.profile.full_convolution
    if full is not None:
        counts = IMAGENET_CLASSES, len(frames.inputs.data.classes)
        imagenet, own = (count_complexity(full, classes, separable=False) for classes in counts)
        cell = Cell(FULL_CONVOLUTION, (Mark.BY_ARITHMETIC,))
        yield _make_row(cell, imagenet, own, published.get(FULL_CONVOLUTION, {}))


def _make_row(name: Cell, imagenet: Complexity, own: Complexity, published: Mapping[str, float]) -> Row:
    mult_adds = imagenet.mult_adds / MILLION
    trainable, parameters = imagenet.trainable_parameters / MILLION, imagenet.parameters / MILLION
    printed_mult_adds, printed_parameters = published.get("million_mult_adds"), published.get("million_parameters")
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
    own, profile = len(frames.inputs.data.classes), frames.profile
    yield (
        f"{IMAGENET_CLASSES:,} classes: with the classifier of ImageNet; {own} classes: with the head that this sweep "
        "trains. Parameters count the moving statistics of batch norm, trainable ones do not."
    )
    if any(Mark.BY_ARITHMETIC in row[0].marks for row in rows):
        yield "†: by arithmetic, not counted in a built model."
    if not profile.name:
        return
    different = [str(row[0].value) for row in rows if any(Mark.DIFFERS in cell.marks for cell in row)]
    yield (
        f"Published: {profile.citation}. ≠: more than {MULT_ADDS_TOLERANCE_M} M mult-adds from "
        "the computed figure, or parameters outside trainable to all. "
        + (f"Different: {', '.join(different)}." if different else "None is different.")
    )
    yield from profile.remarks


def make_cost(study: Study, _: Inference) -> Iterator[Table]:
    """Yield every model by its mult-adds: parameters, measured seconds; marked where no cheaper one is as good."""
    frames, metric = study.frames, study.metric
    costs, kinds = count_costs(frames), sorted({kind for spent in frames.seconds.values() for kind in spent})
    columns = (
        MODEL,
        Column("mult_adds_m", "mult-adds (M)", 2, "M"),
        Column("parameters_m", "parameters (M)", 3, "M"),
        *(Column(f"{kind}_s", f"{kind} (s)", 1, "s") for kind in kinds),
        Column(f"{FORWARD}_ms_per_image", "ms an image", 2, "ms"),
        *(Column(f"pareto_{block}", f"in the Pareto set, {block}") for block in frames.blocks),
    )
    spent = {model: cost.own.mult_adds for model, cost in costs.items()}
    fronts = {block: list_front(study, spent, block) for block in frames.blocks}
    rows = tuple(
        _make_cost_row(study, model, costs[model], kinds, fronts) for model in sorted(costs, key=spent.__getitem__)
    )
    pareto = (
        f"Pareto set: the models whose test {metric.title} none of as many mult-adds or fewer beats. "
        f"Mult-adds and parameters with the head of {len(frames.inputs.data.classes)} classes."
    )
    seconds = (
        f"Seconds of one worker as measured, by kind of work: {FORWARD}, the features of all "
        f"{frames.inputs.data.images:,} images; fit, all heads on the network's features together; decoding the images "
        "is not counted. -: not measured (not run, or taken from the cache). Differences of means that cannot be told "
        "apart can make a Pareto set, too."
    )
    title = "Cost: mult-adds, parameters and seconds"
    notes = (*warn_of_selection(study.select), pareto, seconds)
    yield make_table(frames, "cost", title, columns, rows, notes=notes)


def _make_cost_row(study: Study, model: str, cost: Cost, kinds: list[str], fronts: Mapping[str, set[str]]) -> Row:
    seconds = study.frames.seconds.get(cost.network_id, {})
    forward = seconds.get(FORWARD)
    cells = {block: study.cells.get((model, block)) for block in fronts}
    return (
        Cell(model),
        Cell(cost.own.mult_adds / MILLION),
        Cell(cost.own.parameters / MILLION),
        *(Cell(seconds.get(kind)) for kind in kinds),
        Cell(1000 * forward / study.frames.inputs.data.images if forward else None),
        *(
            like(cell, ("yes" if model in fronts[block] else "no") if cell.is_comparable else None)
            if cell
            else Cell(None)
            for block, cell in cells.items()
        ),
    )
