// node validate.mjs SCHEMA FILE [SCHEMA...]: JSON Schema (draft-04, draft-07 or 2020-12 by its $schema);
// the schemas behind FILE are those that the first one refers to. Exit 1 with the errors.
import { readFileSync } from 'node:fs';
import Ajv from 'ajv';
import Ajv2020 from 'ajv/dist/2020.js';
import AjvDraft04 from 'ajv-draft-04';
import addFormats from 'ajv-formats';

const [schemaPath, filePath, ...others] = process.argv.slice(2);
const schema = JSON.parse(readFileSync(schemaPath, 'utf8'));
const dialect = schema.$schema ?? '';
const Validator = dialect.includes('draft-04') ? AjvDraft04.default ?? AjvDraft04
    : dialect.includes('2020-12') ? Ajv2020.default ?? Ajv2020 : Ajv.default ?? Ajv;
const ajv = new Validator({ strict: false, allErrors: true });
(addFormats.default ?? addFormats)(ajv);
for (const format of ['iri', 'iri-reference', 'idn-email']) ajv.addFormat(format, true); // not judged
for (const path of others) ajv.addSchema(JSON.parse(readFileSync(path, 'utf8')));
const validate = ajv.compile(schema);
if (!validate(JSON.parse(readFileSync(filePath, 'utf8')))) {
    for (const e of validate.errors.slice(0, 20)) console.error(`${e.instancePath} ${e.message}`);
    process.exit(1);
}
