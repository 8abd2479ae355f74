#!/usr/bin/env bash
# The bill of materials names what the dynamic section names, and is valid CycloneDX 1.6.
set -euo pipefail
where=$(mktemp -d)
trap 'rm -rf "$where"' EXIT
"$TUTELA_SOURCE/tools/sbom.sh" "$TUTELA" >"$where/bom.json"
needed=$(readelf -W -d "$TUTELA" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
/usr/bin/python3 - "$where/bom.json" "$TUTELA" "$needed" <<'PYTHON'
import hashlib, json, sys

bom = json.load(open(sys.argv[1]))
parts = {part["bom-ref"]: part for part in bom["components"]}
needed = set(sys.argv[3].split())
assert needed and needed == set(bom["dependencies"][0]["dependsOn"]), (needed, bom["dependencies"])
assert needed <= set(parts), needed - set(parts)
for part in parts.values():
    assert len(part["hashes"][0]["content"]) == 64, part
digest = hashlib.sha256(open(sys.argv[2], "rb").read()).hexdigest()
assert bom["metadata"]["component"]["hashes"][0]["content"] == digest
print(len(parts), "libraries, of which", len(needed), "by name")
PYTHON
schemas=$TUTELA_SOURCE/../shared/data/schemas/cyclonedx
if [ ! -d "$schemas" ]; then
    echo "skipped: the CycloneDX schema is not at ../shared/data/schemas"
    exit 77
fi
if [ ! -d "$TUTELA_SOURCE/tests/node/node_modules/ajv" ]; then
    echo "skipped: the npm packages of tests/node are not installed (make check installs them)"
    exit 77
fi
validate() {
    node "$TUTELA_SOURCE/tests/node/validate.mjs" "$schemas/bom-1.6.schema.json" "$1" \
        "$schemas/spdx.schema.json" "$schemas/jsf-0.82.schema.json"
}
validate "$where/bom.json"
sed 's/"type":"library"/"type":"no such type"/' "$where/bom.json" >"$where/wrong.json"
if validate "$where/wrong.json" 2>/dev/null; then
    echo "the validator accepts a wrong document"
    exit 1
fi
