// node bills.mjs SCHEMAS LIST: what others say of bills that `tutela bom` wrote. A line of LIST is SPEC PATH [PUBLIC.pem].
// Judges: the published JSON schemas through ajv (all), CycloneDX's own strict validator (1.6), packageurl-js for each
// package URL, node:crypto for each signature. Exit 1 with the reasons.
import { createHash, createPublicKey, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Spec, Validation } from '@cyclonedx/cyclonedx-library';
import Ajv from 'ajv';
import Ajv2020 from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { PackageURL } from 'packageurl-js';

const [schemas, list] = process.argv.slice(2);
const read = (...path) => JSON.parse(readFileSync(join(schemas, ...path), 'utf8'));
const compile = (Validator, schema, others) => {
    const ajv = new Validator({ strict: false, allErrors: true });
    (addFormats.default ?? addFormats)(ajv);
    for (const format of ['iri', 'iri-reference', 'idn-email']) ajv.addFormat(format, true); // the strict validator judges
    for (const other of others) ajv.addSchema(other);
    return ajv.compile(schema);
};
const seven = Ajv.default ?? Ajv;
const parts = ['spdx.schema.json', 'jsf-0.82.schema.json', 'cryptography-defs.schema.json'];
const cyclonedx = (version) =>
    compile(seven, read('cyclonedx', `bom-${version}.schema.json`), parts.map((p) => read('cyclonedx', p)));
const judges = {
    'cyclonedx-1.6': cyclonedx('1.6'),
    'cyclonedx-1.7': cyclonedx('1.7'),
    'spdx-3.0.1': compile(Ajv2020.default ?? Ajv2020, read('spdx', 'schema-v3.0.1.json'), []),
};
const strict = new Validation.JsonStrictValidator(Spec.Version.v1dot6);

// RFC 8785, as little of it as a bill needs: no numbers but integers and short fractions.
const canonical = (v) => {
    if (Array.isArray(v)) return `[${v.map(canonical).join(',')}]`;
    if (v && typeof v === 'object')
        return `{${Object.keys(v).sort().map((k) => `${JSON.stringify(k)}:${canonical(v[k])}`).join(',')}}`;
    return JSON.stringify(v);
};

const visit = (v, each) => {
    if (Array.isArray(v)) v.forEach((x) => visit(x, each));
    else if (v && typeof v === 'object') { each(v); Object.values(v).forEach((x) => visit(x, each)); }
};

const checkSignature = (bom, keyFile) => {
    const key = createPublicKey(readFileSync(keyFile, 'utf8'));
    const spki = (k) => k.export({ type: 'spki', format: 'pem' });
    if (!bom.signature) return 'there is no signature';
    const { value, ...header } = bom.signature;
    const hash = { Ed25519: null, ES256: 'sha256', ES384: 'sha384', ES512: 'sha512' }[header.algorithm];
    if (hash === undefined) return `algorithm ${header.algorithm}`;
    if (spki(createPublicKey({ key: header.publicKey, format: 'jwk' })) !== spki(key)) return 'the key inside is another one';
    if (header.keyId !== createHash('sha256').update(spki(key)).digest('hex')) return 'keyId';
    const signed = Buffer.from(canonical({ ...bom, signature: header }));
    const holds = (bytes) => verify(hash, bytes, { key, dsaEncoding: 'ieee-p1363' }, Buffer.from(value, 'base64url'));
    if (!holds(signed)) return 'the signature does not verify';
    signed[signed.length >> 1] ^= 1;
    return holds(signed) ? 'the signature verifies other bytes too' : null;
};

let failed = 0, purls = 0, signatures = 0;
const complain = (path, why) => { console.error(`${path}: ${why}`); failed++; };
const lines = readFileSync(list, 'utf8').trim().split('\n');
for (const line of lines) {
    const [spec, path, keyFile] = line.split(' ');
    const text = readFileSync(path, 'utf8');
    const bom = JSON.parse(text);
    const judge = judges[spec];
    if (!judge(bom))
        complain(path, judge.errors.slice(0, 5).map((e) => `${e.instancePath} ${e.message}`).join('; '));
    if (spec === 'cyclonedx-1.6') {
        const errors = await strict.validate(text);
        if (errors !== null) complain(path, JSON.stringify(errors.slice(0, 5)));
    }
    if (`${canonical(bom)}\n` !== text) complain(path, 'it is no canonical JSON');
    visit(bom, (o) => {
        const purl = o.purl ?? o.software_packageUrl;
        if (purl === undefined) return;
        try { PackageURL.fromString(purl); } catch (e) { complain(path, `${purl}: ${e.message}`); }
        purls++;
    });
    if (keyFile) {
        const why = checkSignature(bom, keyFile);
        if (why) complain(path, why);
        signatures++;
    }
}
// A judge that accepts anything is none.
for (const [spec, judge] of Object.entries(judges)) {
    const one = lines.map((l) => l.split(' ')).find(([s]) => s === spec);
    if (!one) continue;
    const wrong = JSON.parse(readFileSync(one[1], 'utf8'));
    if (spec === 'spdx-3.0.1') wrong['@graph'][0].nobody = 1;
    else (wrong.metadata.component ?? wrong.components[0]).type = 'no such type';
    if (judge(wrong)) complain(spec, 'the judge accepts a wrong document');
}
console.log(`${lines.length} bills, ${purls} package URLs, ${signatures} signatures, ${failed} complaints`);
process.exit(failed ? 1 : 0);
