"""The header says what a report is about, and the stamp what its numbers are not."""

from dataclasses import replace

import pytest
from study_example import TRUE, make_example, tabulate

from sweep.networks.table import WeightsSource
from sweep.outcome import Failure
from sweep.report.cells import Selection
from sweep.report.header import make_header
from sweep.report.words import describe_header

RANDOM = WeightsSource.RANDOM


def change(study, **fields):
    return replace(study, frames=replace(study.frames, **fields))


def set_source(study, source, *, only_first=False):
    weights = dict(study.frames.inputs.weights)
    for backbone in list(weights)[: 1 if only_first else None]:
        weights[backbone] = replace(weights[backbone], source=source)
    return change(study, inputs=replace(study.frames.inputs, weights=weights))


def test_the_header_counts_what_is_done_failed_and_missing():
    def become(trial):
        return {0: TRUE, 1: Failure(trial.id, "x"), 2: None}[trial.shuffle]

    header = make_header(make_example(become=become))
    assert (header.succeeded, header.failed, header.missing, header.planned) == (4, 4, 4, 12)
    assert dict(describe_header(header))["Completeness"] == "4 of 12 trials (4 failed, 4 missing)"


def test_a_store_without_results_is_not_dated():
    header = make_header(make_example(become=lambda _: None))
    assert (header.succeeded, header.missing, header.made_at) == (0, 12, None)
    assert dict(describe_header(header))["Newest result"] == "none yet"


def test_the_header_names_each_code_and_machine_once():
    study = make_example()
    runs = study.frames.runs
    header = make_header(change(study, runs=(*runs, *runs, {"sweep": "0.2.0"})))
    assert header.code[0] == "sweep 0.1.0, Python 3.11.9, numpy 2.0.0"
    assert header.machines[0] == "Example CPU, 2 cores, 8 GiB, no GPU, Linux; inline executor, workers: 1"
    assert (len(header.code), len(header.machines)) == (2, 2)


def test_features_that_were_made_by_other_versions_are_told_and_others_are_not():
    study = make_example()
    (run,) = study.frames.runs
    same = {"sweep": run["sweep"], "packages": run["packages"], "cpu": "Example CPU"}
    fitted = {**run, "packages": {**run["packages"], "ray": "2.40"}}  # Ray cannot show in an array
    assert make_header(change(study, origins=(("a", fitted, same),))).code == make_header(study).code
    other = {**same, "packages": {"numpy": "1.9"}}
    newer = {**same, "packages": {**run["packages"], "keras": "3"}}
    origins = (("a", run, same), ("b", run, other), ("b", fitted, other), ("c", run, other), ("d", run, None))
    assert make_header(change(study, origins=(*origins, ("e", run, newer)))).code[1:] == (
        "2 of the feature sets from the cache, made with numpy 1.9 (fitted with 2.0.0)",
        "1 of the feature sets from the cache, made with unknown versions",
        "1 of the feature sets from the cache, made with keras 3 (fitted with unknown)",
    )


def test_the_report_is_dated_by_its_newest_result_not_by_the_clock():
    study = make_example()
    assert make_header(study).made_at == study.frames.trials["finished_at"].max()


@pytest.mark.parametrize("select", Selection)
def test_the_header_names_the_metric_and_the_rule_of_selection(select):
    header = make_header(make_example("f1", select))
    assert (header.metric, header.select) == ("F1", select)
    text = dict(describe_header(header))["Selection"]
    assert ("validation F1" in text) == (select is Selection.VALIDATION)
    assert ("optimistic" in text) == (select is Selection.TEST)


@pytest.mark.parametrize(
    ("is_demo", "source", "result", "stamp"),
    [
        (False, WeightsSource.IMAGENET, TRUE, ""),
        (True, WeightsSource.IMAGENET, TRUE, "DEMO IMAGES"),
        (False, RANDOM, TRUE, "RANDOM WEIGHTS"),
        (True, RANDOM, TRUE, "DEMO IMAGES, RANDOM WEIGHTS"),
        (True, RANDOM, None, "DEMO IMAGES, RANDOM WEIGHTS, PARTIAL SWEEP"),
    ],
)
def test_every_table_says_what_its_numbers_are_not(is_demo, source, result, stamp):
    study = make_example(become=lambda trial: TRUE if trial.shuffle else result, is_demo=is_demo, alpha=[0.5, 1.0])
    study = set_source(study, source)
    assert make_header(study).stamp == stamp
    assert {table.stamp for table in tabulate(study).values()} == {stamp}


def test_weights_that_are_random_in_part_are_stamped_so():
    study = set_source(make_example(alpha=[1.0, 0.5]), WeightsSource.FILE, only_first=True)
    assert make_header(study).stamp == "SOME WEIGHTS RANDOM"
