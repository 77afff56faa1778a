"""Which images, which weights, which folder; nothing is passed off as something else."""

import shutil
from pathlib import Path

import pytest

from sweep.data import hashes
from sweep.data.files import write_beside
from sweep.errors import UserError
from sweep.execution import weights
from sweep.execution.places import Places, locate_again, locate_sweep
from sweep.execution.prepare import prepare_sweep
from sweep.inputs import PENDING, Weighted
from sweep.networks.table import FeatureKind, Network, WeightsSource, keras_file_name
from sweep.networks.weights import WeightsUnavailable
from sweep.spec.load import make_spec
from sweep.store.store import Store

MOBILENET = {
    "network": "mobilenet",
    "alpha": [0.25, 0.5],
    "resolution": 128,
    "split": "60/20/20",
    "learning_rate": 0.1,
    "shuffle": 0,
    "steps": 10,
}
NETWORKS = [Network.of("mobilenet", alpha=alpha, resolution=128) for alpha in (0.25, 0.5)]
ASKED = [Weighted(network, WeightsSource.IMAGENET, FeatureKind.POOLED) for network in NETWORKS]


def spec_of(weights="imagenet", **data):
    return make_spec({"name": "x", "data": {"demo": {"images": 40}, **data}, "weights": weights, "grid": MOBILENET})


@pytest.fixture
def places(workplace):
    return Places(workplace / "results")


@pytest.fixture
def images(workplace, drawn):
    return Path(shutil.copytree(drawn, workplace / "data" / "chest_xray"))


@pytest.fixture
def keras_home(tmp_path, monkeypatch):
    home = tmp_path / "keras"
    (home / "models").mkdir(parents=True)
    monkeypatch.setenv("KERAS_HOME", str(home))
    return home


@pytest.fixture
def keras_files(keras_home):
    files = [keras_home / "models" / keras_file_name(network, FeatureKind.POOLED) for network in NETWORKS]
    for file in files:
        file.write_bytes(file.name.encode())
    return files


@pytest.fixture
def _no_network(monkeypatch):
    def fail(source, kind, network):
        raise WeightsUnavailable(f"{network}.h5: could not be downloaded (no network); put it by hand at models/")

    monkeypatch.setattr(weights, "download_weights", fail)


def prepare(spec, places, *, download=True):
    said = []
    prepared = prepare_sweep(spec, locate_sweep(spec, places, said.append), places, said.append, download=download)
    return prepared, said


def sources(prepared):
    return {each.source for each in prepared.plan.inputs.weights.values()}


def key_of_weights(prepared, network):
    """Return what the conversion of one of the networks needs first."""
    return [unit for unit in prepared.plan.units if unit.kind == "convert"][network].needs[0]


class TestImages:
    def test_the_flag_comes_first_then_the_variable_then_the_spec(self, workplace, places, images, monkeypatch):
        spec = spec_of()
        assert locate_sweep(spec, places, print).images == Path("data/chest_xray")
        for name in ("flag", "variable"):
            (workplace / name).mkdir()
        monkeypatch.setenv("SWEEP_DATA", str(workplace / "variable"))
        assert locate_sweep(spec, places, print).images == workplace / "variable"
        named = Places(places.results, workplace / "flag")
        assert locate_sweep(spec, named, print).images == workplace / "flag"

    def test_a_subfolder_is_entered_where_it_is_there(self, places, images):
        assert locate_sweep(spec_of(subfolder="train"), places, print).images == Path("data/chest_xray")
        (images / "train").mkdir()
        assert locate_sweep(spec_of(subfolder="train"), places, print).images == Path("data/chest_xray/train")

    def test_a_missing_folder_is_a_mistake_without_fallback(self, places):
        with pytest.raises(UserError) as mistake:
            locate_sweep(spec_of(), places, print)
        assert str(mistake.value) == (
            "data.folder: data/chest_xray is not there (looked at --data, $SWEEP_DATA, data.folder); name the folder "
            "with --data, or set data.fallback: demo to try the sweep on drawn images"
        )

    def test_with_the_fallback_drawn_images_stand_in_aloud_and_in_a_folder_of_their_own(self, places):
        said = []
        location = locate_sweep(spec_of(fallback="demo"), places, said.append)
        assert (location.folder.name, location.images) == ("x-demo", None)
        (line,) = said
        assert line == (
            "DEMO IMAGES: no images at data/chest_xray (nor --data, nor $SWEEP_DATA); going on with drawn ones, whose "
            "accuracies say nothing about X-rays"
        )

    def test_demo_images_that_were_asked_for_need_no_folder_of_their_own(self, places, images):
        said = []
        assert locate_sweep(spec_of(source="demo"), places, said.append).folder.name == "x"
        assert not said

    @pytest.mark.parametrize("option", ["--data", "$SWEEP_DATA"])
    def test_a_folder_that_was_named_and_is_not_there_is_no_reason_to_fall_back(self, option, places, monkeypatch):
        if option == "$SWEEP_DATA":
            monkeypatch.setenv("SWEEP_DATA", "nowhere")
        else:
            places = Places(places.results, Path("nowhere"))
        with pytest.raises(UserError) as mistake:
            locate_sweep(spec_of(fallback="demo"), places, print)
        assert str(mistake.value) == f"{option}: nowhere is no folder; name the folder that holds the images"

    def test_patients_are_those_that_the_spec_names_and_doubts_are_said(self, places, images, keras_files):
        some = spec_of(patients={"regex": "^(person[0-9]+)_"})
        prepared, said = prepare(some, places)
        assert set(prepared.data.images.patients) > {None}
        known = prepared.data.images.images_of_known_patients
        assert said == [f"data/chest_xray: patients known for {known} of 40 images, by file names or data.patients"]

    def test_drawn_images_have_the_publishers_names_whatever_the_spec_says(self, places, keras_files):
        prepared, said = prepare(spec_of(fallback="demo", patients={"csv": "gone.csv"}), places)
        assert prepared.data.images.knows_patients
        assert len(said) == 1

    def test_a_split_that_leaves_a_part_empty_is_a_mistake_before_anything_runs(self, places):
        spec = make_spec(
            {
                "name": "x",
                "data": {"source": "demo", "demo": {"images": 40}},
                "weights": "random",
                "grid": {**MOBILENET, "split": "98/1/1"},
            }
        )
        with pytest.raises(UserError, match=r"^grid.split: 98/1/1 of 40 images leaves a part empty \(40/0/0 images\)"):
            prepare(spec, places)


class TestWeights:
    def test_files_on_this_machine_are_identified_by_content(self, places, images, keras_files):
        prepared, _ = prepare(spec_of(), places)
        before = prepared.plan.inputs.weights[ASKED[0]].sha256
        assert sources(prepared) == {WeightsSource.IMAGENET}
        assert prepared.plan.inputs.is_final
        keras_files[0].write_bytes(b"others")
        assert prepare(spec_of(), places)[0].plan.inputs.weights[ASKED[0]].sha256 != before

    def test_files_are_identified_together_and_written_down_once(self, places, images, keras_files, monkeypatch):
        written = []
        monkeypatch.setattr(hashes, "write_beside", lambda path: written.append(path) or write_beside(path))
        prepare(spec_of(), places)
        assert len(written) == 2, "once for the images, once for the weights"

    def test_a_plan_downloads_nothing_and_says_so(self, places, images, keras_home):
        prepared, said = prepare(spec_of(), places, download=False)
        assert {each.sha256 for each in prepared.plan.inputs.weights.values()} == {PENDING}
        assert said == ["the weights of 2 networks are not on this machine; `sweep run` downloads them"]

    @pytest.mark.usefixtures("_no_network")
    def test_real_images_never_meet_random_weights(self, places, images, keras_home):
        with pytest.raises(UserError, match=r"^weights: mobilenet-0.25-128.h5: could not be downloaded .* by hand at"):
            prepare(spec_of(), places)

    @pytest.mark.usefixtures("_no_network")
    def test_the_demo_goes_on_with_random_weights_for_all_networks_and_says_so(self, places, keras_files):
        keras_files[0].unlink()
        prepared, said = prepare(spec_of(fallback="demo"), places)
        assert sources(prepared) == {WeightsSource.RANDOM}
        assert said[-1] == weights.RANDOM_NOTICE
        assert not len(prepared.supply(key_of_weights(prepared, 1)))

    @pytest.mark.usefixtures("_no_network")
    def test_run_again_the_demo_keeps_its_random_weights_without_trying_to_download(
        self, places, keras_home, monkeypatch
    ):
        first, _ = prepare(spec_of(fallback="demo"), places)
        keep(first)
        monkeypatch.setattr(weights, "download_weights", None)
        again, said = prepare(spec_of(fallback="demo"), places)
        assert again.plan == first.plan
        assert said[-1] == weights.RANDOM_NOTICE

    @pytest.mark.usefixtures("_no_network")
    @pytest.mark.parametrize("wider", [{"learning_rate": [0.1, 0.01]}, {"alpha": [0.25, 0.5, 0.75]}])
    def test_a_wider_axis_leaves_the_decision_as_it_was(self, wider, places, keras_home, monkeypatch):
        first, _ = prepare(spec_of(fallback="demo"), places)
        keep(first)
        monkeypatch.setattr(weights, "download_weights", download_nonsense)
        spec = spec_of(fallback="demo").model_dump(mode="json")
        again, said = prepare(make_spec({**spec, "grid": {**spec["grid"], **wider}}), places)
        assert sources(again) == {WeightsSource.RANDOM}
        assert {trial.id for trial in first.plan.trials} < {trial.id for trial in again.plan.trials}
        assert said[-1] == weights.RANDOM_NOTICE

    @pytest.mark.usefixtures("_no_network")
    def test_a_new_network_without_weights_is_refused_where_the_others_were_decided_on(self, places, keras_files):
        first, _ = prepare(spec_of(fallback="demo"), places)
        keep(first)
        spec = spec_of(fallback="demo").model_dump(mode="json")
        with pytest.raises(UserError, match=r"^weights: mobilenet-0.75-128.h5: could not be downloaded"):
            prepare(make_spec({**spec, "grid": {**spec["grid"], "alpha": [0.25, 0.5, 0.75]}}), places)

    @pytest.mark.usefixtures("_no_network")
    def test_weights_that_have_come_since_are_taken_and_change_the_ids(self, places, keras_home, request):
        first, _ = prepare(spec_of(fallback="demo"), places)
        keep(first)
        request.getfixturevalue("keras_files")
        again, _ = prepare(spec_of(fallback="demo"), places)
        assert sources(again) == {WeightsSource.IMAGENET}
        assert not {trial.id for trial in again.plan.trials} & {trial.id for trial in first.plan.trials}

    def test_a_sweep_outlives_its_weights_files(self, places, images, keras_files):
        first, _ = prepare(spec_of(), places)
        keep(first)
        for file in keras_files:
            file.unlink()
        assert prepare(spec_of(), places)[0].plan == first.plan

    def test_other_weights_under_the_same_name_are_refused_when_they_are_needed(
        self, places, images, keras_files, monkeypatch
    ):
        first, _ = prepare(spec_of(), places)
        keep(first)
        keras_files[0].unlink()
        prepared, _ = prepare(spec_of(), places)
        keras_files[0].write_bytes(b"others")
        monkeypatch.setattr(weights, "download_weights", lambda *_: keras_files[0])
        with pytest.raises(UserError, match=r"^weights: .*2_5_128.* is not the file this sweep was run with"):
            prepared.supply(key_of_weights(prepared, 0))

    def test_other_images_under_the_same_name_are_said(self, places, images, keras_files):
        keep(prepare(spec_of(), places)[0])
        changed = next(images.rglob("*.jpeg"))
        changed.write_bytes(changed.read_bytes() + b" ")
        _, said = prepare(spec_of(), places)
        last = f"when {places.results / 'x'} was run last: every trial runs anew"
        assert said == [f"data/chest_xray: the images are others than {last}"]

    def test_finished_trials_that_run_anew_with_other_weights_are_counted(
        self, places, images, keras_files, monkeypatch
    ):
        first, _ = prepare(spec_of(), places)
        keep(first)
        monkeypatch.setattr(Store, "finished_ids", lambda _: {trial.id for trial in first.plan.trials})
        assert prepare(spec_of(), places)[1] == []
        keras_files[0].write_bytes(b"others")
        (line,) = prepare(spec_of(), places)[1]
        assert line == (
            "x: 1 of the finished trials will run anew, as their weights are others than before; what they came to "
            "stays in the store"
        )


class TestResume:
    def test_the_stored_spec_is_taken_with_the_images_it_was_run_on(self, places, images, keras_files, workplace):
        spec = spec_of()
        prepared, _ = prepare(spec, Places(places.results, images))
        keep(prepared)
        shutil.move(workplace / "data", workplace / "moved")
        images_now = workplace / "moved" / "chest_xray"
        assert locate_again(prepared.folder, Places(places.results, images_now))[1].images == images_now
        with pytest.raises(UserError, match=r"^data.folder: data/chest_xray is not there"):
            locate_again(prepared.folder, places)

    def test_a_demo_stays_a_demo_even_where_real_images_have_come(self, places, keras_files, request):
        prepared, _ = prepare(spec_of(fallback="demo"), places)
        keep(prepared)
        request.getfixturevalue("images")
        spec, location = locate_again(prepared.folder, places)
        assert (spec, location.folder, location.images) == (prepared.plan.spec, prepared.folder, None)

    def test_a_folder_without_a_sweep_is_a_mistake(self, places):
        with pytest.raises(UserError, match=r"nothing: holds no sweep \(no sweep.db\)"):
            locate_again(places.results / "nothing", places)


class TestNames:
    def test_a_sweep_named_like_another_one_s_demo_is_not_mixed_with_it(self, places, keras_files):
        first, _ = prepare(spec_of(fallback="demo"), places)
        keep(first)
        values = spec_of(source="demo").model_dump(mode="json")
        with pytest.raises(UserError) as mistake:
            prepare(make_spec({**values, "name": "x-demo"}), places)
        assert str(mistake.value) == (
            f"{places.results / 'x-demo'}: holds the sweep x, not x-demo; give x-demo another name with "
            "--set name=OTHER, or another folder with --results"
        )


def download_nonsense(source, kind, network):
    """Stand for a network that yields weights all of a sudden."""
    path = Path(f"{network}.h5")
    path.write_bytes(b"weights")
    return path


def keep(prepared):
    """Store a plan as a run does."""
    prepared.folder.mkdir(parents=True, exist_ok=True)
    with Store.open(prepared.folder) as store:
        prepared.introduce(store)
