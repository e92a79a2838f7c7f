import { readFileSync } from 'node:fs';
import { Ajv, type AnySchema, type ErrorObject, type ValidateFunction } from 'ajv';
import type { ObjectMeta } from './object-meta.ts';
import { type FieldProblem, ParseError } from './parse-error.ts';
import { isJsonObject, parseMeta } from './parse-meta.ts';

let ajv: Ajv | undefined;

/** Problems that a ParseError names at most. */
const problemsMax = 20;

/**
 * A parser for one kind, from the generated schema of its manifest, which is read and compiled at the first call, not at
 * import. The parser checks everything that the schema says but no CEL rule (the API server has done that),
 * fills in defaults, takes objects without `apiVersion` and `kind` (items of a list) and leaves its argument alone.
 *
 * @param file name below crds/src/generated
 */
export function makeParser<T extends { readonly metadata: ObjectMeta }>(
  kind: string,
  apiVersion: string,
  file: string,
): (value: unknown) => T {
  let validate: ValidateFunction | undefined;
  return (value) => {
    validate ??= compile(file);
    if (!isJsonObject(value)) throw new ParseError(kind, [{ path: '', message: 'must be object' }]);
    const typeProblems = checkType(value['apiVersion'], apiVersion, 'apiVersion').concat(
      checkType(value['kind'], kind, 'kind'),
    );
    if (typeProblems.length > 0) throw new ParseError(kind, typeProblems);
    const { metadata, spec, status } = value;
    const body = structuredClone({ spec, ...(status === undefined ? {} : { status }) });
    if (!validate(body)) throw new ParseError(kind, problemsOf(validate.errors ?? []));
    return { apiVersion, kind, metadata: parseMeta(kind, metadata), ...body } as unknown as T; // the schema has just been checked
  };
}

function compile(file: string): ValidateFunction {
  const schema: unknown = JSON.parse(readFileSync(new URL(`./generated/${file}`, import.meta.url), 'utf8'));
  ajv ??= new Ajv({ strict: false, validateFormats: false, useDefaults: true, allErrors: true, messages: true });
  return ajv.compile(schema as AnySchema); // written by src/generate.ts
}

function checkType(found: unknown, wanted: string, path: string): FieldProblem[] {
  return found === undefined || found === wanted ? [] : [{ path, message: `must be ${wanted}` }];
}

function problemsOf(errors: readonly ErrorObject[]): readonly FieldProblem[] {
  return errors.slice(0, problemsMax).map((error) => ({ path: fieldPath(error), message: messageOf(error) }));
}

/** `/spec/environment/0/name` → `spec.environment[0].name`; a missing field is named itself, not its parent. */
function fieldPath({ instancePath, keyword, params }: ErrorObject): string {
  const parts = instancePath.split('/').slice(1);
  if (keyword === 'required') parts.push(String(params['missingProperty']));
  return parts.map((part, index) => (/^\d+$/.test(part) ? `[${part}]` : `${index === 0 ? '' : '.'}${part}`)).join('');
}

function messageOf({ keyword, params, message }: ErrorObject): string {
  if (keyword === 'required') return 'is required';
  if (keyword === 'enum') return `must be one of ${[params['allowedValues']].flat().join(', ')}`;
  return message ?? keyword;
}
