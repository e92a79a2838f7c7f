import { environmentMaxBytes } from '@kappa/crds/limits';
import { LRUCache } from 'lru-cache';

import type { Target } from '../dispatch/types.ts';
import { LambdaError } from '../errors.ts';
import type { VersionView } from './views.ts';

/** One Secret or ConfigMap. */
export interface SourceRef {
  readonly kind: 'Secret' | 'ConfigMap';
  readonly namespace: string;
  readonly name: string;
}

/** What {@link environmentSource} works with. */
export interface EnvironmentDeps {
  /** Decoded data of the object; null when it does not exist. Rejects while the API server is away. */
  readonly read: (ref: SourceRef) => Promise<Readonly<Record<string, string>> | null>;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}

/** How long what was read is taken as it is. New pods see a changed Secret after that. */
const FRESH_MS = 10_000;
/** Secrets and ConfigMaps that are remembered. */
const MAX_SOURCES = 2000;

interface Cached {
  readonly value: Readonly<Record<string, string>> | null;
  readonly atMs: number;
}

/**
 * Makes the function that gives a version's variables. References go to the function's own namespace only. What was
 * read once is used
 * on while the API server is away: fails open to the last known value, closed when there is none.
 */
export function environmentSource(
  deps: EnvironmentDeps,
): (namespace: string, version: VersionView) => Target['environment'] {
  const cache = new LRUCache<string, Cached>({ max: MAX_SOURCES });
  const reading = new Map<string, Promise<Cached['value']>>();

  const readSource = async (ref: SourceRef): Promise<Cached['value']> => {
    const key = `${ref.kind}/${ref.namespace}/${ref.name}`;
    const cached = cache.get(key);
    if (cached !== undefined && deps.now() - cached.atMs < FRESH_MS) return cached.value;
    const under = reading.get(key) ?? deps.read(ref).finally(() => reading.delete(key));
    reading.set(key, under);
    try {
      const value = await under;
      cache.set(key, { value, atMs: deps.now() });
      return value;
    } catch (cause) {
      if (cached !== undefined) return cached.value;
      throw new LambdaError('ServiceException', `cannot read ${ref.kind} ${ref.name} for the function's environment`, {
        status: 500,
        fault: 'platform',
        retryAfterSeconds: 1,
        cause,
      });
    }
  };

  return (namespace, version) => async () => {
    const entries = await Promise.all(
      version.environment.map(async (entry) => [entry.name, await textOf(entry, namespace, readSource)] as const),
    );
    const bytes = entries.reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(value), 0);
    if (bytes > environmentMaxBytes) throw unresolved(`the environment variables are ${bytes} bytes, more than 4KB`);
    return Object.fromEntries(entries);
  };
}

type Entry = VersionView['environment'][number];

async function textOf(
  entry: Entry,
  namespace: string,
  readSource: (ref: SourceRef) => Promise<Cached['value']>,
): Promise<string> {
  const { secretKeyRef, configMapKeyRef } = entry.valueFrom ?? {};
  const ref = secretKeyRef ?? configMapKeyRef;
  if (ref === undefined) return entry.value ?? '';
  const kind = secretKeyRef === undefined ? 'ConfigMap' : 'Secret';
  const source = await readSource({ kind, namespace, name: ref.name });
  if (source === null) throw unresolved(`${kind} ${ref.name} of variable ${entry.name} does not exist`);
  if (!Object.hasOwn(source, ref.key))
    throw unresolved(`${kind} ${ref.name} of variable ${entry.name} has no key ${ref.key}`);
  return source[ref.key] ?? '';
}

/** The owner of the function has to act. Names only: values never stand in errors. */
function unresolved(problem: string): LambdaError {
  return new LambdaError(
    'InvalidParameterValueException',
    `Lambda was unable to configure the environment variables: ${problem}`,
    {
      status: 502,
      fault: 'function',
    },
  );
}
