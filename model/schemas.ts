import { Ajv2020 } from "ajv/dist/2020.js";
import type { ErrorObject, ValidateFunction } from "ajv/dist/2020.js";
import hypervisorSchema from "../schemas/phoenix_hypervisor_config.schema.json" with { type: "json" };
import lxcSchema from "../schemas/phoenix_lxc_configs.schema.json" with { type: "json" };
import manifestSchema from "../schemas/feature_manifest.schema.json" with { type: "json" };

export const schemas = { hypervisor: hypervisorSchema, lxc: lxcSchema, manifest: manifestSchema };

/** `allErrors`: everything that is wrong in one run. `verbose`: errors carry the schema and the value. */
function newAjv(useDefaults: boolean): Ajv2020 {
  const ajv = new Ajv2020({
    strict: true,
    strictRequired: "log",
    allErrors: true,
    verbose: true,
    useDefaults,
    logger: false,
  });
  // A manifest says `{"$ref": "phoenix:secret"}` for a parameter that is a secret.
  ajv.addSchema({ ...hypervisorSchema.$defs.secret, $id: "phoenix:secret" });
  return ajv;
}

let validators: Record<keyof typeof schemas, ValidateFunction> | undefined;

/** The compiled validator of one of our own schemas; compiled once. */
export function validator(name: keyof typeof schemas): ValidateFunction {
  if (validators === undefined) {
    const ajv = newAjv(false);
    validators = {
      hypervisor: ajv.compile(hypervisorSchema),
      lxc: ajv.compile(lxcSchema),
      manifest: ajv.compile(manifestSchema),
    };
  }
  return validators[name];
}

const compiled = new Map<string, ValidateFunction>();

/** Compiles the parameters schema of a manifest. Throws an Error with the reason if it is no valid JSON Schema. */
export function compileParameters(schema: Record<string, unknown>): ValidateFunction {
  const key = JSON.stringify(schema);
  const known = compiled.get(key);
  if (known !== undefined) return known;
  const validate = newAjv(true).compile(schema);
  compiled.set(key, validate);
  return validate;
}

export type { ErrorObject, ValidateFunction };
