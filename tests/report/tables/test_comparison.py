"""Published means stand beside ours, and the table of means says how far they agree."""

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
    return tabulate(make_example(metric, published=published, **{**GRID, **options}))["means"]


def test_a_row_holds_ours_and_theirs(ours):
    rows = read_rows(compare({"tiny-1-16": 50.0}, {("tiny-1-16", SPLIT): 0.25}))
    row = rows["tiny-1-16",]
    assert (row["accuracy_mean_percent"], row["published"], row["published_std"]) == (ours["tiny-1-16"], 50.0, 0.25)
    assert [key[0] for key in rows] == list(NAMES)


def test_a_cell_without_a_published_figure_has_none_beside_it():
    row = read_rows(compare({"tiny-1-16": 50.0}))["tiny-1-32",]
    assert (row["published"], row["published_std"]) == (None, None)
    assert row["lower"] < row["accuracy_mean_percent"] < row["upper"]


def test_a_published_figure_is_inside_exactly_between_the_ends_of_our_interval(ours):
    ends = read_rows(compare(ours))
    for place, expected in enumerate((4, 4, 3, 3)):
        shifted = dict(ours)
        row = ends[NAMES[place],]
        shifted[NAMES[place]] = (row["lower"], row["upper"], row["lower"] - 0.01, row["upper"] + 0.01)[place]
        assert f"inside our 95 % interval: {expected} of 4" in read_notes(compare(shifted))


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


def test_without_the_images_there_is_a_difference_but_no_interval(ours):
    notes = read_notes(compare(ours, has_images=False))
    assert "inside our 95 % interval: cannot tell" in notes
    assert "Mean absolute difference" in notes


def test_nothing_finished_leaves_nothing_to_compare(ours):
    table = compare(ours, become=lambda _: None)
    assert "cannot tell, no mean over all shuffles has a figure of theirs beside it" in read_notes(table)
    assert [row["published"] for row in read_rows(table).values()] == list(ours.values())


def test_a_metric_without_a_unit_is_compared_without_one():
    table = compare({"tiny-1-16": 0.5}, metric="cohen_kappa")
    texts = [column.title for column in table.columns] + [read_notes(table)]
    assert not any(re.search(r"\(\)|  | [.;,]", text) for text in texts)


def test_the_table_names_what_it_compares_with(ours):
    assert "(…): as a paper gives it." in read_notes(compare(ours))
