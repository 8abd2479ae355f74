// What @sigstore/verify, an independent verifier, says of bundles: lines of {"bundle", "root"} on standard input, a
// line with null or the reason of its refusal for each on standard output.
import {bundleFromJSON} from "@sigstore/bundle";
import {TrustedRoot} from "@sigstore/protobuf-specs";
import {toSignedEntity, toTrustMaterial, Verifier} from "@sigstore/verify";
import {createInterface} from "node:readline";

for await (const line of createInterface({input: process.stdin})) {
  let why = null;
  try {
    const {bundle, root} = JSON.parse(line);
    const trust = toTrustMaterial(TrustedRoot.fromJSON(root));
    new Verifier(trust).verify(toSignedEntity(bundleFromJSON(bundle)));
  } catch (error) {
    why = String(error.code ?? error.name) + ": " + String(error.message).split("\n")[0];
  }
  console.log(JSON.stringify(why));
}
