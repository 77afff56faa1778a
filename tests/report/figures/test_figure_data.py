"""A figure is a frame of what its marks say; numbers are checked there, never in pixels."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from figure_example import (
    ANSWER,
    COSTS,
    SPLITS,
    add_published,
    add_readouts,
    answer_by_model,
    draw_data,
    judge,
    make_curves,
    make_readout,
    make_study,
    make_whole_study,
    name_model,
)

from sweep.report.figures.behaviour import MOST_MARKS
from sweep.report.figures.estimates import MOST_NAMED, MOST_NAMED_LONG, MOST_PANELS
from sweep.report.figures.means import measure_leads

BEST, COST, HEATMAP, CURVES = "best", "accuracy-vs-mult-adds", "heatmap-60-20-20", "learning-curves"
SENSITIVITY, CONFUSION, ROC, DIFFERENCE = (
    "sensitivity-learning-rate",
    "confusion-matrix",
    "roc",
    "difference-to-published",
)

STEPS = "sensitivity-steps"
WIDTHS = [(0.1, 1.0), (0.1, 0.3), (0.6, 1.0), (0.6, 2.0)]  # half of the bounds and margin, at means 0.5 points apart
ENDS = {0: [0.5, 0.8], 1: [0.6, 0.9]}  # curves by shuffle


def leave_out(model, split, share=1.0):
    """Answer for all but one cell, or but a share of its shuffles."""

    def answer(point):
        is_out = (name_model(point), point["split"]) == (model, split) and point["shuffle"] < 3 * share
        return None if is_out else answer_by_model(point)

    return answer


def rows_of(frame, **values):
    for name, value in values.items():
        frame = frame[frame[name] == value]
    return frame


# -- which figures there are -------------------------------------------------------------------------------------


def test_a_whole_study_has_every_figure_in_the_order_of_a_report():
    expected = [BEST, COST, HEATMAP, "heatmap-62.5-17.5-20", DIFFERENCE, SENSITIVITY]
    expected += [STEPS, CURVES, CONFUSION, ROC]
    study = make_whole_study()
    assert list(draw_data(study, judge(study))) == expected


def test_a_sweep_without_results_has_no_figure():
    assert draw_data(make_study(lambda _: None)) == {}


def test_without_scores_the_figures_of_the_answers_model_are_left_out():
    assert set(draw_data(make_study())) == {COST, HEATMAP, "heatmap-62.5-17.5-20", SENSITIVITY, STEPS}


def test_an_answer_without_a_model_has_neither_curves_nor_confusion_matrix():
    figures = draw_data(make_whole_study(), answer=replace(ANSWER, model=None, is_shown=False))
    assert not {CURVES, CONFUSION, ROC} & set(figures)


def test_the_figures_of_the_answers_model_name_it_and_its_split():
    figures = draw_data(make_whole_study())
    assert all(figures[name].title.endswith(" of tiny-0.5-32 at 60/20/20") for name in (CURVES, CONFUSION, ROC))


@pytest.mark.parametrize("axis", ["alpha", "resolution"])
def test_a_single_alpha_or_resolution_makes_no_heat_map(axis):
    study = make_study(**{axis: {"alpha": 1.0, "resolution": 32}[axis]})
    assert set(draw_data(study)) == {COST, SENSITIVITY, STEPS}


def test_a_single_learning_rate_makes_no_sensitivity():
    assert SENSITIVITY not in draw_data(make_study(learning_rate=0.1))


def test_every_figure_carries_the_stamp():
    stamps = {figure.stamp for figure in draw_data(make_whole_study(is_demo=True)).values()}
    assert stamps == {"DEMO IMAGES, RANDOM WEIGHTS"}


def test_every_figure_has_the_columns_of_its_kind_and_each_row_a_label_of_its_own():
    for figure in draw_data(make_whole_study()).values():
        assert list(figure.frame.index) == list(range(len(figure.frame)))
        assert figure.frame["text"].any()
        assert list(figure.frame) == [*figure.kind.value, "text"]


def test_data_are_made_without_matplotlib():
    probe = "import sys, sweep.report.figures.data; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", probe], check=False).returncode == 0


# -- against the best --------------------------------------------------------------------------------------------


def test_models_stand_against_the_best_of_the_others_the_best_first():
    study = make_study()
    frame = draw_data(study, judge(study, half=8.0))[BEST].frame
    assert frame["row"].to_list() == ["tiny-0.5-32", "tiny-1-32", "tiny-0.5-16", "tiny-1-16"]
    assert frame["value"].to_list() == pytest.approx([5, -5, -15, -25])
    assert frame[["lower", "upper"]].to_numpy()[1] == pytest.approx([-13, 3])
    assert frame["is_chosen"].to_list() == [True, False, False, False]
    assert frame["text"].to_list()[1] == (
        "tiny-1-32: 5.0 points behind the best other model (95 % bounds -13.00 to 3.00); cannot tell"
    )


def test_every_verdict_of_a_model_is_that_of_its_bounds():
    study = make_study(lambda point: (0.9 - 0.01 * (point["alpha"] - 0.5),) * 2, resolution=16)
    series = [draw_data(study, judge(study, half, margin))[BEST].frame["series"].to_list() for half, margin in WIDTHS]
    assert series == [
        ["may be the best", "within the margin"],
        ["may be the best", "worse"],
        ["may be the best", "cannot tell"],
        ["may be the best", "may be the best"],
    ]


def test_where_lower_is_better_the_smallest_mean_is_ahead():
    study = make_study(metric="log_loss")
    frame = draw_data(study, judge(study))[BEST].frame
    assert frame["row"].to_list()[0] == "tiny-0.5-32"
    assert frame["value"].to_list()[0] == pytest.approx(0.05)


def test_equal_means_lead_by_nothing():
    assert measure_leads(np.array([3.0, 3.0, 1.0])).tolist() == [0.0, 0.0, -2.0]


def test_a_figure_against_the_best_says_its_margin_its_bars_and_what_is_bold():
    study = make_study()
    figure = draw_data(study, judge(study, margin=2.5))[BEST]
    assert (figure.reference, figure.reference_label) == (-2.5, "margin 2.5 points")
    assert figure.note == "Bars: 95 % bounds, for all models together. Bold: the model to take."
    open_answer = replace(ANSWER, is_shown=False)
    assert draw_data(study, judge(study), open_answer)[BEST].note.endswith("Bold: the best mean.")


@pytest.mark.parametrize(("width", "most"), [(8, MOST_NAMED), (1000, MOST_NAMED_LONG)])
def test_of_many_models_the_best_are_drawn_and_the_note_says_so(width, most):
    study = make_study(
        **HEADS | {"hidden": [[width + each] * (1 + width // 500) for each in range(15)]}, split=SPLITS[0]
    )
    figure = draw_data(study, judge(study), replace(ANSWER, model="tiny-0.5-32, hidden layers 8"))[BEST]
    assert len(figure.frame) == min(most, len(study.cells))
    assert figure.note.endswith(f"Of 60 models: the {most} best at 60/20/20.")


def test_without_a_comparison_nothing_stands_against_the_best():
    assert BEST not in draw_data(make_study())


# -- against cost ------------------------------------------------------------------------------------------------


def test_a_point_says_its_numbers_in_words():
    study = make_study()
    point = rows_of(draw_data(study, judge(study))[COST].frame, model="tiny-0.5-32", panel="60/20/20").iloc[0]
    assert point["text"] == (
        "tiny-0.5-32, 60/20/20: 95.0 % (95 % interval 93.0 to 97.0), 0.05 M mult-adds, in the Pareto set"
    )
    assert tuple(point[["x", "value", "lower", "upper"]]) == pytest.approx((0.05, 95.0, 93.0, 97.0))


def test_the_pareto_set_holds_what_nothing_cheaper_beats():
    frame = draw_data(make_study())[COST].frame
    for split in SPLITS:
        assert set(rows_of(frame, panel=split, is_pareto=True)["model"]) == {"tiny-0.5-16", "tiny-0.5-32"}


def test_where_lower_is_better_the_pareto_set_turns_round():
    frame = draw_data(make_study(metric="log_loss"))["log-loss-vs-mult-adds"].frame
    assert set(rows_of(frame, is_pareto=True)["model"]) == {"tiny-0.5-16", "tiny-0.5-32"}
    assert rows_of(frame, model="tiny-0.5-32")["value"].to_list() == pytest.approx([0.05, 0.05])


def test_an_unknown_interval_is_no_interval_and_the_caption_says_so():
    study = make_study()
    figure = draw_data(study)[COST]
    assert figure.frame[["lower", "upper"]].isna().all(axis=None)
    assert "too few shuffles to tell" in figure.caption
    assert "too few" not in draw_data(study, judge(study))[COST].caption


def test_an_incomplete_cell_is_counted_in_its_words():
    study = make_study(leave_out("tiny-1-16", "60/20/20", share=1 / 3))
    figures = draw_data(study)
    point = rows_of(figures[COST].frame, model="tiny-1-16", panel="60/20/20").iloc[0]
    assert (point["finished"], point["planned"]) == (8, 12)
    assert "8/12 trials finished" in point["text"]
    assert "Hollow marks" in figures[COST].caption
    assert "Hollow marks" not in draw_data(make_study())[COST].caption
    assert figures[COST].stamp == "RANDOM WEIGHTS, PARTIAL SWEEP"


def test_panels_follow_the_spec_not_the_alphabet():
    frame = draw_data(make_study(split=["62.5/17.5/20", "60/20/20"]))[COST].frame
    assert list(frame["panel"].unique()) == ["62.5/17.5/20", "60/20/20"]


def test_models_that_cost_the_same_are_not_drawn_against_cost():
    assert COST not in draw_data(make_study(**HEADS), costs=dict.fromkeys(make_study(**HEADS).frames.models, 5.0))


def test_marks_of_one_cost_are_set_beside_each_other_and_the_note_says_so():
    study = make_study(**HEADS)
    costs = {model: COSTS[model.partition(",")[0]] for model in study.frames.models}
    figure = draw_data(study, costs=costs)[COST]
    frame = rows_of(figure.frame, panel="60/20/20", x=0.01)
    assert frame["drawn_x"].nunique() == len(frame) == 2
    assert figure.note.endswith("Marks of nearly the same cost stand beside each other.")
    assert figure.frame["series"].unique().tolist() == ["alpha 1", "alpha 0.5"]


def test_models_without_a_number_are_told_apart_by_network_or_what_else_there_is():
    study = make_study(**HEADS | {"hidden": [[], [8]], "sampling": ["uniform"]}, alpha=1.0, resolution=16)
    figure = draw_data(study, costs=dict(zip(study.frames.models, (1.0, 2.0), strict=True)))[COST]
    assert figure.frame["series"].unique().tolist() == ["hidden layers none", "hidden layers 8"]


# -- heat maps ---------------------------------------------------------------------------------------------------


def test_a_heat_map_has_wide_models_on_top_and_large_images_to_the_right():
    frame = draw_data(make_study())[HEATMAP].frame
    assert list(frame["row"].unique()) == ["alpha 1", "alpha 0.5"]
    assert list(frame["column"].unique()) == ["16", "32"]
    assert frame["value"].to_list() == pytest.approx([70.0, 90.0, 80.0, 95.0])


def test_all_heat_maps_share_one_colour_scale():
    figures = draw_data(make_study(leave_out("tiny-1-16", "60/20/20")))
    scales = {figures[name].limits for name in figures if name.startswith("heatmap")}
    assert scales == {(70.0, 95.0)}


def test_a_colour_scale_is_at_least_two_margins_wide_and_the_caption_says_when_differences_are_small():
    study = make_study()
    narrow = draw_data(study, judge(study, margin=5.0))[HEATMAP]
    assert narrow.limits == pytest.approx((70.0, 95.0))
    assert "less than the margin" not in narrow.caption
    wide = draw_data(study, judge(study, margin=30.0))[HEATMAP]
    assert wide.limits == pytest.approx((52.5, 112.5))
    assert "All means lie within 25.0 points, less than the margin of 30.0 points." in wide.caption


def test_a_heat_cell_without_a_result_stays_in_its_place():
    cell = draw_data(make_study(leave_out("tiny-1-16", "60/20/20")))[HEATMAP].frame.iloc[0]
    assert np.isnan(cell["value"])
    assert cell["text"] == "tiny-1-16, 60/20/20: no result"


HEADS = {"hidden": [[], [8]], "learning_rate": 0.1, "steps": 10, "shuffle": 0}  # more models, each quickly made


def test_heat_maps_are_apart_for_what_else_is_compared_and_say_so():
    figures = draw_data(make_study(**HEADS, split=SPLITS[0]))
    maps = {name: figure.title for name, figure in figures.items() if name.startswith("heatmap")}
    assert maps == {
        "heatmap-60-20-20-hidden-layers-none": "Test accuracy (%), split 60/20/20, hidden layers none",
        "heatmap-60-20-20-hidden-layers-8": "Test accuracy (%), split 60/20/20, hidden layers 8",
    }
    assert [len(figures[name].frame) for name in maps] == [4, 4]


def test_any_two_compared_numbers_span_a_map():
    study = make_study(**HEADS | {"hidden": [[]], "learning_rate": [0.1, 0.01]}, roles={"learning_rate": "compared"})
    figures = draw_data(study, answer=replace(ANSWER, model=None))
    pairs = ("alpha-resolution", "alpha-learning_rate", "resolution-learning_rate")
    assert all(sum(name.startswith(f"heatmap-{pair}-60-20-20") for name in figures) == 2 for pair in pairs)
    frame = figures["heatmap-alpha-learning_rate-60-20-20-resolution-16"].frame
    assert frame["row"].to_list() == ["alpha 1", "alpha 1", "alpha 0.5", "alpha 0.5"]
    assert frame["column"].to_list() == ["0.01", "0.1"] * 2
    assert frame["value"].to_list() == pytest.approx([60.0, 70.0, 70.0, 80.0])


def test_too_many_panels_and_maps_leave_those_of_the_answer():
    splits = [f"{100 - 2 * share}/{share}/{share}" for share in range(20, 20 + MOST_PANELS + 1)]
    figures = draw_data(make_study(**HEADS | {"hidden": [[]]}, split=splits))
    assert [name for name in figures if name.startswith("heatmap")] == [HEATMAP]
    assert list(figures[COST].frame["panel"].unique()) == ["60/20/20"]


# -- beside published means --------------------------------------------------------------------------------------


def test_a_difference_is_ours_minus_published_and_its_bar_our_interval():
    study = add_published(make_study(), {("tiny-1-32", "60/20/20"): 88.5})
    frame = draw_data(study, judge(study))[DIFFERENCE].frame
    assert frame[["value", "lower", "upper"]].to_numpy()[0] == pytest.approx([1.5, -0.5, 3.5])
    assert frame["text"].to_list() == [
        "tiny-1-32, 60/20/20: 90.0 % (95 % interval 88.0 to 92.0), published 88.5 %, difference +1.5 points"
    ]


def test_published_means_of_other_models_make_no_difference_figure():
    assert DIFFERENCE not in draw_data(add_published(make_study(), {("tiny-9-99", "60/20/20"): 88.5}))


# -- learning rates ----------------------------------------------------------------------------------------------


def test_sensitivity_is_the_mean_over_models_with_their_range():
    frame = draw_data(make_study())[SENSITIVITY].frame
    point = rows_of(frame, panel="60/20/20", part="test", series="20 steps", x=0.01).iloc[0]
    assert tuple(point[["value", "lower", "upper"]]) == pytest.approx((73.75, 60.0, 85.0))
    assert point["text"] == ("test, 60/20/20, learning rate 0.01, 20 steps: 73.8 % (60.0 to 85.0 over 4 models)")


def test_sensitivity_counts_only_models_that_have_finished():
    frame = draw_data(make_study(leave_out("tiny-1-16", "60/20/20")))[SENSITIVITY].frame
    assert rows_of(frame, panel="60/20/20")["text"].str.contains("over 3 models").all()
    assert rows_of(frame, panel="62.5/17.5/20")["text"].str.contains("over 4 models").all()


def test_a_tuned_number_has_a_line_for_each_value_of_the_next_and_a_scale_as_wide_as_its_values():
    grid = {"shuffle": 0, "steps": [10, 20], "learning_rate": [0.1, 0.01], "weight_decay": [0.0, 0.1]}
    figures = draw_data(make_study(**grid))
    series = {name: figures[f"sensitivity-{name}"] for name in ("learning-rate", "weight-decay", "steps")}
    assert [figure.frame["series"].unique().tolist() for figure in series.values()] == [
        ["weight decay 0", "weight decay 0.1"],
        ["10 steps", "20 steps"],
        ["learning rate 0.1", "learning rate 0.01"],
    ]
    assert [figure.x_label for figure in series.values()] == ["Learning rate (log scale)", "Weight decay", "Steps"]
    assert "over all models of the mean over the values of steps" in series["learning-rate"].caption


def test_a_value_that_does_not_apply_is_no_point_but_a_line_of_its_own():
    grid = {"optimizer": ["sgd", "momentum"], "momentum": [0.5, 0.9], "steps": 10, "shuffle": 0}
    figures = draw_data(make_study(**grid))
    assert figures["sensitivity-momentum"].frame["x"].unique().tolist() == [0.5, 0.9]
    assert "no momentum" in figures[SENSITIVITY].frame["series"].unique()


# -- the model of the answer ------------------------------------------------------------------------------------------


def test_the_mean_curve_runs_between_the_lowest_and_the_highest_shuffle():
    readouts = [make_readout([0, 1], [0, 0], shuffle, make_curves(values)) for shuffle, values in ENDS.items()]
    figure = draw_data(add_readouts(make_study(), *readouts))[CURVES]
    mean = rows_of(figure.frame, series="mean")
    assert mean[["x", "value", "lower", "upper"]].to_numpy()[-1] == pytest.approx([20, 85.0, 80.0, 90.0])
    assert mean["text"].iloc[-1] == "mean, 20 steps: 85.0 % (shuffles 80.0 % to 90.0 %)"
    assert figure.reference == 10


def test_the_mean_curve_keeps_to_steps_that_all_shuffles_have():
    short, long = (
        make_readout([0, 1], [0, 0], 0, make_curves([0.5])),
        make_readout([0, 1], [0, 0], 1, make_curves(ENDS[1])),
    )
    frame = draw_data(add_readouts(make_study(), short, long))[CURVES].frame
    assert rows_of(frame, series="mean")["x"].to_list() == [10]


def test_a_single_shuffle_has_a_curve_but_no_mean():
    study = add_readouts(make_study(), make_readout([0, 1], [0, 0], 2, make_curves([0.5, 0.6])))
    assert set(draw_data(study)[CURVES].frame["series"]) == {"shuffle 2"}


def test_a_long_curve_keeps_all_its_points_but_few_marks():
    study = add_readouts(make_study(), make_readout([0, 1], [0, 0], 0, make_curves(np.linspace(0.5, 0.9, 400))))
    frame = draw_data(study)[CURVES].frame
    marked = frame[frame["text"] != ""]
    assert len(frame) == 400
    assert len(marked) == MOST_MARKS
    assert list(marked.index[[0, -1]]) == [0, 399]


def test_many_curves_share_the_marks_that_one_has():
    readouts = [make_readout([0, 1], [0, 0], shuffle, make_curves(np.linspace(0.5, 0.9, 50))) for shuffle in range(30)]
    frame = draw_data(add_readouts(make_study(shuffle=list(range(30))), *readouts))[CURVES].frame
    marks = frame[frame["text"] != ""].groupby("series").size()
    assert marks["mean"] == MOST_MARKS
    assert marks.drop("mean").to_list() == [4] * 30


def test_without_stored_curves_there_is_no_learning_curve():
    assert CURVES not in draw_data(add_readouts(make_study(), make_readout([0, 1], [0, 0])))


def test_the_learning_curve_of_log_loss_is_one_of_log_loss():
    study = add_readouts(make_study(metric="log_loss"), make_readout([0, 1], [0, 0], 0, make_curves([0.25])))
    figure = draw_data(study)[CURVES]
    assert figure.y_label == "Validation log loss (nats)"
    assert figure.frame["text"].to_list() == ["shuffle 0, 10 steps: 0.750 nats"]


def test_the_confusion_matrix_sums_over_shuffles_and_shares_sum_to_a_row():
    readouts = (make_readout([0, 0, 1, 1], [-1, 1, 1, 1]), make_readout([0, 0, 1, 1], [-1, -1, 1, -1], repeat=1))
    frame = draw_data(add_readouts(make_study(), *readouts))[CONFUSION].frame
    assert frame["count"].to_list() == [3, 1, 1, 3]
    assert frame["value"].to_list() == pytest.approx([75, 25, 25, 75])
    assert frame["text"].iloc[1] == "true NORMAL, predicted PNEUMONIA: 1 of 4 images (25.0 % of all NORMAL)"


@pytest.mark.parametrize(("shuffles", "said"), [(1, "One shuffle."), (3, "Sum of 3 shuffles;")])
def test_a_confusion_matrix_says_over_how_many_shuffles_it_sums(shuffles, said):
    readouts = [make_readout([0, 1], [-1, 1], shuffle) for shuffle in range(shuffles)]
    figure = draw_data(add_readouts(make_study(), *readouts))[CONFUSION]
    assert figure.note.startswith(said)
    assert said in figure.caption


def test_a_class_without_test_images_has_counts_but_no_shares():
    study = make_study(classes=(30, 30, 30))
    frame = draw_data(add_readouts(study, make_readout([0, 1], np.eye(3)[:2])))[CONFUSION].frame
    absent = rows_of(frame, row="CLASS 2")
    assert absent["count"].to_list() == [0, 0, 0]
    assert absent["value"].isna().all()


def test_a_roc_curve_of_a_perfect_ranking_has_the_whole_area():
    frame = draw_data(add_readouts(make_study(), make_readout([0, 0, 1, 1], [-2, -1, 1, 2])))[ROC].frame
    assert set(frame["series"]) == {"shuffle 0, AUC 100.00 %"}
    assert frame[["x", "value"]].to_numpy()[[0, -1]].tolist() == [[0, 0], [100, 100]]


def test_two_classes_have_a_roc_curve_for_each_shuffle():
    readouts = (make_readout([0, 1, 0, 1], [-1, 1, 2, 3]), make_readout([0, 1], [-1, 1], repeat=1))
    figure = draw_data(add_readouts(make_study(), *readouts))[ROC]
    assert list(figure.frame["series"].unique()) == ["shuffle 0, AUC 75.00 %", "shuffle 1, AUC 100.00 %"]
    assert figure.y_label == "True-positive rate, PNEUMONIA (%)"


def test_more_classes_have_a_roc_curve_for_each_averaged_over_shuffles():
    study, eye = make_study(classes=(30, 30, 30)), np.eye(3)
    readouts = (make_readout([0, 1, 2], eye), make_readout([0, 1, 2], eye[[1, 0, 2]], repeat=1))
    names = list(draw_data(add_readouts(study, *readouts))[ROC].frame["series"].unique())
    assert names == ["class NORMAL, AUC 62.50 %", "class PNEUMONIA, AUC 62.50 %", "class CLASS 2, AUC 100.00 %"]


def test_a_shuffle_whose_test_images_are_of_one_class_has_no_roc_curve():
    assert ROC not in draw_data(add_readouts(make_study(), make_readout([1, 1], [0, 1])))


def test_class_names_that_cannot_be_printed_do_not_reach_a_drawing():
    study = make_whole_study()
    data = replace(study.frames.inputs.data, classes=("A\x07\udcff", "B<&$"))
    study = replace(study, frames=replace(study.frames, inputs=replace(study.frames.inputs, data=data)))
    assert list(draw_data(study)[CONFUSION].frame["row"].unique()) == ["A??", "B<&$"]
