#!/usr/bin/env bash
# Installs the test-only npm packages that the lock file pins; nothing of them is executed here.
# Where the registry cannot be reached the tests that need them are skipped, and this says so.
set -euo pipefail
cd "$(dirname "$0")/../tests/node"
stamp=node_modules/.installed
if [ -f "$stamp" ] && cmp -s package-lock.json "$stamp"; then
    exit 0
fi
echo "Installing npm packages of tests/node, as pinned in package-lock.json"
if ! npm ci --ignore-scripts --no-audit --no-fund --fetch-retries=1 --loglevel=error; then
    rm -rf node_modules
    echo "npm could not install them: the tests of schemas and of the report in a browser are skipped." >&2
    exit 0
fi
cp package-lock.json "$stamp"
