"""Claims of a report where axes are not a plain product: conditional values, uneven repetitions, overridden roles."""

import numpy as np
import pytest
from study_example import read_notes, read_rows

from sweep.methods.table import make_plan
from sweep.metrics import METRICS
from sweep.report.cells import Selection
from sweep.report.frames import Asked, read_sweep
from sweep.report.inference import infer
from sweep.report.projection import Projection
from sweep.report.published import load_means
from sweep.report.report import make_report
from sweep.report.statistics.best import Draws, compare_pairs
from sweep.report.statistics.comparisons import find_scattering
from sweep.report.study import read_study
from sweep.spec.schema import Spec
from sweep.testing import fill_images, fill_store, make_answers, make_images, make_inputs, make_store

BASE = {"network": "tiny", "alpha": 1.0, "resolution": 16, "split": "60/20/20", "learning_rate": 0.1, "steps": 10}
BASE["shuffle"] = [0, 1, 2]
BOTH = [0.5, 1.0]


def read(*products, skill=lambda _: 0.9, roles=None, where=None, **fields):
    values = {"name": "x", "weights": "random", "grid": [{**BASE, **each} for each in products], "roles": roles or {}}
    spec = Spec.model_validate({**values, **fields})
    plan = make_plan(spec, make_inputs(spec, (130, 370)))
    images, store = make_images(plan.inputs), make_store()
    fill_images(store, plan, images)
    fill_store(store, plan, make_answers(plan, images, skill))
    frames, metric = read_sweep(store, Asked(where=where or {})), METRICS["accuracy"]
    return read_study(store, frames, metric, Selection.VALIDATION, load_means(frames, metric))


def report(*products, **options):
    study = read(*products, **options)
    return make_report(study, infer(study))


def tables(*products, **options):
    return {table.name: table for table in report(*products, **options).tables}


def test_a_mean_over_fewer_repetitions_than_others_is_named():
    found = tables({"resolution": [16, 32]}, {"alpha": 0.5, "shuffle": [0, 1]})
    assert "up to 3 shuffles" in found["means"].title
    assert "enter no comparison: tiny-0.5-16 at 60/20/20 (2 of 3)" in read_notes(found["means"])
    assert "have not finished all shuffles of the others: 1" in read_notes(found["standing_60-20-20"])
    assert read_rows(found["cost"])["tiny-0.5-16",]["pareto_60/20/20"] != "no"


def test_what_one_repetition_does_not_show_is_said_of_its_block_alone():
    def know(point):
        return 0.99 if point["alpha"] == 0.5 else 0.6

    options = {"alpha": BOTH, "split": "80/10/10", "shuffle": 0}, {"alpha": BOTH}
    details = " ".join(report(*options, skill=know).answer.details)
    assert "It holds for these very heads on new images of new patients: one shuffle" in details
    assert "At 60/20/20: It holds for heads trained on this pool of images" in details


@pytest.mark.parametrize("where", [{}, {"alpha": ["0.5"]}])
def test_a_tuned_axis_of_the_network_with_one_value_is_in_its_name(where):
    alpha = BOTH if where else 0.5
    study = read({"alpha": alpha, "resolution": [16, 32]}, roles={"alpha": "tuned"}, where=where)
    assert list(study.frames.models) == ["tiny-0.5-16", "tiny-0.5-32"]


def test_an_axis_is_crossed_although_another_follows_from_it():
    found = tables({"resize": ["bilinear", "nearest"], "alpha": BOTH})
    assert {axis for axis, _ in read_rows(found["effects"])} == {"alpha", "resize"}


def test_the_effect_of_a_tuned_axis_is_over_all_models_whatever_their_last_read_out():
    def know(point):
        return 0.97 if (point["alpha"] == 1) == (point["learning_rate"] == 0.1) else 0.6

    rates = {"learning_rate": [0.1, 0.01]}
    found = tables({**rates, "steps": [10, 20]}, {**rates, "alpha": 0.5, "steps": [10, 40]}, skill=know)
    assert abs(read_rows(found["effects"])["learning rate", "60/20/20"]["difference"]) < 10, "they cancel out"
    found = tables({"bundles": [{"learning_rate": 0.1, "steps": 10}, {"learning_rate": 0.01, "steps": 20}]})
    assert not found["effects"].rows, "the rates were read out at different steps"


def test_an_edge_is_one_of_what_was_tried_of_the_model():
    best = {"sgd": 0.001, "adam": 0.01, "momentum": 0.001}

    def know(point):
        return 0.97 if point["learning_rate"] == best[point["optimizer"]] else 0.6

    rates = {"sgd": [0.1, 0.01, 0.001], "adam": [0.01, 0.001, 0.0001], "momentum": 0.001}
    bundles = [{"optimizer": name, "learning_rate": values} for name, values in rates.items()]
    (found,) = (each for each in report({"bundles": bundles}, skill=know).warnings if "edge" in each)
    assert "In 2 of 3 cells" in found
    assert "learning rate 0.01, the largest, in 1; learning rate 0.001, the smallest, in 1" in found
    found = report({"bundles": bundles}, skill=know, where={"learning_rate": ["0.01", "0.001"]}).warnings
    assert not any("edge" in each for each in found), "values beyond were tried and are left out here"
    assert any("Only a part of the sweep is looked at (learning_rate 0.01 or 0.001)" in each for each in found)


def test_a_paper_has_no_figure_of_a_model_whose_width_is_chosen():
    mobilenet = {"network": "mobilenet", "alpha": [0.25, 1.0], "resolution": 224, "split": "80/10/10"}
    options = {"roles": {"alpha": "tuned"}, "published": "duong-trung-2019", "weights": "imagenet"}
    assert not read(mobilenet, **options).published.means
    assert read({**mobilenet, "alpha": 1.0}, **options).published.means == {("mobilenet-1-224", "80/10/10"): 98.0}


def test_shares_add_up_where_an_axis_applies_to_some_points_only():
    found = tables({"alpha": BOTH, "optimizer": ["sgd", "momentum", "adam"], "momentum": [0.5, 0.9]})
    shares = [row["share_percent"] for row in read_rows(found["variance"]).values()]
    assert sum(share for share in shares if share is not None) == pytest.approx(100)


def test_a_repetition_takes_the_seconds_of_one_in_every_block():
    study = read({"alpha": BOTH}, {"alpha": BOTH, "split": "80/10/10", "shuffle": [0, 1, 2, 3, 4, 5, 6, 7, 8]})
    for standing in infer(study).standings.values():
        assert Projection.of(study, standing, 1.0).seconds == pytest.approx(2.0 * 2 / 12)
    part = read({"alpha": BOTH, "learning_rate": [0.1, 0.01]}, where={"learning_rate": ["0.1"]})
    assert Projection.of(part, infer(part).standings["60/20/20"], 1.0).seconds is None


def test_a_model_that_scatters_more_than_the_others_is_named():
    generator = np.random.default_rng(0)
    values = 90 + generator.normal(0, 1, (1, 10)) + generator.normal(0, 0.2, (8, 10))
    assert find_scattering(values) == []
    values[3] += generator.normal(0, 2, 10)
    assert find_scattering(values) == [3]
    assert find_scattering(values[:2]) == find_scattering(values[:, :1]) == find_scattering(np.full((3, 4), 90.0)) == []
    false = sum(bool(find_scattering(generator.normal(0, 1, (16, 5)))) for _ in range(300))
    assert false <= 12


def test_a_p_value_is_below_5_percent_exactly_where_bounds_leave_out_0():
    errors = np.full((2, 2), 1.0)
    values = np.random.default_rng(0).normal(0, 0.2, (2000, 2))  # smaller than the errors that are allowed
    for difference in np.linspace(0, 4, 41):
        found = compare_pairs([difference, 0.0], Draws(values, errors))
        assert (found.p_values[0, 1] < 0.05) == bool(found.is_distinct[0, 1])


def test_when_any_model_may_be_the_best_they_are_not_listed():
    details = " ".join(
        report({"sampling": ["class_balanced", "uniform"], "hidden": [[], [2], [4], [8]]}).answer.details
    )
    assert "Any of the 8 models may be the best at 60/20/20." in details


def test_of_many_candidates_the_first_are_named():
    def know(point):
        return 0.6 if point["hidden"] == (8,) else 0.95

    details = " ".join(
        report(
            {"sampling": ["class_balanced", "uniform"], "hidden": [[], [2], [4], [8], [9], [10]]}, skill=know
        ).answer.details
    )
    assert "10 of the 12 models may be the best at 60/20/20: " in details
    assert " and 4 more." in details


def test_shares_that_overlap_are_not_ranked():
    def know(point):
        return 0.95 if (point["optimizer"], point["learning_rate"]) == ("adam", 0.01) else 0.7

    bundles = [
        {"optimizer": "sgd", "learning_rate": [0.1, 0.01]},
        {"optimizer": "adam", "learning_rate": [0.01, 0.001]},
    ]
    notes = read_notes(tables({"bundles": bundles, "alpha": BOTH}, skill=know)["variance"])
    assert "The shares overlap, as the grid is not complete: they cannot be ranked." in notes
