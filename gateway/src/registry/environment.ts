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
  /** Decoded data of the object; null when it does not exist. Rejects while the API server is away, and may never settle. */
  readonly read: (ref: SourceRef) => Promise<Values>;
  /** What the platform adds for a namespace; the function's own variables go before it, and it takes none of their room. Absent = nothing. */
  readonly added?: (namespace: string) => Readonly<Record<string, string>>;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** Calls back once; returns what takes it back. */
  readonly schedule: (ms: number, then: () => void) => () => void;
}

/** What was read is older than this: it is read again, in the background when it can be used meanwhile. */
const FRESH_MS = 10_000;
/** The same for what is missing: somebody may be about to create it. */
const MISSING_FRESH_MS = 1_000;
/** A request waits so long for a Secret or ConfigMap that nothing is known of. */
const READ_LIMIT_MS = 2_000;
/** Secrets and ConfigMaps that are remembered. */
const MAX_SOURCES = 2000;

/** Decoded data of one object; null = it does not exist. */
type Values = Readonly<Record<string, string>> | null;

interface Known {
  readonly value: Values;
  readonly atMs: number;
}

/**
 * Makes the function that gives a version's variables. References go to the function's own namespace only.
 *
 * A value that is known is used at once and, when it is older than 10 s, read again in the background: an API server that is away
 * or silent delays no call, and a changed Secret reaches the pods that are claimed after the next one. Only what is not known, or
 * was missing, is waited for, at most 2 s.
 */
export function environmentSource(
  deps: EnvironmentDeps,
): (namespace: string, version: VersionView) => Target['environment'] {
  const sources = new Sources(deps);
  return (namespace, version) => async () => {
    const entries = await Promise.all(
      version.environment.map(async (entry) => [entry.name, await textOf(entry, namespace, sources)] as const),
    );
    const bytes = entries.reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(value), 0);
    if (bytes > environmentMaxBytes) throw unresolved(`the environment variables are ${bytes} bytes, more than 4KB`);
    return { ...deps.added?.(namespace), ...Object.fromEntries(entries) };
  };
}

/** What is known of Secrets and ConfigMaps. */
class Sources {
  readonly #deps: EnvironmentDeps;
  readonly #known = new LRUCache<string, Known>({ max: MAX_SOURCES });
  /** One read of an object at a time; one that takes too long makes room for the next. */
  readonly #reading = new Map<string, Promise<Values>>();

  constructor(deps: EnvironmentDeps) {
    this.#deps = deps;
  }

  /** @throws LambdaError when nothing is known and nothing can be read */
  async get(ref: SourceRef, key: string): Promise<Values> {
    const known = this.#known.get(`${ref.kind}/${ref.namespace}/${ref.name}`);
    const ageMs = known === undefined ? Number.POSITIVE_INFINITY : this.#deps.now() - known.atMs;
    const isUsable = known?.value != null && Object.hasOwn(known.value, key);
    if (known !== undefined && ageMs < (isUsable ? FRESH_MS : MISSING_FRESH_MS)) return known.value;
    const reading = this.#read(ref);
    if (known !== undefined && isUsable) {
      reading.catch(() => undefined); // what is known goes on; the next call tries again
      return known.value;
    }
    try {
      return await reading;
    } catch (cause) {
      if (known !== undefined) return known.value;
      throw unreadable(ref, cause);
    }
  }

  #read(ref: SourceRef): Promise<Values> {
    const name = `${ref.kind}/${ref.namespace}/${ref.name}`;
    const under = this.#reading.get(name);
    if (under !== undefined) return under;
    const answer = this.#deps.read(ref).then((value) => {
      this.#known.set(name, { value, atMs: this.#deps.now() });
      return value;
    });
    const late = Promise.withResolvers<never>();
    const cancel = this.#deps.schedule(READ_LIMIT_MS, () =>
      late.reject(new Error(`the Kubernetes API did not answer within ${READ_LIMIT_MS / 1000} s`)),
    );
    const reading = Promise.race([answer, late.promise]).finally(() => {
      cancel();
      this.#reading.delete(name);
    });
    this.#reading.set(name, reading);
    return reading;
  }
}

type Entry = VersionView['environment'][number];

async function textOf(entry: Entry, namespace: string, sources: Sources): Promise<string> {
  const { secretKeyRef, configMapKeyRef } = entry.valueFrom ?? {};
  const ref = secretKeyRef ?? configMapKeyRef;
  if (ref === undefined) return entry.value ?? '';
  const kind = secretKeyRef === undefined ? 'ConfigMap' : 'Secret';
  const source = await sources.get({ kind, namespace, name: ref.name }, ref.key);
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

/** Nobody but the platform can help; the request has not run. */
function unreadable(ref: SourceRef, cause: unknown): LambdaError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new LambdaError(
    'ServiceException',
    `cannot read ${ref.kind} ${ref.name} for the function's environment (${why}). The request did not run.`,
    { status: 500, fault: 'platform', retryAfterSeconds: 1, cause },
  );
}
