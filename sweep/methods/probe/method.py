"""The method `probe`, as the table of methods knows it."""

from sweep.methods.probe.plan import list_positions, list_weights, make_work, measure_bytes, partition_of
from sweep.methods.table import Kind, Method

HERE = "sweep.methods.probe"

PROBE = Method(
    name="probe",
    kinds={
        "decode": Kind(1, f"{HERE}.decode:run", "decoding", "decoding", f"{HERE}.settings:prepare_decode"),
        "convert": Kind(1, f"{HERE}.convert:run", "conversion", "converting"),
        "extract": Kind(2, f"{HERE}.extract:run", "extraction", "extracting"),
        "fit": Kind(0, f"{HERE}.fit:run", "fit", "fitting", f"{HERE}.settings:prepare_fit"),
    },
    make_work=make_work,
    list_weights=list_weights,
    partition_of=partition_of,
    list_positions=list_positions,
    measure_bytes=measure_bytes,
    score_files=f"{HERE}.predict:score_files",
)
