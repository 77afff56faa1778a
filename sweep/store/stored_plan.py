"""The plan of a sweep that was run before, made anew from what its store says."""

import json

from sweep.errors import UserError
from sweep.planning.expand import Plan, make_plan
from sweep.planning.inputs import Inputs
from sweep.spec.load import parse_spec
from sweep.spec.schema import Spec
from sweep.store.store import Store


def load_plan(store: Store) -> Plan:
    """Plan the stored spec for the stored inputs.

    Raises:
        UserError: nothing was ever run in the store.
    """
    return make_plan(*load_sweep(store))


def load_sweep(store: Store) -> tuple[Spec, Inputs]:
    """Return the stored spec and inputs. Raises as `load_plan` does."""
    stored = store.load_spec()
    if stored is None:
        raise UserError(f"{store.where}: holds no spec yet; run the sweep first")
    spec, inputs = stored
    return parse_spec(json.dumps(spec), store.where), Inputs.from_json(inputs)


def split_outcomes(store: Store, plan: Plan) -> tuple[set[str], set[str]]:
    """Return the ids of the plan's trials that are done, and of those that failed and have not succeeded since."""
    ids = {trial.id for trial in plan.trials}
    done = ids & store.finished_ids()
    return done, ids & store.failures().keys() - done
