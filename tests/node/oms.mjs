// An independent check of what `tutela sign` writes: node's own crypto and JSON, nothing of ours.
// node oms.mjs MODEL BUNDLE PUBLIC.pem: exit 0 when the signature, the root and every file hold.
import { createHash, createPublicKey, verify } from "node:crypto";
import { readFileSync, readdirSync, statSync } from "node:fs";
import { basename, join } from "node:path";

const [model, bundleFile, keyFile] = process.argv.slice(2);
const fail = (why) => { console.error(why); process.exit(1); };
const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

const bundle = JSON.parse(readFileSync(bundleFile, "utf8"));
if (Object.keys(bundle).sort().join() !== "dsseEnvelope,mediaType,verificationMaterial") fail("keys of the bundle");
if (bundle.mediaType !== "application/vnd.dev.sigstore.bundle.v0.3+json") fail("mediaType");
const pem = readFileSync(keyFile, "utf8");
const key = createPublicKey(pem);
const envelope = bundle.dsseEnvelope;
const chain = bundle.verificationMaterial.x509CertificateChain;
if (chain) {
  if (chain.certificates.length < 1) fail("certificates");
} else {
  const hint = sha256(key.export({ type: "spki", format: "pem" }));
  if (bundle.verificationMaterial.publicKey.hint !== hint) fail("hint");
  if (envelope.signatures[0].keyid !== hint) fail("keyid");
}
if (!Array.isArray(bundle.verificationMaterial.tlogEntries)) fail("tlogEntries");
if (envelope.signatures.length !== 1) fail("signatures");
const payload = Buffer.from(envelope.payload, "base64");
const pae = Buffer.concat([
  Buffer.from(`DSSEv1 ${envelope.payloadType.length} ${envelope.payloadType} ${payload.length} `), payload]);
const hash = { prime256v1: "sha256", secp384r1: "sha384", secp521r1: "sha512" }[key.asymmetricKeyDetails.namedCurve];
if (!verify(hash, pae, key, Buffer.from(envelope.signatures[0].sig, "base64"))) fail("signature");

const statement = JSON.parse(payload.toString("utf8"));
if (statement._type !== "https://in-toto.io/Statement/v1") fail("_type");
if (statement.predicateType !== "https://model_signing/signature/v1.0") fail("predicateType");
if (statement.subject.length !== 1) fail("subject");
const { resources, serialization } = statement.predicate;
if (serialization.method !== "files" || serialization.allow_symlinks !== false) fail("serialization");
const algorithm = { sha256: "sha256", blake2b: "blake2b512" }[serialization.hash_type];
const root = sha256(Buffer.concat(resources.map((r) => Buffer.from(r.digest, "hex"))));
if (statement.subject[0].digest.sha256 !== root) fail("root");

const found = [];
const walk = (below) => {
  for (const name of readdirSync(join(model, below))) {
    const rel = below ? `${below}/${name}` : name;
    if (serialization.ignore_paths.includes(rel)) continue;
    if (statSync(join(model, rel)).isDirectory()) walk(rel);
    else found.push(rel);
  }
};
const isFile = statSync(model).isFile();
if (isFile) found.push(basename(model));
else walk("");
const byCodePoints = (a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b));
if (found.sort(byCodePoints).join("\n") !== resources.map((r) => r.name).join("\n")) fail("files or their order");
for (const r of resources) {
  const bytes = readFileSync(isFile ? model : join(model, r.name));
  if (r.algorithm !== serialization.hash_type) fail("algorithm");
  if (createHash(algorithm).update(bytes).digest("hex") !== r.digest) fail(`digest of ${r.name}`);
}
console.log(`${resources.length} files, root ${root}`);
