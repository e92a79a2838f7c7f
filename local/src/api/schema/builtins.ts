import { builtinSources } from './builtin-sources.ts';
import type { JsonObject } from './json.ts';
import { type CompiledSchema, compileTrusted } from './structural.ts';

const anything: JsonObject = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };

const compiled = new Map<string, CompiledSchema>();

/**
 * Schema of a built-in kind: fields with merge keys and the common ones are described, all others are kept as they come.
 * A kind that is not known gets a schema that takes anything.
 */
export function builtinSchema(apiVersion: string, kind: string): CompiledSchema {
  const key = `${apiVersion}/${kind}`;
  const known = compiled.get(key) ?? compileTrusted(builtinSource(apiVersion, kind));
  compiled.set(key, known);
  return known;
}

/** The same as OpenAPI, for documents that clients read. */
export function builtinSource(apiVersion: string, kind: string): JsonObject {
  return builtinSources[`${apiVersion}/${kind}`] ?? anything;
}
