"""The folders of sweeps: which one a name means, and what a folder that holds a sweep already will not take."""

from collections.abc import Callable, Sequence
from difflib import get_close_matches
from pathlib import Path

from sweep.axes import Point, Value
from sweep.errors import UserError
from sweep.planning.plan import Plan
from sweep.spec.schema import Spec
from sweep.store.lock import LOCK_NAME
from sweep.store.store import STORE_NAME, Store
from sweep.store.stored_plan import load_plan, load_sweep, split_outcomes

DEMO_SUFFIX = "-demo"
MOST_NAMED = 10  # sweeps in one message


def find_sweep(results: Path, name: str | None, say: Callable[[str], None]) -> Path:
    """Find a sweep by its name or folder; the one run last when none is named.

    A name without a sweep stands for the sweep of that name on demo images, where there is one; `say` is told.

    Raises:
        UserError: there is none; the message names those there are.
    """
    if name is None:
        runs = list(results.glob(f"*/{LOCK_NAME}"))  # written when a run begins, and by nothing else
        if not runs:
            raise UserError(f"{results}: holds no sweep; run one first, or name the folder with --results")
        return max(runs, key=lambda path: path.stat().st_mtime_ns).parent
    for folder in (results / name, Path(name)):
        if (folder / STORE_NAME).is_file():
            return folder.resolve()
    for folder in (results / f"{name}{DEMO_SUFFIX}", Path(f"{name}{DEMO_SUFFIX}")):
        if (folder / STORE_NAME).is_file():
            say(f"{name}: there is no sweep of this name; taking {folder.name}, the same on demo images")
            return folder.resolve()
    raise _miss(results, name)


def list_sweeps(results: Path) -> list[str]:
    """Names of the sweeps of a results folder, sorted."""
    return sorted(store.parent.name for store in results.glob(f"*/{STORE_NAME}"))


def refuse_another_name(folder: Path, stored: Spec, spec: Spec) -> None:
    """Refuse to mix `x` on demo images, which lies in `x-demo`, with a sweep whose name is `x-demo`.

    Raises:
        UserError: the folder is the other one's.
    """
    if stored.name != spec.name:
        raise UserError(
            f"{folder}: holds the sweep {stored.name}, not {spec.name}; give {spec.name} another name "
            f"with --set name=OTHER, or another folder with --results"
        )


def refuse_to_leave_out(store: Store, plan: Plan) -> None:
    """Refuse a spec without trials that the store holds: its reports would not show them any more.

    Trials that change for another reason than the spec (other images in the folder, weights that have come since) are
    not meant.

    Raises:
        UserError: says how many, and how to run the spec beside.
    """
    if message := describe_loss(store, plan):
        raise UserError(message)


def describe_loss(store: Store, plan: Plan) -> str | None:
    """Say in one line what a run of the plan would take away from the sweep's reports; None where it takes nothing."""
    if store.load_spec() is None:
        return None
    superseded = describe_superseded(store, plan) if load_sweep(store)[1] == plan.inputs else None
    return superseded or describe_left_out(store, plan)


def describe_left_out(store: Store, plan: Plan) -> str | None:
    """Say in one line how many stored trials a plan leaves out; None where it leaves out none.

    A trial is left out where its point is none of the plan's, or the plan is about other images by its spec. It is not
    where its id alone is another: with images or weights that have changed where they lie, or a release that computes
    something else, it runs anew.
    """
    if store.load_spec() is None:
        return None
    stored, (spec, inputs) = load_plan(store), load_sweep(store)
    done, failed = split_outcomes(store, stored.trials)
    are_others = inputs.data.fingerprint != plan.inputs.data.fingerprint and spec.data != plan.spec.data
    names = [axis.name for axis in stored.axes]
    trials = () if are_others else plan.trials
    points = {_spell_point(trial.point, [axis.name for axis in plan.axes]) for trial in trials}
    left_out = sum(
        trial.id in done | failed and _spell_point(trial.point, names) not in points for trial in stored.trials
    )
    if not left_out:
        return None
    total = len(done) + len(failed)
    return (
        f"{plan.spec.name}: {left_out:,} of the {total:,} trials that are stored under this name would be left out of "
        "its reports; run the changed spec beside it with --set name=OTHER (cached features are shared), or widen the "
        "axes instead of replacing their values"
    )


def describe_superseded(store: Store, plan: Plan) -> str | None:
    """Say in one line how many finished trials of the stored plan have another id in this one; None for none.

    With the inputs as they were it is this release that computes something else.
    """
    others = store.finished_ids() - {trial.id for trial in plan.trials}
    if not others or not plan.inputs.is_final:
        return None
    stored, names = load_plan(store), [axis.name for axis in plan.axes]
    points = {_spell_point(trial.point, names) for trial in plan.trials}
    former = [axis.name for axis in stored.axes]
    again = sum(trial.id in others and _spell_point(trial.point, former) in points for trial in stored.trials)
    if not again:
        return None
    if load_sweep(store)[1] == plan.inputs:
        return (
            f"{plan.spec.name}: {again:,} finished trials are of another release, and this one computes something else "
            "for them; their report stays as it is: run the spec beside it with --set name=OTHER"
        )
    return (
        f"{plan.spec.name}: {again:,} of the finished trials will run anew, as their weights are others than before; "
        "what they came to stays in the store"
    )


def _spell_point(point: Point, names: Sequence[str]) -> frozenset[tuple[str, Value]]:
    """Return the values of a point by axis, whatever the order of the axes; those that do not apply are left out."""
    return frozenset(pair for pair in zip(names, point, strict=True) if pair[1] is not None)


def _miss(results: Path, name: str) -> UserError:
    sweeps = list_sweeps(results)
    if not sweeps:
        return UserError(f"{name}: holds no sweep (no {STORE_NAME}); name a folder that `sweep run` has made")
    close = get_close_matches(name, sweeps, n=1)
    meant = f"; did you mean {close[0]}?" if close else ""
    more = f" and {len(sweeps) - MOST_NAMED:,} more" if len(sweeps) > MOST_NAMED else ""
    return UserError(f"{name}: is no sweep of {results} (there: {', '.join(sweeps[:MOST_NAMED])}{more}){meant}")
