"""How the trials of a spec are computed: a table of methods, and the work that each knows."""
