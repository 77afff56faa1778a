"""A sweep of toy kinds, small enough to be run on every executor and at every interruption."""

from collections import Counter

import numpy as np
from toy_kinds import KINDS

from sweep.execution.driver import STATES, Driver, Task
from sweep.execution.executor import Source
from sweep.execution.progress import Progress
from sweep.planning.schedule import find_missing_units
from sweep.planning.trial import Trial
from sweep.planning.units import ArtifactKey, Resources, WorkUnit, total_cost
from sweep.store.artifacts import Artifacts, read_state
from sweep.store.store import Store

FILES, SHARD, FACTORS = 60, 10, (1, 2)
NETWORKS = {"n1": 1, "n2": 2, "n3": 3}  # with exponents
TOY_UNITS = FILES // SHARD * (1 + len(NETWORKS)) + 2 * len(NETWORKS)


def make_artifacts(executor, folder):
    return Artifacts(f"file://{folder}" if getattr(executor, "param", "") == "url" else folder)


class ToySweep:
    """Numbers in files, raised to powers by networks, added up by fits: 6 trials in 30 units."""

    def __init__(self, folder, *, networks=NETWORKS, factors=FACTORS, sleep_s=0.0, resources=None):
        self.folder = folder
        self.supplied = Counter()
        self.resources = resources or {}
        self.units = self._make_units(networks, factors, sleep_s)
        self.trials = [trial for unit in self.units for trial in unit.trials]

    def supply(self, key):
        self.supplied[key] += 1
        if key.kind == "files":
            start = int(key.part)
            return [(f"{number}.txt", str(number).encode()) for number in range(start, start + SHARD)]
        if key.kind == "weights":
            return np.array([NETWORKS[key.folder]], np.uint8)
        return np.arange(FILES) % 2

    def _make_units(self, networks, factors, sleep_s):
        starts = [str(start) for start in range(0, FILES, SHARD)]
        slow = {"sleep_s": sleep_s}
        read = [
            self._unit("read", start, [ArtifactKey("files", "d", start)], [ArtifactKey("numbers", "d", start)], slow)
            for start in starts
        ]
        build = [
            self._unit(
                *("build", network, [ArtifactKey("weights", network, "all")], [ArtifactKey("networks", network, "m")]),
                {"network": network},
            )
            for network in networks
        ]
        power = [
            self._unit(
                *("raise", f"{network}/{start}"),
                [ArtifactKey("numbers", "d", start), ArtifactKey("networks", network, "m")],
                [ArtifactKey("powers", network, start)],
                {**slow, "label": network},
            )
            for network in networks
            for start in starts
        ]
        add = [
            self._unit(
                *("add", network),
                [*(ArtifactKey("powers", network, start) for start in starts), ArtifactKey("labels", "d", "all")],
                (),
                {"label": network},
                [Trial(f"{network}-{factor}", network, network, "p", (network, factor)) for factor in factors],
            )
            for network in networks
        ]
        return [*read, *build, *power, *add]

    def _unit(self, kind, name, needs, makes, settings, trials=()):
        resources = self.resources.get(kind, Resources())
        key, subject = f"{kind}/{name}", name.split("/")[0]
        return WorkUnit(kind, key, tuple(needs), tuple(makes), tuple(trials), 10.0, subject, settings, resources)

    def run(self, executor, artifacts=None, watch=lambda _: None, *, kinds=KINDS, name="toy"):
        """Compute what is missing, as `run_sweep` does; return the progress."""
        artifacts = artifacts or make_artifacts(executor, self.folder / "cache")
        folder = self.folder / name
        folder.mkdir(parents=True, exist_ok=True)
        made = frozenset(key for unit in self.units for key in unit.makes)
        with Store.open(folder) as store:
            done = store.finished_ids()
            failed = set(store.failures()) - done
            missing = {trial.id for trial in self.trials} - done - failed
            units = find_missing_units(self.units, missing, lambda key: key in made and artifacts.has(key))
            progress = Progress(len(self.trials), len(done), len(failed), len(done), len(units))
            progress.work, progress.work_left = total_cost(self.units), total_cost(units)
            task = Task(self, units, kinds, Source(artifacts, self.supply, made), folder)
            Driver(task, store, executor, progress, watch).run()
        return progress

    def evidence(self, name="toy"):
        """All that must come out exactly once, without times and places."""
        folder = self.folder / name
        with Store.read(folder) as store:
            states = {
                trial.id: read_state(folder / STATES / file, trial.id)["factor"].tolist()
                for trial in self.trials
                if (file := store.load_state_file(trial.id))
            }
            return {
                "results": sorted((trial, status, reason) for trial, _, status, reason, _ in store.load_results()),
                "measures": sorted(store.load_measures()),
                "scores": store.connection.execute("SELECT * FROM scores ORDER BY trial_id").fetchall(),
                "series": store.connection.execute("SELECT * FROM series ORDER BY fit_id").fetchall(),
                "facts": store.load_facts(),
                "states": states,
            }

    def computed(self, name="toy"):
        with Store.read(self.folder / name) as store:
            return Counter(unit for (unit,) in store.connection.execute("SELECT unit FROM units"))

    def origins(self, name="toy"):
        with Store.read(self.folder / name) as store:
            return store.load_origins()
