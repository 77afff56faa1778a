"""A terminal gets one screen of a report: the answer first, the means best first, no line longer than the terminal."""

from dataclasses import replace

import pytest
from study_example import MODELS, TRUE, fill_example, read_example

from sweep.report.cells import Selection
from sweep.report.frames import Asked
from sweep.report.inference import infer
from sweep.report.report import Written, make_report
from sweep.report.screen import MODELS_SHOWN, WIDEST, draw_screen
from sweep.testing import make_store

WIDTHS = (60, 80, 100, 140)
TALL = 1000  # lines: nothing is shortened for the height


@pytest.fixture(scope="module", autouse=True)
def _plain_surroundings():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TERM", "xterm-256color")
        for name in ("NO_COLOR", "COLORTERM", "FORCE_COLOR"):
            patch.delenv(name, raising=False)
        yield


def write_study(tmp_path, study):
    inference = infer(study)
    report = make_report(study, inference)
    return Written(report, inference.describe_margin(study.metric), "", (tmp_path / "report.md",))


@pytest.fixture(scope="module")
def written(models, tmp_path_factory):
    return write_study(tmp_path_factory.mktemp("reports"), read_example(models))


@pytest.fixture(scope="module")
def names(written):
    return [row[0].value for row in find_means(written).rows]


def find_means(written):
    return next(table for table in written.report.tables if table.content == "means")


def with_rows(written, rows):
    tables = [replace(table, rows=rows) if table.content == "means" else table for table in written.report.tables]
    return replace(written, report=replace(written.report, tables=tuple(tables)))


def draw(written, width=100, height=TALL, *, is_terminal=False):
    return draw_screen(written, width, height, is_terminal=is_terminal)


def unwrap(text):
    return " ".join(text.split())


def list_models(text):
    """The first words of the lines of the table."""
    lines = text.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("──"))
    return [line.split()[0] for line in lines[start + 1 :] if line.startswith("tiny-")]


@pytest.mark.parametrize("width", [40, *WIDTHS])
def test_no_line_is_longer_than_the_terminal_or_than_can_be_read(written, width):
    assert max(map(len, draw(written, width).splitlines())) <= min(width, WIDEST)


@pytest.mark.parametrize("width", WIDTHS)
def test_the_headline_comes_first_and_every_sentence_of_the_answer_is_there(written, width):
    text = unwrap(draw(written, width))
    stamp = f"{written.report.header.stamp} "
    assert text.startswith(stamp + written.report.answer.headline)
    assert all(detail in text for detail in written.report.answer.details)


@pytest.mark.parametrize("width", WIDTHS)
def test_all_models_are_named_once_best_first_at_the_answer_s_split(written, names, width):
    place = [column.key for column in find_means(written).columns].index(written.report.answer.block)
    means = {row[0].value: row[place].value for row in find_means(written).rows}
    assert list_models(draw(written, width)) == sorted(names, key=lambda name: -means[name])


def test_of_a_loss_the_smallest_comes_first(models, tmp_path):
    written = write_study(tmp_path, read_example(models, "log_loss"))
    place = [column.key for column in find_means(written).columns].index(written.report.answer.block)
    means = {row[0].value: row[place].value for row in find_means(written).rows}
    assert list_models(draw(written)) == sorted(means, key=means.get)


@pytest.mark.parametrize("width", WIDTHS)
def test_every_split_has_a_column_and_every_symbol_a_legend(written, width):
    text = draw(written, width)
    heads = next(line for line in text.splitlines() if line.startswith("model"))
    assert {"60/20/20", "80/10/10"} <= set(heads.split())
    rows = [line for line in text.splitlines() if line.startswith("tiny-")]
    found = {symbol for row in rows for symbol in row.split() if symbol in "★≈↓?…"}
    legend = text.partition(rows[-1])[2].partition("!")[0]
    assert found
    assert {word for word in legend.split() if word in "★≈↓?…"} == found


def test_the_interval_is_left_out_where_the_terminal_is_narrow(written):
    assert "95 % interval " in draw(written, 80).partition("──")[0].splitlines()[-1]
    assert "95 % interval " not in draw(written, 48).partition("──")[0].splitlines()[-1]


def test_the_published_figure_stands_beside_where_there_is_one(written):
    table = find_means(written)
    assert "published" not in draw(written, 140)
    rows = tuple((row[0], *(replace(cell, published=81.25) for cell in row[1:])) for row in table.rows)
    compared = with_rows(written, rows)
    assert "published" in draw(compared, 140)
    assert "81.2" in draw(compared, 140)


def test_sixteen_models_fit_and_of_more_the_best_are_shown_with_the_answer_s(written):
    table = find_means(written)
    place = [column.key for column in table.columns].index(written.report.answer.block)

    def repeat(count):
        rows = []
        for number in range(count):
            name, *cells = table.rows[0]
            key = (f"tiny-{number:02}", written.report.answer.block)
            cells[place - 1] = replace(cells[place - 1], value=90.0 - number, key=key)
            rows.append((replace(name, value=key[0]), *cells))
        return with_rows(written, tuple(rows))

    assert len(list_models(draw(repeat(MODELS_SHOWN)))) == 16
    many = repeat(20)
    assert "... and 4 more: --full" in draw(many)
    assert list_models(draw(many)) == [f"tiny-{number:02}" for number in range(16)]
    taken = replace(many.report.answer, model="tiny-19")
    shown = list_models(draw(replace(many, report=replace(many.report, answer=taken))))
    assert shown == [*(f"tiny-{number:02}" for number in range(15)), "tiny-19"]


def test_a_long_name_is_broken_and_leaves_room_for_its_mean(written):
    name = "mobilenet_v2-1-224, hidden layers 1024-1024-512, optimizer adam"
    rows = tuple((replace(row[0], value=name), *row[1:]) for row in find_means(written).rows)
    text = draw(with_rows(written, rows), 80)
    assert max(map(len, text.splitlines())) <= 80
    broken = [line.split("  ")[0] for line in text.partition("──")[2].splitlines()[1 : 1 + 3 * len(rows)]]
    assert " ".join(broken) == " ".join([name] * len(rows))
    assert text.count(" ± ") >= len(rows)


def test_rows_of_several_models_keep_their_order_and_every_panel_is_counted(models, tmp_path):
    text = draw(write_study(tmp_path, read_example(models, asked=Asked(("alpha",), ("resolution",)))))
    rows = [line.split()[0] for line in text.partition("──")[2].splitlines()[1:3]]
    assert rows == ["0.5", "1"]
    assert "split 80/10/10" in text
    assert "... and 1 more such table: --full" in text


def test_models_without_results_are_named_below_and_partial_ones_come_last(tmp_path):
    def drop(trial):
        is_partial = trial.network == "tiny-1-16" and trial.shuffle
        return None if trial.network == "tiny-1-32" or is_partial else TRUE

    store = fill_example(make_store(), become=drop, **MODELS)
    text = draw(write_study(tmp_path, read_example(store)))
    assert text.startswith(" RANDOM WEIGHTS, PARTIAL SWEEP \n")
    assert list_models(text)[-1] == "tiny-1-16"
    assert "No result yet: tiny-1-32\n" in text
    assert "… not finished" in text


def test_a_sweep_without_any_result_says_so(tmp_path):
    text = draw(write_study(tmp_path, read_example(fill_example(make_store(), become=lambda _: None))))
    assert "cannot tell, since no model has finished" in unwrap(text)
    assert "No result yet: tiny-1-16\n" in text


def test_demo_images_are_stamped_first_and_loudly(tmp_path):
    written = write_study(tmp_path, read_example(fill_example(make_store(), is_demo=True)))
    first = draw(written, is_terminal=True).splitlines()[0]
    assert "DEMO IMAGES, RANDOM WEIGHTS" in first
    assert first.startswith("\x1b[1;37;41m")


def test_what_was_chosen_on_test_says_that_it_is_too_high(models, tmp_path):
    chosen = write_study(tmp_path, read_example(models, select=Selection.TEST))
    text = unwrap(draw(chosen))
    assert "chosen on test images: the means are too high" in text
    assert "learning rate and steps best on test, as papers often print; optimistic model" in text


def test_warnings_are_the_first_few_shortened_to_the_terminal_s_height(written):
    texts = tuple(f"Warning {number}: {'the words of a sentence ' * 20}" for number in range(5))
    warned = replace(written, report=replace(written.report, warnings=texts))
    tall, low = draw(warned), draw(warned, height=24)
    for text in (tall, low):
        assert all(f"! Warning {number}" in text for number in range(3))
        assert "... and 2 more warnings: --full\n" in text
    assert "\n\n" in tall
    assert "\n\n" not in low
    assert tall.count("the words of a sentence") > 2 * low.count("the words of a sentence") > 0


def test_the_end_says_where_the_report_is_and_how_to_see_more(written):
    text = draw(written, 110)
    assert "report.md" in unwrap(text).replace(" ", "")
    assert text.endswith("\nMore: --full (all), --table NAME (one table), --format html (page with figures)\n")


def test_many_files_are_counted_and_figures_too(written, tmp_path):
    files = tuple(tmp_path / name for name in ("table1.csv", "table4.csv"))
    text = draw(replace(written, files=files, figures=9), 110)
    assert f"Written:2filesin{tmp_path}Figures:9in{tmp_path}/figures" in "".join(text.split())


def test_a_page_is_not_offered_where_it_was_just_written(written, tmp_path):
    assert "--format html" not in draw(replace(written, files=(tmp_path / "report.html",)))


def test_verdicts_are_coloured_unless_the_surroundings_forbid(written, monkeypatch):
    assert "\x1b[33m? may be the best" in draw(written, is_terminal=True)
    monkeypatch.setenv("NO_COLOR", "1")
    colourless = draw(written, is_terminal=True)
    assert "\x1b[1m" in colourless
    assert "[33m" not in colourless
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert draw(written, is_terminal=True) == draw(written)
