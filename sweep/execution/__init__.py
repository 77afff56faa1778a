"""Work done: executors, workers, and the loop that drives them."""
