// node cyclonedx.mjs BOM.json [PUBLIC.pem]: what others say of a bill that `tutela bom` wrote. CycloneDX's own
// strict validator (1.6), packageurl-js for each purl, node:crypto for the signature. Exit 1 with the reason.
import { createPublicKey, createHash, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Spec, Validation } from '@cyclonedx/cyclonedx-library';
import { PackageURL } from 'packageurl-js';

const [path, keyFile] = process.argv.slice(2);
const fail = (why) => { console.error(`${path}: ${why}`); process.exit(1); };
const text = readFileSync(path, 'utf8');
const bom = JSON.parse(text);

if (bom.specVersion === '1.6') {
    const errors = await new Validation.JsonStrictValidator(Spec.Version.v1dot6).validate(text);
    if (errors !== null) fail(JSON.stringify(errors.slice(0, 5), null, 1));
}

// RFC 8785, as little of it as a bill needs: no numbers but integers and short fractions.
const canonical = (v) => {
    if (Array.isArray(v)) return `[${v.map(canonical).join(',')}]`;
    if (v && typeof v === 'object')
        return `{${Object.keys(v).sort().map((k) => `${JSON.stringify(k)}:${canonical(v[k])}`).join(',')}}`;
    return JSON.stringify(v);
};
if (`${canonical(bom)}\n` !== text) fail('it is no canonical JSON');

const walk = (v, visit) => {
    if (Array.isArray(v)) v.forEach((x) => walk(x, visit));
    else if (v && typeof v === 'object') { visit(v); Object.values(v).forEach((x) => walk(x, visit)); }
};
let purls = 0;
walk(bom, (o) => {
    if (o.purl === undefined) return;
    PackageURL.fromString(o.purl);
    purls++;
});

if (keyFile) {
    const key = createPublicKey(readFileSync(keyFile, 'utf8'));
    const signature = bom.signature;
    if (!signature) fail('there is no signature');
    const inside = createPublicKey({ key: signature.publicKey, format: 'jwk' });
    const spki = (k) => k.export({ type: 'spki', format: 'pem' });
    if (spki(inside) !== spki(key)) fail('the key inside is another one');
    if (signature.keyId !== createHash('sha256').update(spki(key)).digest('hex')) fail('keyId');
    const hash = { Ed25519: null, ES256: 'sha256', ES384: 'sha384', ES512: 'sha512' }[signature.algorithm];
    if (hash === undefined) fail(`algorithm ${signature.algorithm}`);
    const { value, ...header } = signature;
    const signed = Buffer.from(canonical({ ...bom, signature: header }));
    const check = (bytes) => verify(hash, bytes, { key, dsaEncoding: 'ieee-p1363' }, Buffer.from(value, 'base64url'));
    if (!check(signed)) fail('the signature does not verify');
    signed[signed.length >> 1] ^= 1;
    if (check(signed)) fail('the signature verifies other bytes too');
}
console.log(`${bom.specVersion}: ${bom.components.length} components, ${purls} purls${keyFile ? ', signed' : ''}`);
