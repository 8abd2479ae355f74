# one line a unit test: tut_unit_test(name floors...)
tut_unit_test(fs tut_base)
tut_unit_test(walk tut_base)
tut_unit_test(cage tut_base)
