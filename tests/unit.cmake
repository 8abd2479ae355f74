# one line a unit test: tut_unit_test(name floors...)
