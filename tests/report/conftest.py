"""Makes the modules of this folder importable by the tests of its folders, and shares what is dear to make."""

import pytest
from study_example import MODELS, fill_example, read_example, tabulate

from sweep.testing import make_store


@pytest.fixture(scope="session")
def models():
    """A finished sweep of four models at two splits: its store. Read it, never write to it."""
    return fill_example(make_store(), **MODELS)


@pytest.fixture(scope="session")
def compared(models):
    """The tables of that sweep against the accuracies that it has itself."""
    return tabulate(read_example(models))
