"""Our cells stand beside published ones, and the table says how far they agree."""

import re

import pytest
from study_example import ONE_CONFIGURATION, make_example, publish, read_notes, read_rows, tabulate

SPLIT = "60/20/20"
NAMES = ("tiny-0.5-16", "tiny-0.5-32", "tiny-1-16", "tiny-1-32")
GRID = {"alpha": [0.5, 1.0], "resolution": [16, 32], **ONE_CONFIGURATION}


@pytest.fixture(scope="module")
def ours():
    """Means of the four models, lowest skill first."""
    return {name: cell.value for (name, _), cell in make_example(**GRID).cells.items()}


def compare(means, stds=None, metric="accuracy", **options):
    published = publish({(name, SPLIT): mean for name, mean in means.items()}, stds)
    return tabulate(make_example(metric, published=published, **{**GRID, **options}))["against"]


def test_a_row_holds_ours_theirs_and_the_difference(ours):
    rows = read_rows(compare({"tiny-1-16": 50.0}, {("tiny-1-16", SPLIT): 0.25}))
    row = rows["tiny-1-16", SPLIT]
    assert (row["ours"], row["theirs"], row["theirs_std"]) == (ours["tiny-1-16"], 50.0, 0.25)
    assert row["difference"] == pytest.approx(ours["tiny-1-16"] - 50.0)
    assert [key[0] for key in rows] == list(NAMES)


def test_a_cell_without_a_published_figure_has_no_difference_and_no_verdict():
    row = read_rows(compare({"tiny-1-16": 50.0}))["tiny-1-32", SPLIT]
    assert (row["theirs"], row["difference"], row["inside"]) == (None, None, None)
    assert row["lower"] < row["ours"] < row["upper"]


def test_a_published_figure_is_inside_exactly_between_the_ends_of_our_interval(ours):
    ends = read_rows(compare(ours))
    shifted = {}
    for place, name in enumerate(NAMES):
        row = ends[name, SPLIT]
        shifted[name] = (row["lower"], row["upper"], row["lower"] - 0.01, row["upper"] + 0.01)[place]
    rows = read_rows(compare(shifted))
    assert [rows[name, SPLIT]["inside"] for name in NAMES] == ["yes", "yes", "no", "no"]


def test_the_notes_count_the_cells_inside_and_average_the_differences(ours):
    theirs = {name: mean - shift for (name, mean), shift in zip(ours.items(), (1, -2, 60, 1), strict=True)}
    notes = read_notes(compare(theirs))
    assert "inside our 95 % interval: 3 of 4" in notes
    assert re.search(r"Mean absolute difference:? 16\.00\b", notes)
    assert re.search(r"\(ours - theirs\):? \+15\.00\b", notes)
    assert re.search(r"largest:? \+60\.00\b.*points", notes)


def test_models_in_the_same_order_correlate_perfectly_and_in_the_reverse_order_inversely(ours):
    ranked = sorted(ours, key=ours.get)
    assert len(set(ours.values())) == 4
    same = {name: place for place, name in enumerate(ranked)}
    assert f": 1.00 at {SPLIT} (4 models)" in read_notes(compare(same))
    assert f": -1.00 at {SPLIT} (4 models)" in read_notes(compare({name: -place for name, place in same.items()}))


def test_two_models_are_too_few_for_a_rank_correlation(ours):
    assert f": cannot tell at {SPLIT} (2 models)" in read_notes(compare({name: ours[name] for name in NAMES[:2]}))


def test_without_the_images_there_is_a_difference_but_no_verdict(ours):
    table = compare(ours, has_images=False)
    assert {row["inside"] for row in read_rows(table).values()} == {None}
    assert "inside our 95 % interval: cannot tell" in read_notes(table)
    assert all(row["difference"] is not None for row in read_rows(table).values())


def test_nothing_finished_leaves_nothing_to_compare(ours):
    table = compare(ours, become=lambda _: None)
    assert "cannot tell, no mean over all shuffles has a figure of theirs beside it" in read_notes(table)
    assert [row["theirs"] for row in read_rows(table).values()] == list(ours.values())


def test_a_metric_without_a_unit_is_compared_without_one():
    table = compare({"tiny-1-16": 0.5}, metric="cohen_kappa")
    texts = [column.title for column in table.columns] + [read_notes(table)]
    assert not any(re.search(r"\(\)|  | [.;,]", text) for text in texts)


def test_the_table_names_what_it_compares_with(ours):
    assert compare(ours).title == "Against the figures of a paper: test accuracy (%)"
