# one line a fuzz target: tut_fuzz(name floors...)
