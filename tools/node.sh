#!/usr/bin/env bash
# Installs the test-only npm packages that the lock file pins; nothing of them is executed here.
set -euo pipefail
cd "$(dirname "$0")/../tests/node"
stamp=node_modules/.installed
if [ -f "$stamp" ] && cmp -s package-lock.json "$stamp"; then
    exit 0
fi
npm ci --ignore-scripts --no-audit --no-fund --silent
cp package-lock.json "$stamp"
