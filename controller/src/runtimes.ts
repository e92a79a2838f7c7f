import type { FunctionObject } from '@kappa/crds/function';
import { parse } from 'yaml';

/** One managed runtime as the controller needs it; from runtime-images/runtimes.yaml. */
export interface Runtime {
  /** Lambda's identifier, e.g. `nodejs24.x`; also the name of its Pool. */
  readonly id: NonNullable<FunctionObject['spec']['runtime']>;
  /** Image of the pool's pods. */
  readonly image: string;
  /** Globs of environment names that need a fresh language process. */
  readonly freshProcess: readonly string[];
  /** Value of AWS_EXECUTION_ENV. */
  readonly executionEnvironment: string;
}

/** Reads the runtime table. Throws one error that names the entry and the key that is wrong. */
export function parseRuntimes(yamlText: string): ReadonlyMap<string, Runtime> {
  const document: unknown = parse(yamlText, { merge: true });
  const entries = isRecord(document) ? document['runtimes'] : undefined;
  if (!Array.isArray(entries)) throw new Error('runtime table: no list `runtimes`');
  return new Map(entries.map(parseRuntime).map((runtime) => [runtime.id, runtime]));
}

function parseRuntime(entry: unknown, index: number): Runtime {
  if (!isRecord(entry)) throw new Error(`runtime table: entry ${index} is not a map`);
  const text = (key: string): string => {
    const value = entry[key];
    if (typeof value !== 'string') throw new Error(`runtime table: entry ${index}: ${key} is not a text`);
    return value;
  };
  const fresh = entry['freshProcess'] ?? [];
  if (!Array.isArray(fresh)) throw new Error(`runtime table: entry ${index}: freshProcess is not a list`);
  return {
    id: text('id') as Runtime['id'],
    image: text('image'),
    freshProcess: fresh.map(String),
    executionEnvironment: text('executionEnvironment'),
  };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
