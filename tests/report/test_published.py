"""Published figures are read as they are printed, and every mistake in a file is told in one line."""

import pytest
from study_example import MODELS, TRUE, fill_example, make_example, read_example, report_on, save_example, write_report

from sweep.errors import UserError
from sweep.metrics import METRICS
from sweep.report.frames import read_sweep
from sweep.report.profiles import PROFILES
from sweep.report.published import load_costs, load_means, read_means
from sweep.report.render import Format, render_report
from sweep.report.report import Request
from sweep.testing import make_store

PAPER = "duong-trung-2019"
PAPER_GRID = {
    "network": "mobilenet",
    "alpha": [1.0, 0.75, 0.5, 0.25],
    "resolution": [224, 192, 160, 128],
    "split": ["80/10/10", "70/15/15", "60/20/20"],
    "shuffle": 0,
    "learning_rate": 0.1,
    "steps": 10,
}
ACCURACY = METRICS["accuracy"]
HEAD = "backbone,split,accuracy_mean_percent,accuracy_std_points\n"


@pytest.fixture
def write(tmp_path):
    def write_file(content):
        path = tmp_path / "theirs.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write_file


def read_paper(**axes):
    store = fill_example(make_store(), become=lambda _: None, has_images=False, published=PAPER, **PAPER_GRID, **axes)
    return read_sweep(store)


@pytest.fixture(scope="module")
def paper():
    """The frames of a sweep of the paper's models, without results."""
    return read_paper()


@pytest.fixture
def frames(models):
    return read_example(models).frames


def test_a_table_of_another_task_is_refused_with_both_tasks(tmp_path):
    """The table 4 of a sweep of three classes, against one of two."""
    three = save_example(tmp_path / "three", classes=(26, 40, 34))
    write_report(three, Request(Format.CSV), tmp_path / "reports")
    two = save_example(tmp_path / "two")
    with pytest.raises(
        UserError,
        match=r"is about another task \(theirs: .*CLASS 2; ours: .*\); compare results on the same images and classes",
    ):
        write_report(two, Request(against=tmp_path / "reports" / "three" / "means.csv"), tmp_path)


def test_the_published_tables_have_every_row_of_the_paper(paper):
    means = load_means(paper, ACCURACY)
    assert (len(load_costs(PROFILES[PAPER])), len(means.means), len(means.stds)) == (17, 48, 48)
    best = max(means.means, key=means.means.get)
    assert best == ("mobilenet-1-224", "80/10/10")
    assert (means.means[best], means.stds[best]) == (98.0, 0.17)
    assert means.name == PAPER


def test_a_paper_that_does_not_print_a_metric_is_not_compared_by_it(paper):
    assert load_means(paper, METRICS["roc_auc"]) is None


def test_the_misprint_of_the_paper_is_remarked():
    assert '"244" in the paper\'s tables is a misprint of 224.' in PROFILES[PAPER].remarks


def test_models_are_named_by_their_label_or_by_values_on_their_axes(write, frames, paper):
    key = ("tiny-1-16", "60/20/20")
    for head, row in (
        ("backbone,split", "tiny-1-16,60/20/20"),
        ("model,block", "tiny-1-16,60/20/20"),
        ("network,alpha,resolution,split", "tiny,1.0,16,60/20/20"),
        ("alpha,resolution,split", "1,16,60/20/20"),
    ):
        found = read_means(
            write(f"{head},accuracy_mean_percent,accuracy_std_points\n{row},90.5,0.25\n"), frames, ACCURACY
        )
        assert (found.means, found.stds, found.strangers) == ({key: 90.5}, {key: 0.25}, ())
    head = "alpha,resolution,split,accuracy_mean_percent\n"
    assert list(read_means(write(head + "0.50,128,80/10/10,90\n"), paper, ACCURACY).means) == [
        ("mobilenet-0.5-128", "80/10/10")
    ]


def test_a_row_that_stands_for_several_cells_is_refused_and_a_papers_is_left_out(write, frames):
    path = write("alpha,split,accuracy_mean_percent\n1,60/20/20,90\n")
    with pytest.raises(
        UserError, match=r"row 1: stands for several cells \(tiny-1-16 at 60/20/20, .*\); name more axes"
    ):
        read_means(path, frames, ACCURACY)
    assert load_means(read_paper(hidden=[[], [8]]), ACCURACY).means == {}


def test_deviations_may_be_left_out(write, frames):
    assert read_means(write(HEAD + "tiny-1-16,60/20/20,90.5,\n"), frames, ACCURACY).stds == {}
    assert (
        read_means(write("backbone,split,accuracy_mean_percent\ntiny-1-16,60/20/20,90.5\n"), frames, ACCURACY).stds
        == {}
    )


def test_other_metrics_have_columns_of_their_own(write, frames):
    file = write("backbone,split,log_loss_mean_nats,log_loss_std_nats\ntiny-1-16,60/20/20,0.25,0.01\n")
    assert read_means(file, frames, METRICS["log_loss"]).means == {("tiny-1-16", "60/20/20"): 0.25}


def test_comments_blanks_and_a_byte_order_mark_do_no_harm(write, frames):
    text = "\ufeff" + HEAD + "# a remark\ntiny-1-16, 60/20/20, 90.5, 0.1\n\n"
    assert read_means(write(text), frames, ACCURACY).means == {("tiny-1-16", "60/20/20"): 90.5}


@pytest.mark.parametrize("metric", METRICS)
def test_the_table_4_of_another_sweep_can_be_compared_with(write, models, metric):
    study = read_example(models, metric)
    files = render_report(report_on(study), Format.CSV)
    found = read_means(write(files["means.csv"]), study.frames, METRICS[metric])
    assert found.means == {key: cell.value for key, cell in study.cells.items()}
    assert found.stds == {key: cell.std for key, cell in study.cells.items()}


def test_the_table_4_of_a_partial_sweep_can_be_compared_with(write):
    study = make_example(become=lambda trial: None if trial.alpha == 0.5 else TRUE, **MODELS)
    files = render_report(report_on(study), Format.CSV)
    found = read_means(write(files["means.csv"]), study.frames, ACCURACY)
    assert set(found.means) == {key for key, cell in study.cells.items() if cell.value is not None}


X = "tiny-1-16"
MISTAKES = {
    "an empty file": ("", "cannot be read as CSV (No columns to parse from file); name a readable CSV file"),
    "comments alone": ("# nothing\n", "cannot be read as CSV (No columns to parse from file)"),
    "not UTF-8": (HEAD.encode() + b"t\xefny,60/20/20,1,1\n", "cannot be read as CSV ('utf-8' codec can't decode byte"),
    "no cells": (
        "x,accuracy_mean_percent\n1,1\n",
        "lacks columns (found: x, accuracy_mean_percent); needed are accuracy_",
    ),
    "no means": (
        f"backbone,split\n{X},60/20/20\n",
        "lacks columns (found: backbone, split); needed are accuracy_mean_per",
    ),
    "no number": (HEAD + f"{X},60/20/20,high,1\n", "row 1: accuracy_mean_percent 'high' is no number; mend the file"),
    "infinity": (HEAD + f"{X},60/20/20,inf,1\n", "row 1: accuracy_mean_percent 'inf' is no number"),
    "no deviation": (HEAD + f"{X},60/20/20,1,low\n", "row 1: accuracy_std_points 'low' is no number"),
    "a split that is none": (HEAD + f"{X},60/20,1,1\n", "has no cell of this sweep (found: tiny-1-16 at 60/20, "),
    "a gap for a split": (HEAD + f"{X},,1,1\n", "has no cell of this sweep (found: tiny-1-16 at nan, "),
    "too many values": (HEAD + f"{X},60/20/20,1,1,1,1\n", ""),
    "impossible": (
        HEAD + f"{X},60/20/20,250,1\n",
        "row 1: accuracy_mean_percent 250 is impossible (allowed: 0 to 100)",
    ),
    "fractions": (
        HEAD + f"{X},60/20/20,0.97,0.01\n{X},80/10/10,1,0\n",
        "accuracy_mean_percent is nowhere above 1; give percentages, not fractions",
    ),
    "twice": (
        HEAD + f"{X},60/20/20,1,1\n{X},80/10/10,2,1\n{X},60/20/20,2,1\n",
        "row 3: tiny-1-16 at 60/20/20 stands there twice; leave one",
    ),
    "another network": (
        "network,alpha,resolution,split,accuracy_mean_percent\nresnet,1,16,60/20/20,1\n",
        "has no cell of this sweep (found: resnet at 1 at 16 at 60/20/20, ...; the sweep has: tiny-0.5-16 at 60/20/20",
    ),
}


@pytest.mark.parametrize(("content", "message"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_in_a_file_is_told_in_one_line(write, frames, content, message):
    path = write(content)
    with pytest.raises(UserError) as caught:
        read_means(path, frames, ACCURACY)
    assert str(caught.value).startswith(f"{path}: {message}")
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_and_a_folder_are_told_in_one_line(tmp_path, frames):
    for path in (tmp_path / "nowhere.csv", tmp_path):
        with pytest.raises(UserError, match=r": cannot be read \(.*\); name a readable CSV file$") as caught:
            read_means(path, frames, ACCURACY)
        assert "\n" not in str(caught.value)
