"""A report from a sweep's folder: read, tabulate, render, write."""

from pathlib import Path

from sweep.data.files import write_beside
from sweep.report.cells import Selection
from sweep.report.frames import read_sweep
from sweep.report.render import Format, render_report
from sweep.report.tables import make_header, make_table1, make_table3, make_table4
from sweep.store.store import Store


def write_report(folder: Path, form: Format, select: Selection, output: Path) -> str:
    """Write the tables of a sweep under `output`, in a folder of the sweep's name, and return all of their text.

    Raises:
        UserError: the folder holds no sweep.
        FatalError: the report cannot be written.
    """
    with Store.read(folder) as store:
        frames = read_sweep(store)
    tables = [make_table1(frames), make_table3(frames), make_table4(frames, select)]
    files = render_report(make_header(frames, select), tables, form)
    for name, text in files.items():
        with write_beside(output / folder.name / name) as file:
            file.write(text.encode())
    return "\n".join(files.values())
