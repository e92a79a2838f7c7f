import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { FindInterpreter, Interpreter } from './interpreters.ts';

/** One entry of runtime-images/runtimes.yaml, as far as the process node needs it. */
export interface RuntimeEntry {
  readonly id: string;
  readonly family: string;
  readonly version: string;
  readonly image: string;
  /** Empty: the function brings its runtime. */
  readonly interpreters: readonly string[];
  /** Arguments after the interpreter; names of files in the family's folder are absolute already. */
  readonly bootstrap: readonly string[];
  readonly freshProcess: readonly string[];
}

/** A runtime that this machine can run. */
export interface LocalRuntime {
  readonly entry: RuntimeEntry;
  /** Null when the function brings its runtime. */
  readonly interpreter: Interpreter | null;
  /** False when another version of the language stands in. */
  readonly isExact: boolean;
}

/**
 * Reads runtimes.yaml.
 *
 * @param folder runtime-images
 * @throws Error when the file is missing or an entry lacks what is needed
 */
export function readRuntimes(folder: string): readonly RuntimeEntry[] {
  const file = join(folder, 'runtimes.yaml');
  const document: unknown = parse(readFileSync(file, 'utf8'));
  const { runtimes } = asRecord(document, file);
  if (!Array.isArray(runtimes)) throw new Error(`${file} has no list of runtimes`);
  return runtimes.map((entry: unknown, index) => parseEntry(asRecord(entry, `${file} runtimes[${index}]`), folder));
}

/** For each runtime the best interpreter of this machine; runtimes that it cannot run at all are left out. */
export async function findLocalRuntimes(
  entries: readonly RuntimeEntry[],
  find: FindInterpreter,
): Promise<readonly LocalRuntime[]> {
  const found = await Promise.all(entries.map((entry) => localRuntime(entry, find)));
  return found.filter((runtime) => runtime !== null);
}

/** What this machine lacks for the languages of which it has nothing, one text each: `ruby: no program ruby3.4 or ruby on PATH`. */
export function lacksOf(entries: readonly RuntimeEntry[], found: readonly LocalRuntime[]): readonly string[] {
  const here = new Set(found.map(({ entry }) => entry.family));
  const missing = Map.groupBy(
    entries.filter(({ family }) => !here.has(family)),
    ({ family }) => family,
  );
  return [...missing].map(([family, group]) => {
    const isUnbuilt = group.some(({ bootstrap }) => bootstrap.some(isNotBuilt));
    const names = [...new Set(group.flatMap(({ interpreters }) => interpreters))];
    return `${family}: ${isUnbuilt ? 'make setup could not build its client' : `no program ${names.join(' or ')} on PATH`}`;
  });
}

/** True when `version` ("3.11.7", "24.1.0") is a version of the runtime ("3.11", "24"). */
export function isVersionOf(version: string, wanted: string): boolean {
  return version === wanted || version.startsWith(`${wanted}.`);
}

async function localRuntime(entry: RuntimeEntry, find: FindInterpreter): Promise<LocalRuntime | null> {
  if (entry.bootstrap.some(isNotBuilt)) return null;
  if (entry.interpreters.length === 0) return { entry, interpreter: null, isExact: true };
  const found = (await Promise.all(entry.interpreters.map(find))).flat();
  const exact = found.find((interpreter) => isVersionOf(interpreter.version, entry.version));
  if (exact !== undefined) return { entry, interpreter: exact, isExact: true };
  // The next newer version stands in, as languages grow upwards; without one the newest.
  const ascending = found.toSorted((a, b) => ordinal(a.version) - ordinal(b.version));
  const standIn = ascending.find(({ version }) => ordinal(version) > ordinal(entry.version)) ?? ascending.at(-1);
  return standIn === undefined ? null : { entry, interpreter: standIn, isExact: false };
}

/** A program in Java or C# that `make setup` has not built: the machine lacks a tool for it. */
function isNotBuilt(argument: string): boolean {
  return /\.(jar|dll)$/.test(argument) && !existsSync(argument);
}

/** Versions on a line: 3.9 is before 3.13. */
function ordinal(version: string): number {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major * 1000 + minor;
}

function parseEntry(entry: Readonly<Record<string, unknown>>, folder: string): RuntimeEntry {
  const text = (name: string) => asText(entry[name], `runtimes.yaml: ${name}`);
  const local = asRecord(entry['local'], `runtimes.yaml: local of ${text('id')}`);
  const family = text('family');
  const inFamily = (word: string) => {
    const file = join(folder, family, word);
    return existsSync(file) ? file : word;
  };
  return {
    id: text('id'),
    family,
    version: text('version'),
    image: text('image'),
    interpreters: asTexts(local['interpreters'], 'interpreters'),
    bootstrap: asTexts(local['bootstrap'], 'bootstrap').map(inFamily),
    freshProcess: asTexts(entry['freshProcess'], 'freshProcess'),
  };
}

function asRecord(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) throw new Error(`${what} is not an object`);
  return value as Record<string, unknown>;
}

function asText(value: unknown, what: string): string {
  if (typeof value !== 'string' && typeof value !== 'number') throw new Error(`${what} is not a text`);
  return String(value);
}

function asTexts(value: unknown, what: string): readonly string[] {
  if (!Array.isArray(value)) throw new Error(`runtimes.yaml: ${what} is not a list`);
  return value.map((item) => asText(item, what));
}
