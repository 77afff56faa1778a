"""Every kind of document says the same: the same numbers, the same counts, the same warnings."""

import csv
import json
import re
from html.parser import HTMLParser

import pytest
from study_example import MODELS, TRUE, make_example, publish, report_on, tabulate

from sweep.outcome import Failure
from sweep.report.page.page import write_page
from sweep.report.render import Format, list_records, render_report

DOCUMENTS = (Format.MARKDOWN, Format.TEXT, Format.LATEX, Format.HTML)
PUBLISHED = publish({("tiny-0.5-16", "60/20/20"): 80.25, ("tiny-1-32", "80/10/10"): 1234.5}, {})


def fail_or_miss(trial):
    if trial.shuffle == 2 and trial.alpha == 0.5:
        return None
    return Failure(trial.id, "loss is not finite") if trial.steps == 20 and trial.shuffle == 1 else TRUE


CASES = {
    "finished": {"published": PUBLISHED, **MODELS},
    "three classes": {"classes": (26, 40, 34), "alpha": [0.5, 1.0]},
    "lower is better": {"metric": "log_loss", **MODELS},
    "without a unit": {"metric": "cohen_kappa", "alpha": [0.5, 1.0]},
    "partial": {"published": PUBLISHED, "become": fail_or_miss, **MODELS},
    "one shuffle": {"shuffle": 0, "alpha": [0.5, 1.0], "is_demo": True},
}


@pytest.fixture(scope="module", params=CASES.values(), ids=CASES)
def study(request):
    return make_example(**request.param)


@pytest.fixture(scope="module")
def tables(study):
    return tabulate(study)


@pytest.fixture(scope="module")
def documents(study, tables):
    """The grids of every kind of document: (titles, rows) of cells as a reader sees them."""
    report = report_on(study)
    texts = {form: render_report(report, form) for form in Format if form is not Format.HTML}
    texts[Format.HTML] = {"report.html": write_page(report, [], {})}
    return texts


def read_grids(form, files):
    (text,) = files.values()
    return {
        Format.MARKDOWN: read_markdown,
        Format.TEXT: read_text,
        Format.LATEX: read_latex,
        Format.HTML: read_page,
    }[form](text)


def read_markdown(text):
    blocks = re.findall(r"(?:^\|.*\n?)+", text, re.MULTILINE)
    grids = [[re.split(r"(?<!\\)\|", line.strip("|")) for line in block.strip().splitlines()] for block in blocks]
    return [
        [[tidy(re.sub(r"\\(.)|\*\*", r"\1", cell)) for cell in row] for row in grid[:1] + grid[2:]] for grid in grids
    ]


def read_text(text):
    grids = []
    for match in re.finditer(r"^(.+)\n(-+(?: +-+)*)\n((?:\S.*\n)*)", text, re.MULTILINE):
        borders = [found.span() for found in re.finditer("-+", match[2])]
        lines = [match[1], *match[3].splitlines()]
        grids.append([[tidy(line[start:stop]).removeprefix("*") for start, stop in borders] for line in lines])
    return grids


def read_latex(text):
    grids = []
    for block in re.findall(r"\\toprule\n(.*?)\\bottomrule", text, re.DOTALL):
        lines = [line.removesuffix(r" \\") for line in block.splitlines() if line != r"\midrule"]
        grids.append([[tidy(undo_latex(cell)) for cell in line.split(" & ")] for line in lines])
    return grids


def undo_latex(text):
    signs = {r"$\pm$": "±", r"$\neq$": "≠", r"$\dagger$": "†", r"$\ddagger$": "‡", r"$\approx$": "≈"}
    signs |= {r"$\star$": "★", r"$\downarrow$": "↓"}
    for command, sign in signs.items():
        text = text.replace(command, sign)
    return re.sub(r"\\([%&_#$])", r"\1", re.sub(r"\\textbf\{([^}]*)\}", r"\1", text))


def read_page(text):
    return [grid for grid in Grids(text).grids if grid]


class Grids(HTMLParser):
    """The tables of a page, as lists of rows of texts."""

    def __init__(self, text):
        super().__init__()
        self.grids, self.inside = [], False
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        if tag == "table":
            self.grids.append([])
        if tag == "tr":
            self.grids[-1].append([])
        if tag in {"td", "th"}:
            self.grids[-1][-1].append("")
            self.inside = True

    def handle_endtag(self, tag):
        if tag in {"td", "th"}:
            self.inside = False
            self.grids[-1][-1][-1] = tidy(self.grids[-1][-1][-1])

    def handle_data(self, data):
        if self.inside:
            self.grids[-1][-1][-1] += data


def tidy(text):
    return " ".join(text.split())


def print_record(column, record, own_columns=()):
    """What a reader must see of a value in a file for programs."""
    beside = f"{column.key}_std"
    value, std = record[column.key], "none" if beside in own_columns else record.get(beside, "none")
    if value in (None, "cannot tell"):
        return "-"
    if isinstance(value, str):
        return value
    decimals = column.decimals
    text = f"{value:g}" if decimals is None else f"{value:,.{decimals}f}"
    text = re.sub(r"^-(0(?:\.0*)?)$", r"\1", text)
    if std == "none":
        return text
    return text if std is None else f"{text} ± {std:,.{decimals + 1}f}"


def list_printed(table):
    """The rows of a table, printed from its records."""
    records = list_records(table)
    if table.axis is None:
        keys = {column.key for column in table.columns}
        return [[print_record(column, record, keys) for column in table.columns] for record in records]
    mean, std = table.mean_keys
    axes = table.columns[table.keys :]
    rows = []
    for start in range(0, len(records), len(axes)):
        names = [str(records[start][column.key]) for column in table.columns[: table.keys]]
        cells = [
            print_record(column, {column.key: record[mean], f"{column.key}_std": record[std]})
            for column, record in zip(axes, records[start : start + len(axes)], strict=True)
        ]
        rows.append(names + cells)
    return rows


def strip_signs(text):
    """A cell without its interval, published figure, marks and counts; whatever stands where there is no value."""
    bare = re.sub(r"( [≠†‡★≈↓?])+$", "", re.sub(r" \(\d+/\d+\)", "", text))
    bare = re.sub(r" \[[^]]*\]( \([\d.,]+\))?$", "", bare)
    return "-" if bare == "cannot tell" else bare


def list_shown(tables, form):
    """Tables of a document; the page has those too that are long."""
    return [table for table in tables.values() if form is Format.HTML or not table.is_detail]


def find_grids(tables, documents, form):
    """(table, its grid); the page has the best models first."""
    grids = read_grids(form, documents[form])
    shown = [table for table in list_shown(tables, form) if table.rows or form is Format.HTML]
    return list(zip(shown, [grid for grid in grids if len(grid) > 1 or form is Format.HTML], strict=True))


@pytest.mark.parametrize("form", DOCUMENTS)
def test_a_document_shows_the_numbers_of_every_table(tables, documents, form):
    found = find_grids(tables, documents, form)
    assert len(found) >= 6
    for table, (titles, *rows) in found:
        assert titles == [tidy(column.title) for column in table.columns]
        assert sorted([strip_signs(cell) for cell in row] for row in rows) == sorted(list_printed(table)), table.name


def read_bare(tables, documents, form):
    """The grids by the names of their tables, in the order of their rows' texts, without counts of trials."""
    return {
        table.name: sorted([re.sub(r" \(\d+/\d+\)", "", cell) for cell in row] for row in grid)
        for table, grid in find_grids(tables, documents, form)
    }


@pytest.mark.parametrize("form", DOCUMENTS[1:])
def test_documents_differ_in_no_cell(tables, documents, form):
    first, other = (read_bare(tables, documents, each) for each in (Format.MARKDOWN, form))
    assert {name: other[name] for name in first} == first


def test_csv_and_json_hold_the_same_records_of_every_table(tables, documents):
    document = json.loads(documents[Format.JSON]["report.json"], parse_constant=pytest.fail)
    assert [table["name"] for table in document["tables"]] == list(tables)
    assert set(documents[Format.CSV]) == {f"{name}.csv" for name in tables}
    for table in document["tables"]:
        lines = documents[Format.CSV][f"{table['name']}.csv"].splitlines()
        body = [line for line in lines if not line.startswith("#")]
        rows = list(csv.DictReader(body, quoting=csv.QUOTE_NONNUMERIC))
        assert len(rows) == len(table["rows"])
        for row, record in zip(rows, table["rows"], strict=True):
            assert row == {
                **dict.fromkeys(row, ""),
                **{key: value for key, value in record.items() if value is not None},
            }


@pytest.mark.parametrize("form", DOCUMENTS)
def test_every_cell_that_rests_on_trials_of_a_partial_sweep_says_how_many(study, tables, documents, form):
    counts, is_partial = r" \((\d+)/(\d+)\)", study.frames.is_partial
    for table, (_, *rows) in find_grids(tables, documents, form):
        said = [[re.search(counts, text) for text in texts] for texts in rows]
        numbers = [tuple(map(int, found.groups())) for row in said for found in row if found]
        trials = [(cell.finished, cell.planned) for row in table.rows for cell in row if is_partial and cell.planned]
        missing = [(finished, planned) for finished, planned in trials if finished < planned]
        assert sorted(numbers) == sorted(missing if form is Format.HTML else trials), table.name


def test_every_number_of_a_metric_rests_on_trials(study, tables):
    """No table but those of images and models has numbers without the trials behind them."""
    unit_free = {"levels", "theirs", "theirs_std", "budget_m"}
    for table in tables.values():
        if table.name in {"images", "complexities", "patients", "cost"}:
            continue
        for row in table.rows:
            for column, cell in zip(table.columns, row, strict=True):
                if cell.number is not None and column.key not in unit_free:
                    assert 0 < cell.finished <= cell.planned, (table.name, column.key)


def test_records_of_a_partial_sweep_count_finished_and_planned(study, tables):
    for table in tables.values():
        for record in list_records(table):
            if table.axis:
                assert record["planned"] >= record["finished"]
            else:
                counted = {key.removesuffix("_planned") for key in record if key.endswith("_planned")}
                assert counted == {key.removesuffix("_finished") for key in record if key.endswith("_finished")}
                assert bool(counted) == (study.frames.is_partial and any(row_rests(table, record)))


def row_rests(table, record):
    (row,) = (
        row
        for row in table.rows
        if all(row[index].value == record[column.key] for index, column in enumerate(table.columns[: table.keys]))
    )
    return [cell.planned for cell in row]


@pytest.mark.parametrize("form", Format)
def test_the_stamp_stands_on_every_table(study, tables, documents, form):
    stamp = report_on(study).header.stamp
    assert stamp.startswith("DEMO IMAGES, RANDOM" if study.frames.inputs.data.is_demo else "RANDOM WEIGHTS")
    for text in documents[form].values():
        shown = 1 if form is Format.CSV else len(tables) if form is Format.JSON else len(list_shown(tables, form))
        assert len(re.findall(re.escape(stamp), tidy(text))) >= shown
    titles = {
        Format.MARKDOWN: r"^## (?!Answer|Warnings|Provenance|Methods).*",
        Format.LATEX: r"^\\caption\*.*",
        Format.HTML: r"<caption>.*?</caption>",
    }.get(form)
    if titles:
        (text,) = documents[form].values()
        found = re.findall(titles, text, re.MULTILINE)
        assert len(found) >= len(list_shown(tables, form))
        assert all(stamp in title for title in found)


@pytest.mark.parametrize("form", Format)
def test_no_document_shows_what_is_no_number(documents, form):
    for text in documents[form].values():
        readable = re.sub(r"<style>.*?</style>|<script.*?</script>", "", text, flags=re.DOTALL)
        assert not re.search(r"(?<![\w-])(nan|NaN|inf|Infinity|None)(?!\w)|\(\)|(?<![\w.])-0(\.0+)?(?![\w.])", readable)


def test_latex_is_plain_ascii(documents):
    (text,) = documents[Format.LATEX].values()
    assert text.isascii(), sorted({sign for sign in text if not sign.isascii()})
