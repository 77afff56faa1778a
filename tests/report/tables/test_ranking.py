"""Models are ranked, and letters and notes say what can be told of them and what cannot."""

import re

import numpy as np
import pytest
from study_example import MODELS, ONE_CONFIGURATION, TRUE, make_example, read_notes, read_rows, tabulate

from sweep.report.cells import Mark
from sweep.report.inference import infer
from sweep.report.render import list_records

SPLIT = "60/20/20"
FOUR = {"alpha": [0.5, 1.0], "resolution": [16, 32], **ONE_CONFIGURATION}
LARGE = {"classes": (520, 1480), "shuffle": [0, 1, 2, 3, 4]}  # enough to tell the worst from the best


def rank(metric="accuracy", **options):
    return tabulate(make_example(metric, **{**FOUR, **options}))["ranking_60-20-20"]


def rank_rows(metric="accuracy", **options):
    return list(read_rows(rank(metric, **options)).values())


@pytest.fixture(scope="module")
def large():
    return make_example(**FOUR, **LARGE)


def test_models_stand_in_the_order_of_their_means():
    rows = rank_rows()
    assert [row["rank"] for row in rows] == [1, 2, 3, 4]
    means = [row["mean"] for row in rows]
    assert means == sorted(means, reverse=True)
    assert len(set(means)) == 4


def test_the_lowest_log_loss_comes_first():
    means = [row["mean"] for row in rank_rows("log_loss")]
    assert means == sorted(means)


def test_every_split_has_its_own_ranking(compared):
    assert {"ranking_60-20-20", "ranking_80-10-10"} <= set(compared)
    assert "at 80/10/10" in compared["ranking_80-10-10"].title


def test_an_interval_holds_the_mean_and_stays_between_0_and_100():
    for row in rank_rows(skill=lambda _: 0.97):
        assert 0 <= row["lower"] <= row["mean"] <= row["upper"] <= 100


def test_models_share_a_letter_exactly_if_they_are_not_told_apart(large):
    tables = tabulate(large)
    letters = {row["backbone"]: row["groups"] for row in read_rows(tables["ranking_60-20-20"]).values()}
    verdicts = {}
    for (_, first, second), row in read_rows(tables["pairs"]).items():
        verdicts[first, second] = row["distinct"]
        assert (row["distinct"] == "no") == bool(set(letters[first]) & set(letters[second]))
        assert (row["distinct"] == "yes") == (row["p_value"] < 0.05)
    assert set(verdicts.values()) == {"yes", "no"}


def test_the_best_model_has_the_first_letter(large):
    first, *_ = read_rows(tabulate(large)["ranking_60-20-20"]).values()
    assert "a" in first["groups"]


def test_the_notes_say_how_many_tie_with_the_best_and_which_of_these_is_cheapest(large):
    tables = tabulate(large)
    rows = list(read_rows(tables["ranking_60-20-20"]).values())
    best = set(rows[0]["groups"])
    tied = [row["backbone"] for row in rows if best & set(row["groups"])]
    costs = {name: row["mult_adds_m"] for (name,), row in read_rows(tables["cost"]).items()}
    cheapest = min((name for name in tied if name != rows[0]["backbone"]), key=costs.get)
    notes = read_notes(tables["ranking_60-20-20"])
    assert 1 < len(tied) < 4
    assert re.search(rf"the best mean is .*{tied[0]}\b", notes)
    assert re.search(rf"; {4 - len(tied)} of the 3 others can be told apart from it", notes)
    assert re.search(rf"The cheapest model that cannot: {cheapest} \({costs[cheapest]:.2f} M mult-adds\)", notes)


def test_a_best_model_apart_from_all_others_is_said_to_be():
    skills = {0.5: 0.6, 1.0: 0.95}
    notes = read_notes(rank(skill=lambda trial: skills[trial.backbone.alpha], resolution=16, **LARGE))
    assert re.search(r"the best mean is .*tiny-1-16; it can be told apart from all", notes)


def test_the_notes_say_how_small_a_difference_the_sweep_can_show():
    found = re.search(r"Smallest difference that 3 shuffles can show.*?: \D*(\d+\.\d+) points\b", read_notes(rank()))
    detectable = infer(make_example(**FOUR)).rankings[SPLIT].detectable
    assert float(found[1]) == pytest.approx(detectable, abs=0.05)


def test_more_images_show_smaller_differences(large):
    assert infer(large).rankings[SPLIT].detectable < infer(make_example(**FOUR)).rankings[SPLIT].detectable


def test_the_notes_count_pairs_for_both_questions(large):
    tables = tabulate(large)
    pairs = read_rows(tables["pairs"]).values()
    as_models = sum(row["distinct"] == "yes" for row in pairs)
    as_classifiers = sum(row["classifier_p_value"] < 0.05 for row in pairs)
    notes = read_notes(tables["ranking_60-20-20"])
    assert re.search(rf"Pairs told apart: {as_models} of 6\b.*\b{as_classifiers} of 6\b", notes)
    assert as_models <= as_classifiers


def test_every_procedure_is_named_with_its_source(compared):
    for name in ("ranking_60-20-20", "pairs"):
        methods = " ".join(compared[name].methods)
        assert all(source in methods for source in ("Nadeau and Bengio 2003", "Holm 1979", "Piepho 2004"))


# -- cannot tell -------------------------------------------------------------------------------------------------


def assert_nothing_is_told(table):
    group = [column.key for column in table.columns].index("groups")
    assert all(row[group].value is None and Mark.CANNOT_TELL in row[group].marks for row in table.rows)
    notes = read_notes(table)
    assert "cannot tell" in notes.lower()
    assert "it takes two or more models" in notes.lower()
    assert "Smallest difference" not in notes
    assert "Pairs told apart" not in notes


def test_one_shuffle_cannot_tell_and_has_no_interval():
    table = rank(shuffle=0)
    assert_nothing_is_told(table)
    assert {(row["lower"], row["upper"]) for row in read_rows(table).values()} == {(None, None)}


def test_one_model_cannot_be_compared():
    assert_nothing_is_told(rank(alpha=1.0, resolution=16))


def test_models_whose_shuffles_have_not_all_finished_are_left_out_of_the_groups():
    table = rank(become=lambda trial: None if trial.backbone.alpha == 0.5 and trial.shuffle == 2 else TRUE)
    groups = {row["backbone"]: row["groups"] for row in read_rows(table).values()}
    assert {name for name, letters in groups.items() if letters is None} == {"tiny-0.5-16", "tiny-0.5-32"}
    assert re.search(r"left .*not all of their shuffles have finished: 2\.", read_notes(table))


def test_a_model_with_a_single_finished_shuffle_has_no_interval():
    rows = rank_rows(become=lambda trial: None if trial.backbone.alpha == 0.5 and trial.shuffle else TRUE)
    ends = {row["backbone"]: (row["lower"], row["upper"]) for row in rows}
    assert ends["tiny-0.5-16"] == (None, None)
    assert None not in ends["tiny-1-16"]


def test_no_model_with_all_shuffles_leaves_nothing_to_compare():
    table = rank(become=lambda trial: None if trial.shuffle else TRUE)
    assert_nothing_is_told(table)
    assert {row["rank"] for row in read_rows(table).values()} == {None}


def test_models_without_a_result_come_last_without_a_rank():
    rows = rank_rows(become=lambda trial: None if trial.backbone.alpha == 0.5 else TRUE)
    assert [row["rank"] for row in rows] == [1, 2, None, None]
    assert {row["backbone"] for row in rows[2:]} == {"tiny-0.5-16", "tiny-0.5-32"}


# -- pairs -------------------------------------------------------------------------------------------------------


def test_pairs_hold_every_pair_of_every_split_once(compared):
    pairs = [(split, frozenset((first, second))) for split, first, second in read_rows(compared["pairs"])]
    assert len(pairs) == len(set(pairs)) == 2 * 6
    assert compared["pairs"].is_detail


def test_the_difference_of_a_pair_is_that_of_their_means(compared):
    rows = list_records(compared["table4"])
    means = {(row["split"], row["backbone"]): row["accuracy_mean_percent"] for row in rows}
    for (split, first, second), row in read_rows(compared["pairs"]).items():
        assert row["difference"] == pytest.approx(means[split, first] - means[split, second])
        assert row["standard_error"] > 0


def test_p_values_never_exceed_1_nor_fall_with_a_smaller_difference(compared):
    rows = sorted(read_rows(compared["pairs"]).values(), key=lambda row: abs(row["difference"] / row["standard_error"]))
    for split in MODELS["split"]:
        values = [row["p_value"] for row in rows if row["split"] == split]
        assert np.all(np.diff(values) <= 1e-12)
        assert max(values) <= 1


@pytest.mark.parametrize("metric", ["precision", "cohen_kappa"])
def test_pairs_without_a_standard_error_cannot_be_told(metric):
    table = tabulate(make_example(metric, **FOUR, classes=(3, 7)))["pairs"]
    for row in read_rows(table).values():
        assert row["standard_error"] is None or np.isfinite(row["standard_error"])
        assert row["distinct"] != "yes"


def test_a_metric_without_a_unit_is_named_without_brackets():
    tables = tabulate(make_example("cohen_kappa", **FOUR))
    titles = [column.title for name in ("pairs", "ranking_60-20-20") for column in tables[name].columns]
    assert not [title for title in titles if "()" in title]
    assert not re.search(r"  | \.", read_notes(tables["ranking_60-20-20"]))
