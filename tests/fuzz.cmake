# one line a fuzz target: tut_fuzz(name floors...)
tut_fuzz(json tut_base)
tut_fuzz(yaml tut_base)
tut_fuzz(yaml_tree tut_base)
