"""Published figures are read as they are printed, and every mistake in a file is told in one line."""

import pytest
from study_example import MODELS, TRUE, make_example, read_example, report_on, save_example, write_report

from sweep.errors import UserError
from sweep.metrics import METRICS
from sweep.report.published import load_costs, load_means, read_means
from sweep.report.render import Format, render_report
from sweep.report.report import Request

PAPER = "duong-trung-2019"
ACCURACY = METRICS["accuracy"]
HEAD = "backbone,split,accuracy_mean_percent,accuracy_std_points\n"


@pytest.fixture
def write(tmp_path):
    def write_file(content):
        path = tmp_path / "theirs.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write_file


def test_a_table_of_another_task_is_refused_with_both_tasks(tmp_path):
    """The table 4 of a sweep of three classes, against one of two."""
    three = save_example(tmp_path / "three", classes=(26, 40, 34))
    write_report(three, Request(Format.CSV), tmp_path / "reports")
    two = save_example(tmp_path / "two")
    with pytest.raises(
        UserError,
        match=r"is about another task \(theirs: .*CLASS 2; ours: .*\); compare results on the same images and classes",
    ):
        write_report(two, Request(against=tmp_path / "reports" / "three" / "table4.csv"), tmp_path)


def test_the_published_tables_have_every_row_of_the_paper():
    means = load_means(PAPER, ACCURACY)
    assert (len(load_costs(PAPER).table), len(means.means), len(means.stds)) == (17, 48, 48)
    best = max(means.means, key=means.means.get)
    assert best == ("mobilenet-1-224", "80/10/10")
    assert (means.means[best], means.stds[best]) == (98.0, 0.17)
    assert means.name == PAPER


def test_a_paper_that_does_not_print_a_metric_is_not_compared_by_it():
    assert load_means(PAPER, METRICS["roc_auc"]) is None


def test_the_misprint_of_the_paper_is_remarked():
    assert '"244" in the paper\'s tables is a misprint of 224.' in load_costs(PAPER).remarks


def test_models_are_named_by_backbone_or_by_alpha_and_resolution(write):
    named = read_means(write(HEAD + "tiny-1-16,60/20/20,90.5,0.25\n"), ACCURACY)
    assert (named.means, named.stds) == ({("tiny-1-16", "60/20/20"): 90.5}, {("tiny-1-16", "60/20/20"): 0.25})
    head = "family,alpha,resolution,split,accuracy_mean_percent\n"
    assert read_means(write(head + "tiny,1.0,16,60/20/20,90.5\n"), ACCURACY).means == named.means
    head = "alpha,resolution,split,accuracy_mean_percent\n"
    assert list(read_means(write(head + "0.50,128,80/10/10,90\n"), ACCURACY).means) == [
        ("mobilenet-0.5-128", "80/10/10")
    ]


def test_deviations_may_be_left_out(write):
    assert read_means(write(HEAD + "tiny-1-16,60/20/20,90.5,\n"), ACCURACY).stds == {}
    assert read_means(write("backbone,split,accuracy_mean_percent\ntiny-1-16,60/20/20,90.5\n"), ACCURACY).stds == {}


def test_other_metrics_have_columns_of_their_own(write):
    file = write("backbone,split,log_loss_mean_nats,log_loss_std_nats\ntiny-1-16,60/20/20,0.25,0.01\n")
    assert read_means(file, METRICS["log_loss"]).means == {("tiny-1-16", "60/20/20"): 0.25}


def test_comments_blanks_and_a_byte_order_mark_do_no_harm(write):
    text = "\ufeff" + HEAD + "# a remark\ntiny-1-16, 60/20/20, 90.5, 0.1\n\n"
    assert read_means(write(text), ACCURACY).means == {("tiny-1-16", "60/20/20"): 90.5}


@pytest.mark.parametrize("metric", METRICS)
def test_the_table_4_of_another_sweep_can_be_compared_with(write, models, metric):
    study = read_example(models, metric)
    files = render_report(report_on(study), Format.CSV)
    found = read_means(write(files["table4.csv"]), METRICS[metric])
    assert found.means == {key: cell.value for key, cell in study.cells.items()}
    assert found.stds == {key: cell.std for key, cell in study.cells.items()}


def test_the_table_4_of_a_partial_sweep_can_be_compared_with(write):
    study = make_example(become=lambda trial: None if trial.alpha == 0.5 else TRUE, **MODELS)
    files = render_report(report_on(study), Format.CSV)
    found = read_means(write(files["table4.csv"]), ACCURACY)
    assert set(found.means) == {key for key, cell in study.cells.items() if cell.value is not None}


MISTAKES = {
    "an empty file": ("", "cannot be read as CSV (No columns to parse from file); name a readable CSV file"),
    "comments alone": ("# nothing\n", "cannot be read as CSV (No columns to parse from file)"),
    "not UTF-8": (HEAD.encode() + b"t\xefny,60/20/20,1,1\n", "cannot be read as CSV ('utf-8' codec can't decode byte"),
    "no columns": (
        "model,split\nx,60/20/20\n",
        "lacks the columns accuracy_mean_percent, alpha, resolution (found: model, split); needed are alpha",
    ),
    "no means": ("backbone,split\nx,60/20/20\n", "lacks the columns accuracy_mean_percent (found: backbone, split)"),
    "no number": (HEAD + "x,60/20/20,high,1\n", "row 1: accuracy_mean_percent 'high' is no number; mend the file"),
    "infinity": (HEAD + "x,60/20/20,inf,1\n", "row 1: accuracy_mean_percent 'inf' is no number"),
    "no deviation": (HEAD + "x,60/20/20,1,low\n", "row 1: accuracy_std_points 'low' is no number"),
    "no split": (HEAD + "x,60/20/20,1,1\nx,60/20,1,1\n", "row 2: "),
    "a split of 90": (HEAD + "x,60/20/10,1,1\n", "row 1: "),
    "a gap for a split": (HEAD + "x,,1,1\n", "row 1: "),
    "too many values": (HEAD + "x,60/20/20,1,1,1,1\n", ""),
    "impossible": (HEAD + "x,60/20/20,250,1\n", "row 1: accuracy_mean_percent 250 is impossible (allowed: 0 to 100)"),
    "fractions": (
        HEAD + "x,60/20/20,0.97,0.01\nx,80/10/10,1,0\n",
        "accuracy_mean_percent is nowhere above 1; give percentages, not fractions",
    ),
    "twice": (
        HEAD + "x,60/20/20,1,1\nx,80/10/10,2,1\nx,60/20/20,2,1\n",
        "row 3: x at 60/20/20 stands there twice; leave one",
    ),
    "no alpha": ("alpha,resolution,split,accuracy_mean_percent\nx,16,60/20/20,1\n", "row 1: alpha 'x' is no number"),
    "half a pixel": ("alpha,resolution,split,accuracy_mean_percent\n1,16.5,60/20/20,1\n", "row 1: "),
    "another family": (
        "family,alpha,resolution,split,accuracy_mean_percent\nresnet,1,16,60/20/20,1\n",
        "row 1: family 'resnet' is unknown (allowed: mobilenet, tiny); mend the file",
    ),
}


@pytest.mark.parametrize(("content", "message"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_in_a_file_is_told_in_one_line(write, content, message):
    path = write(content)
    with pytest.raises(UserError) as caught:
        read_means(path, ACCURACY)
    assert str(caught.value).startswith(f"{path}: {message}")
    assert "\n" not in str(caught.value)


def test_a_split_that_is_none_is_shown_as_it_stands_there(write):
    with pytest.raises(UserError, match=r"row 1: .*'60/20'.* is not a split|row 1: .*60/20 is not a split"):
        read_means(write(HEAD + "x,60/20,1,1\n"), ACCURACY)


def test_a_file_that_is_not_there_and_a_folder_are_told_in_one_line(tmp_path):
    for path in (tmp_path / "nowhere.csv", tmp_path):
        with pytest.raises(UserError, match=r": cannot be read \(.*\); name a readable CSV file$") as caught:
            read_means(path, ACCURACY)
        assert "\n" not in str(caught.value)
