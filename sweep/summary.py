"""What the commands say of a plan and of a sweep, as lines of text."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from sweep.axes import Axis, Role, show_value
from sweep.durations import describe_duration
from sweep.execution.folders import describe_loss
from sweep.execution.places import CACHE_FOLDER
from sweep.execution.prepare import Prepared
from sweep.execution.progress import Progress, count
from sweep.execution.provenance import count_cores
from sweep.inputs import Inputs
from sweep.methods.table import find_method, make_plan
from sweep.networks.table import WeightsSource
from sweep.planning.plan import Plan
from sweep.planning.schedule import find_missing_units
from sweep.planning.trial import Trial
from sweep.planning.units import WorkUnit, estimate_seconds
from sweep.store.artifacts import Artifacts
from sweep.store.lock import find_holder
from sweep.store.store import Store
from sweep.store.stored_plan import load_plan, load_sweep, split_outcomes

WORKER_BYTES = 700 * 2**20  # Python with TensorFlow and a network
DRIVER_BYTES = 400 * 2**20
COPIES = 3  # of the largest arrays of a unit: read, computed, written


def describe_start(plan: Plan) -> str:
    """Return one line: what the plan comes to."""
    return f"{plan.spec.name}: {_describe_size(plan.trials)}, in {describe_units(plan, plan.units)}"


def describe_plan(prepared: Prepared) -> list[str]:
    """Return what running a plan would take, and what is done already."""
    plan = prepared.plan
    done, failed, pace = _read_state(prepared.folder, plan)
    missing = {trial.id for trial in plan.trials} - done - failed
    units = find_missing_units(plan.units, missing, prepared.artifacts.has)
    workers = count_cores()
    costs = f"{plan.shared_cost:.3g} instead of {plan.work.alone_cost:.3g} mult-adds"
    measure = find_method(plan.spec.method).measure_bytes
    sizes = [measure(plan, unit) for unit in units]
    memory = DRIVER_BYTES + workers * (WORKER_BYTES + COPIES * max(sizes, default=0))
    disk = _describe_bytes(sum(sizes))
    return [
        f"{plan.spec.name}: {_describe_size(plan.trials)}, in {prepared.folder}",
        *(f"  {role:<9}{text}" for role, text in _describe_axes(plan.axes)),
        f"  data     {describe_data(plan.inputs)}",
        f"  weights  {describe_weights(plan.inputs)}",
        f"  work     {describe_units(plan, plan.units)}",
        f"  sharing  {plan.saving:,.1f} times less work than trial by trial ({costs})",
        f"  done     {count(len(done), 'trial')} done, {len(failed):,} failed; left: {describe_units(plan, units)}",
        f"  needs    {disk} of disk, {_describe_bytes(memory)} of memory with {count(workers, 'worker')}",
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
        return describe_loss(store, prepared.plan)


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
        stored, (spec, inputs) = load_plan(store), load_sweep(store)
        done, failed = split_outcomes(store, stored.trials)
        pace = store.seconds_per_cost()
    holder = find_holder(folder)
    lines = [
        f"{folder.name}: {_describe_counts(len(done), len(failed), len(stored.trials))}",
        f"  data     {describe_data(inputs)}",
        f"  weights  {describe_weights(inputs)}",
        f"  running  {holder or 'no'}",
    ]
    missing = {trial.id for trial in stored.trials} - done - failed
    if missing:
        plan = make_plan(spec, inputs)
        if missing.isdisjoint(trial.id for trial in plan.trials):
            return [*lines, "  left     all of it: another release made these results, and a run computes them anew"]
        units = find_missing_units(plan.units, missing, Artifacts(folder.parent / CACHE_FOLDER).has)
        lines += [
            f"  left     {describe_units(plan, units)}",
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
    return [f"{trial.id}  {_describe_point(plan.axes, trial)}: {reasons[trial.id]}" for trial in failed]


def _describe_point(axes: Sequence[Axis], trial: Trial) -> str:
    """Say where a trial lies: on the axes that vary, as far as they apply; on the first where none does."""
    pairs = [pair for pair in zip(axes, trial.point, strict=True) if pair[0].varies and pair[1] is not None]
    pairs = pairs or [(axes[0], trial.point[0])]
    return "  ".join(f"{axis.title} {show_value(value)}" for axis, value in pairs)


def describe_units(plan: Plan, units: Iterable[WorkUnit]) -> str:
    """Return, for example, `6 decodings, 16 conversions, 96 extractions, 16 fits`."""
    counts = Counter(unit.kind for unit in units)
    kinds = find_method(plan.spec.method).kinds
    return ", ".join(count(counts[name], kind.noun) for name, kind in kinds.items() if counts[name]) or "nothing"


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


def _describe_size(trials: Sequence[Trial]) -> str:
    """Return, for example, `1,296 trials, read-outs of 432 fits on 16 networks`."""
    fits, networks = len({trial.fit_id for trial in trials}), len({trial.network_id for trial in trials})
    return f"{count(len(trials), 'trial')}, read-outs of {count(fits, 'fit')} on {count(networks, 'network')}"


def _describe_axes(axes: Iterable[Axis]) -> Iterable[tuple[str, str]]:
    """Yield what axes are for, with the number of their values."""
    for role in Role:
        named = [f"{axis.title} ({axis.count})" for axis in axes if axis.role is role and axis.varies]
        if named:
            yield role.value, ", ".join(named)


def _describe_counts(done: int, failed: int, total: int) -> str:
    return f"{done:,} of {count(total, 'trial')} done, {failed:,} failed, {total - done - failed:,} missing"


def _read_state(folder: Path, plan: Plan) -> tuple[set[str], set[str], Mapping[str, float]]:
    if not Store.is_in(folder):
        return set(), set(), {}
    with Store.read(folder) as store:
        return *split_outcomes(store, plan.trials), store.seconds_per_cost()


def _describe_time(units: Sequence[WorkUnit], pace: Mapping[str, float], workers: int) -> str:
    left = estimate_seconds(units, pace, workers)
    if not units:
        return "nothing left to do"
    return "not known before something was measured" if left is None else f"about {describe_duration(left)} left"


def _describe_bytes(size: int) -> str:
    return f"{size / 2**30:.1f} GiB" if size >= 2**30 else f"{size / 2**20:.0f} MiB"
