"""What the commands say of a plan and of a sweep, as lines of text."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from sweep.catalogue import WeightsSource, feature_width
from sweep.data.splits import count_parts
from sweep.durations import describe_duration
from sweep.execution.folders import describe_left_out
from sweep.execution.progress import Progress, count
from sweep.execution.provenance import count_cores
from sweep.execution.resolve import CACHE_FOLDER, Prepared
from sweep.features.cache import ArrayCache
from sweep.planning.expand import Plan, list_backbones
from sweep.inputs import Inputs
from sweep.planning.schedule import find_missing_units
from sweep.planning.units import IMAGES_PER_SHARD, DecodeShard, ExtractShard, UnitKind, WorkUnit, estimate_seconds
from sweep.store.lock import find_holder
from sweep.store.store import Store
from sweep.store.stored_plan import load_plan, split_outcomes

WORKER_BYTES = 700 * 2**20  # Python with TensorFlow and a network
DRIVER_BYTES = 400 * 2**20
UNIT_NAMES = {UnitKind.DECODE: "decoding", UnitKind.EXTRACT: "extraction", UnitKind.FIT: "fit"}


def describe_start(plan: Plan) -> str:
    """Return one line: what the plan comes to."""
    return f"{plan.spec.name}: {_describe_product(plan)}, in {describe_units(plan.units)}"


def describe_plan(prepared: Prepared) -> list[str]:
    """Return what running a plan would take, and what is done already."""
    plan = prepared.plan
    done, failed, pace = _read_state(prepared.folder, plan)
    missing = {trial.id for trial in plan.trials} - done - failed
    units = find_missing_units(plan, missing, ArrayCache(prepared.cache).has)
    workers = count_cores()
    costs = f"{plan.shared_cost:.3g} instead of {plan.alone_cost:.3g} mult-adds"
    disk, memory = _describe_bytes(_estimate_disk(plan, units)), _describe_bytes(_estimate_memory(plan, workers))
    return [
        f"{plan.spec.name}: {count(len(plan.trials), 'trial')} in {prepared.folder}",
        f"  axes     {_describe_product(plan)}",
        f"  data     {describe_data(plan.inputs)}",
        f"  weights  {describe_weights(plan.inputs)}",
        f"  work     {describe_units(plan.units)}",
        f"  sharing  {plan.saving:,.1f} times less work than trial by trial ({costs})",
        f"  done     {count(len(done), 'trial')} done, {len(failed):,} failed; left: {describe_units(units)}",
        f"  needs    {disk} of disk, {memory} of memory with {count(workers, 'worker')}",
        f"  time     {_describe_time(units, pace, workers)}",
    ]


def describe_starting(executor: str, workers: int | None, address: str | None) -> str:
    """Return what is being done before the first work unit."""
    if executor != "ray":
        return "starting"
    return f"joining the cluster at {address}" if address else f"starting {count(workers or count_cores(), 'worker')}"


def foresee_refusal(prepared: Prepared) -> str | None:
    """Return why a run of a plan would be refused, if it would."""
    if not Store.is_in(prepared.folder):
        return None
    with Store.read(prepared.folder) as store:
        return describe_left_out(store, prepared.plan)


def describe_end(progress: Progress, folder: Path, headline: str | None = None) -> str:
    """Return how a run ended, what came out in a line, and what to do next."""
    took = f" in {describe_duration(progress.elapsed_s)}" if progress.units_done else ", nothing was left to do"
    state = "complete" if not progress.failed else "finished with failures"
    lines = [f"{state}: {_describe_counts(progress.done, progress.failed, progress.trials)}{took}"]
    lines += [headline] if headline else []
    if progress.failed:
        lines.append(f"`sweep status {folder.name} --failed` says why; --retry-failed runs them again")
    name = folder.name
    lines.append(
        f"`sweep report {name}` prints the tables; `sweep report {name} --format html` writes a page with figures"
    )
    return "\n".join(lines)


def describe_status(folder: Path) -> list[str]:
    """Return how far a sweep is, and whether a process is at it now."""
    with Store.read(folder) as store:
        plan = load_plan(store)
        done, failed = split_outcomes(store, plan)
        pace = store.seconds_per_cost()
    holder = find_holder(folder)
    lines = [
        f"{folder.name}: {_describe_counts(len(done), len(failed), len(plan.trials))}",
        f"  data     {describe_data(plan.inputs)}",
        f"  weights  {describe_weights(plan.inputs)}",
        f"  running  {holder or 'no'}",
    ]
    missing = {trial.id for trial in plan.trials} - done - failed
    if missing:
        units = find_missing_units(plan, missing, ArrayCache(folder.parent / CACHE_FOLDER).has)
        lines += [
            f"  left     {describe_units(units)}",
            f"  time     {_describe_time(units, pace, count_cores())}",
        ]
    return lines


def describe_failures(folder: Path) -> list[str]:
    """Return a line for each failed trial with its reason."""
    with Store.read(folder) as store:
        plan = load_plan(store)
        reasons = store.failures()
    failed = [trial for trial in plan.trials if trial.id in reasons]
    if not failed:
        return [f"{folder.name}: no failed trials"]
    return [
        f"{trial.id}  {trial.backbone}  {trial.split}  shuffle {trial.shuffle}  rate {trial.learning_rate:g}  "
        f"{trial.steps} steps: {reasons[trial.id]}"
        for trial in failed
    ]


def describe_units(units: Iterable[WorkUnit]) -> str:
    """Return, for example, `6 decodings, 96 extractions, 16 fits`."""
    counts = Counter(unit.kind for unit in units)
    named = [count(counts[kind], name) for kind, name in UNIT_NAMES.items() if counts[kind]]
    return ", ".join(named) or "nothing"


def describe_data(inputs: Inputs) -> str:
    """Return the images by class; demo images are called so."""
    data = inputs.data
    classes = ", ".join(f"{name} {count:,}" for name, count in zip(data.classes, data.images_per_class, strict=True))
    kind = "DEMO IMAGES" if data.is_demo else data.name
    return f"{kind}: {data.images:,} images ({classes}), fingerprint {data.fingerprint[:12]}"


def describe_weights(inputs: Inputs) -> str:
    """Return where the weights come from; random ones are called so."""
    sources = {weights.source for weights in inputs.weights.values()}
    names = sorted("RANDOM WEIGHTS" if source is WeightsSource.RANDOM else source.value for source in sources)
    return ", ".join(names) + ("" if inputs.is_final else " (to be downloaded)")


def _describe_product(plan: Plan) -> str:
    grid, backbones = plan.spec.grid, list_backbones(plan.spec)
    heads = len(grid.split) * len(grid.shuffle) * len(grid.learning_rate)
    return (
        f"{count(len(backbones), 'backbone')} x {count(len(grid.split), 'split')} x "
        f"{count(len(grid.shuffle), 'shuffle')} x {count(len(grid.learning_rate), 'learning rate')} = "
        f"{count(len(backbones) * heads, 'run')}, read at {count(len(grid.steps), 'step budget')} = "
        f"{count(len(plan.trials), 'trial')}"
    )


def _describe_counts(done: int, failed: int, total: int) -> str:
    return f"{done:,} of {count(total, 'trial')} done, {failed:,} failed, {total - done - failed:,} missing"


def _read_state(folder: Path, plan: Plan) -> tuple[set[str], set[str], Mapping[str, float]]:
    if not Store.is_in(folder):
        return set(), set(), {}
    with Store.read(folder) as store:
        return *split_outcomes(store, plan), store.seconds_per_cost()


def _estimate_disk(plan: Plan, units: Iterable[WorkUnit]) -> int:
    """Bytes that the units will write: pixels, float32 features, and scores of validation and test images."""
    images, classes = plan.inputs.data.images, len(plan.inputs.data.classes)
    scored = {split: sum(count_parts(images, split)[1:]) for split in plan.spec.grid.split}
    size = 0
    for unit in units:
        if isinstance(unit, DecodeShard):
            size += sum(len(unit.images) * 3 * resolution**2 for resolution, _ in unit.outputs)
        elif isinstance(unit, ExtractShard):
            size += 4 * unit.images_covered * feature_width(unit.backbone, plan.spec.features)
        else:
            size += sum(4 * classes * scored[trial.split] for trial in unit.trials)
    return size


def _estimate_memory(plan: Plan, workers: int) -> int:
    """Bytes of the driver, the workers, and the shards of the largest images on their way to them."""
    shard = min(plan.inputs.data.images, IMAGES_PER_SHARD) * 3 * max(plan.spec.grid.resolution) ** 2
    return DRIVER_BYTES + workers * (WORKER_BYTES + 3 * shard)


def _describe_time(units: Sequence[WorkUnit], pace: Mapping[str, float], workers: int) -> str:
    left = estimate_seconds(units, pace, workers)
    if not units:
        return "nothing left to do"
    return "not known before something was measured" if left is None else f"about {describe_duration(left)} left"


def _describe_bytes(size: int) -> str:
    return f"{size / 2**30:.1f} GiB" if size >= 2**30 else f"{size / 2**20:.0f} MiB"
