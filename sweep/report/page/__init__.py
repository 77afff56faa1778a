"""A report as one web page: tables that sort and filter, figures that answer, and where each number comes from."""
