"""What a sweep that was run before was asked, from its store. Nothing is planned anew."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from sweep.errors import UserError
from sweep.inputs import Inputs
from sweep.planning.trial import Trial
from sweep.spec.load import parse_spec
from sweep.spec.schema import Spec
from sweep.store.plans import StoredPlan
from sweep.store.store import Store


def load_plan(store: Store) -> StoredPlan:
    """Return the plan that was kept last.

    Raises:
        UserError: nothing was ever run in the store.
    """
    plan = store.load_plan()
    if plan is None:
        raise UserError(f"{store.where}: holds no spec yet; run the sweep first")
    _read_inputs(store, plan.inputs)
    return plan


def load_sweep(store: Store) -> tuple[Spec, Inputs]:
    """Return the stored spec and inputs. Raises as `load_plan` does."""
    stored = store.load_spec()
    if stored is None:
        raise UserError(f"{store.where}: holds no spec yet; run the sweep first")
    spec, inputs = stored
    return parse_spec(json.dumps(spec), store.where), _read_inputs(store, inputs)


def _read_inputs(store: Store, inputs: Mapping[str, Any]) -> Inputs:
    try:
        return Inputs.from_json(inputs)
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise store.damage(f"its inputs: {type(error).__name__} {error}") from error


def split_outcomes(store: Store, trials: Iterable[Trial]) -> tuple[set[str], set[str]]:
    """Return the ids of some trials that are done, and of those that failed and have not succeeded since."""
    ids = {trial.id for trial in trials}
    done = ids & store.finished_ids()
    return done, ids & store.failures().keys() - done
