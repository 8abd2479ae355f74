# one line an integration test: tut_integration_test(script [LABELS frameworks])
tut_integration_test(init_inventory.py)
