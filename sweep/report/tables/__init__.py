"""The tables of a report: from a study to cells."""
