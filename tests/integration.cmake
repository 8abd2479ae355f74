# one line an integration test: tut_integration_test(script [LABELS frameworks])
tut_integration_test(init_inventory.py)
tut_integration_test(hardening.sh)
tut_integration_test(commands.py)
