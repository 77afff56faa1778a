"""The answer names a model that is shown to do, or says why none is."""

import math
import re
from dataclasses import replace

import pytest
from study_example import MODELS, ONE_CONFIGURATION, fill_example, make_example, read_example

from sweep.methods.probe.axes import network_of
from sweep.metrics import METRICS
from sweep.report.answer import make_answer
from sweep.report.cells import Selection
from sweep.report.inference import infer
from sweep.report.statistics.errors import About
from sweep.report.study import Study
from sweep.report.warnings import list_warnings
from sweep.testing import make_store

SPLIT = "60/20/20"
SKILLS = {"tiny-0.5-16": 0.70, "tiny-1-16": 0.96, "tiny-0.5-32": 0.965, "tiny-1-32": 0.97}  # by cost
GRID = {"alpha": [0.5, 1.0], "resolution": [16, 32], "split": SPLIT, "classes": (1040, 2960), **ONE_CONFIGURATION}


def know(point):
    return SKILLS[str(network_of(point))]


def answer(study, about=About.POOL, **changes):
    study = replace(study, frames=replace(study.frames, **changes))
    return make_answer(study, infer(study, about))


@pytest.fixture(scope="module")
def large() -> Study:
    """Four models, three of them close, on many images over eight shuffles."""
    return make_example(skill=know, **GRID, shuffle=list(range(8)))


def test_the_cheapest_model_that_is_shown_to_be_within_the_margin_is_taken(large):
    found = answer(large, margin=5.0)
    assert found.headline == f"Take tiny-1-16: the cheapest model shown to be within 5.0 points of the best at {SPLIT}."
    assert (found.key, found.is_shown) == (("tiny-1-16", SPLIT), True)


def test_a_weak_study_recommends_no_cheap_model():
    """The fewer the images, the less is shown: never a cheaper model for want of evidence."""
    weak = answer(make_example(skill=know, **{**GRID, "classes": (26, 74)}))
    assert not weak.is_shown
    assert re.match(
        r"No model is shown to be within 1\.0 points of the best at 60/20/20 by 3 shuffles\.", weak.headline
    )


def test_what_is_lost_and_what_it_costs_stands_beside_the_model(large):
    found, inference = answer(large, margin=5.0), infer(large)
    standing = inference.standings[SPLIT]
    lost = -standing.ranks.lower[standing.models.index("tiny-1-16")]
    assert found.details[0].startswith(
        f"How sure: it loses at most {math.ceil(10 * lost) / 10:.1f} points against the best"
    )
    interval = inference.intervals[found.key]
    assert f"95 % interval {interval.lower:.1f} to {interval.upper:.1f}; " in found.details[1]
    assert "M mult-adds an image" in found.details[1]


def test_models_that_share_the_best_mean_are_all_named():
    found = answer(make_example(skill=lambda _: 1 - 1e-9, **{**GRID, "classes": (26, 74)}, shuffle=[0, 1]))
    assert found.headline.endswith("The best mean is 100.0 %, of tiny-0.5-16, tiny-0.5-32, tiny-1-16 and tiny-1-32.")


def test_more_shuffles_are_foreseen_where_they_would_show_a_model(large):
    details = " ".join(answer(large, margin=1.2).details)
    found = re.search(r"About (\d+) more shuffles .*?would show (a cheaper one|one), tiny", details)
    assert int(found[1]) > 0


def test_where_a_wider_margin_is_needed_it_says_so():
    alike = make_example(skill=lambda _: 1 - 1e-9, **GRID)
    assert "it takes more images or a wider margin" in " ".join(answer(alike, margin=0.001).details)


def test_the_split_with_the_most_training_images_is_answered_first(models):
    study = read_example(models)
    found = answer(study)
    assert found.block == "80/10/10"
    assert any("60/20/20" in detail for detail in found.details)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"become": lambda _: None, **MODELS}, "no model has finished all of its shuffles"),
        ({"has_images": False, **MODELS}, "the store has no list of the images"),
        ({"split": SPLIT}, "only tiny-1-16 can be judged, and there is none to compare it with"),
    ],
)
def test_where_nothing_can_be_told_the_reason_is_the_true_one(options, reason):
    found = answer(make_example(**options))
    assert found.model is None
    assert found.headline.endswith(f"cannot tell, since {reason}.")


def test_a_store_that_lost_its_partitions_is_not_said_to_lack_a_metric():
    store = fill_example(make_store(), **MODELS)
    store.connection.execute("DELETE FROM parts")
    assert "the store does not say which images were tested" in answer(read_example(store)).headline


def test_a_metric_that_is_not_defined_is_not_called_unfinished():
    study = make_example("sensitivity", classes=(13, 3), shuffle=[0, 1, 2, 3], alpha=[0.5, 1.0])
    assert "the sensitivity is not defined for the answers of any finished model" in answer(study).headline


@pytest.mark.parametrize(
    ("about", "words"), [(About.POOL, "not for another pool"), (About.PROCEDURE, "any pool of images")]
)
def test_what_it_holds_for_is_said_beside_it(large, about, words):
    assert words in " ".join(answer(large, about).details)


def test_one_shuffle_speaks_of_these_very_heads():
    found = answer(make_example(skill=know, **GRID, shuffle=0), margin=5.0)
    assert found.is_shown
    assert "these very heads" in " ".join(found.details)


def test_unknown_patients_are_said_to_be(large):
    images = replace(large.frames.images, patients=(None,) * 4000)
    found = answer(replace(large, frames=replace(large.frames, images=images)))
    assert "Patients are not known for every image" in " ".join(found.details)


def test_a_choice_on_test_images_is_called_too_high():
    assert "the means are too high" in " ".join(
        answer(make_example(select=Selection.TEST, **{**GRID, "steps": [10, 20]}, skill=know)).details
    )


# -- warnings ----------------------------------------------------------------------------------------------------


def read_paper(metric="accuracy", **options):
    """A sweep whose spec names a paper, as a report without a file to compare with reads it."""
    return read_example(fill_example(make_store(), published="duong-trung-2019", **options), metric)


def warn(study):
    return " ".join(list_warnings(study, infer(study)))


def test_chosen_values_at_the_edge_of_the_grid_are_warned_of_with_the_axis_to_widen():
    rates = {"learning_rate": [0.1, 0.01, 0.001], "steps": [10, 20, 30]}
    best = lambda rate, steps: lambda point: 0.9 if (point["learning_rate"], point["steps"]) == (rate, steps) else 0.6  # noqa: E731
    edge = warn(make_example(skill=best(0.1, 20), classes=(260, 740), **rates))
    assert "In 1 of 1 cells a chosen value lies at the edge of the grid (learning rate 0.1, the largest, in 1)" in edge
    assert "Try higher values in grid.learning_rate." in edge
    assert "edge" not in warn(make_example(skill=best(0.01, 20), classes=(260, 740), **rates))
    assert "edge" not in warn(make_example(skill=best(0.1, 20), learning_rate=0.1, steps=10))


def test_the_best_of_many_is_said_to_be_too_high_by_a_number(models):
    study = read_example(models)
    standing = infer(study).standings[SPLIT]
    shown = f"{standing.left_out:.2f} instead of {standing.means.max():.2f} % at {SPLIT}"
    assert shown in warn(study)


def test_another_task_is_not_compared_with_the_paper_and_the_reason_is_said():
    three = read_paper(classes=(26, 40, 34))
    assert three.published is None
    ours, theirs = "real images, classes NORMAL, PNEUMONIA, CLASS 2", "real images, classes NORMAL, PNEUMONIA"
    assert f"Not compared with duong-trung-2019: another task (ours: {ours}; theirs: {theirs})." in warn(three)
    assert "another task (ours: drawn demo images" in warn(read_paper(is_demo=True))


def test_a_metric_the_paper_does_not_print_is_said_to_be():
    assert "it prints no log loss" in warn(read_paper("log_loss"))


def test_every_metric_has_an_answer(models):
    for metric in METRICS:
        assert answer(read_example(models, metric)).headline
