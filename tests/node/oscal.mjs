// node oscal.mjs SCHEMAS FILE...: each OSCAL document against the schema of its root key in the folder SCHEMAS. Prints
// {"FILE": [error, ...]}; what is no OSCAL document has an error, too.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Ajv from 'ajv';
import addFormats from 'ajv-formats';

const schemas = {
    catalog: 'oscal_catalog_schema.json',
    'component-definition': 'oscal_component_schema.json',
    'assessment-results': 'oscal_assessment-results_schema.json',
    'mapping-collection': 'oscal_mapping_schema.json',
};
const compiled = {};
function validatorOf(root) {
    if (!compiled[root]) {
        const ajv = new (Ajv.default ?? Ajv)({ strict: false, allErrors: true });
        (addFormats.default ?? addFormats)(ajv);
        compiled[root] = ajv.compile(JSON.parse(readFileSync(join(folder, schemas[root]), 'utf8')));
    }
    return compiled[root];
}

const [folder, ...files] = process.argv.slice(2);
const result = {};
for (const file of files) {
    const document = JSON.parse(readFileSync(file, 'utf8'));
    const roots = Object.keys(document).filter((key) => key in schemas);
    if (roots.length !== 1) {
        result[file] = ['no root key of OSCAL'];
        continue;
    }
    const validate = validatorOf(roots[0]);
    result[file] = validate(document) ? [] : validate.errors.slice(0, 20).map((e) => `${e.instancePath} ${e.message}`);
}
console.log(JSON.stringify(result));
