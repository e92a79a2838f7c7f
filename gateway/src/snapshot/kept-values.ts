import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { isUnavailable } from '@kappa/crds/client/errors';
import { SnapshotKeeper, type SnapshotPacing, snapshotPacing } from '@kappa/crds/client/snapshot-keeper';
import { LRUCache } from 'lru-cache';

import type { KnownSourcesDeps, SourceRef } from '../registry/known-sources.ts';

type Read = KnownSourcesDeps['read'];
type Values = Awaited<ReturnType<Read>>;

/** What {@link keepValues} works with. */
export interface KeptValuesDeps {
  /** A tmpfs that outlives the process but not the pod. */
  readonly directory: string;
  readonly signal: AbortSignal;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** Hears of a file that is not used or cannot be written; neither fails a call. */
  readonly onProblem: (problem: unknown) => void;
  readonly pacing?: SnapshotPacing;
}

/** Bytes of text that are kept; what was not read for longest goes first. The tmpfs counts as the container's memory. */
const MAX_BYTES = 8 * 1024 * 1024;
/** A larger object is not kept: variables are at most 4 KB together. */
const MAX_OBJECT_BYTES = 256 * 1024;
/** With a kept value at hand the API server is waited for so long. Below the 2 s that a request waits for a value. */
const WAIT_MS = 500;

/**
 * Reads through to `read` and keeps what it gave, also over a restart of the container: in a file of a tmpfs that only this user may
 * read (0600), never on a disk. While the API server is away or silent, the kept value is the answer. What is gone (null) is forgotten
 * as well, so that a deleted Secret does not come back.
 */
export function keepValues(read: Read, deps: KeptValuesDeps): Read {
  const kept = new LRUCache<string, NonNullable<Values>>({
    maxSize: MAX_BYTES,
    maxEntrySize: MAX_OBJECT_BYTES,
    sizeCalculation: (values, key) => key.length + bytesOf(values),
  });
  const keeper = new SnapshotKeeper(
    join(deps.directory, 'values'),
    { scope: 'values', shape: 1 },
    {
      runtime: { nowMs: deps.now, sleep: quietPause },
      pacing: deps.pacing ?? snapshotPacing,
      signal: deps.signal,
      onProblem: deps.onProblem,
      entries: () => [...kept.entries()].reverse().map(([key, values]) => [key, '', values] as const),
    },
  );
  for (const [key, , values] of keeper.read() ?? []) if (isValues(values)) kept.set(key, values);
  const keep = (key: string, values: Values): void => {
    const known = kept.get(key);
    if (values === null ? known === undefined : JSON.stringify(known) === JSON.stringify(values)) return;
    if (values === null) kept.delete(key);
    else kept.set(key, values);
    keeper.changed();
  };
  return async (ref) => {
    const key = keyOf(ref);
    const reading = read(ref).then(
      (values) => {
        keep(key, values);
        return values;
      },
      (error: unknown) => {
        if (!isUnavailable(error)) keep(key, null);
        throw error;
      },
    );
    const known = kept.get(key);
    return known === undefined ? reading : firstOf(reading, known);
  };
}

/** The answer, or what is known when there is none or it is late. A late answer is kept all the same. */
async function firstOf(reading: Promise<Values>, known: Values): Promise<Values> {
  const ended = new AbortController();
  const late = quietPause(WAIT_MS, ended.signal).then(() => known);
  try {
    return await Promise.race([reading.catch((error: unknown) => unlessRefused(error, known)), late]);
  } finally {
    ended.abort();
  }
}

/** A server that answers is believed: who may not read the object any more does not get it from here either. */
function unlessRefused(error: unknown, known: Values): Values {
  if (isUnavailable(error)) return known;
  throw error;
}

/** Does not keep the process alive. */
function quietPause(ms: number, signal: AbortSignal): Promise<void> {
  return pause(ms, undefined, { signal, ref: false }).catch(() => undefined);
}

function keyOf({ kind, namespace, name }: SourceRef): string {
  return `${kind}/${namespace}/${name}`;
}

function bytesOf(values: Readonly<Record<string, string>>): number {
  return Object.entries(values).reduce((sum, [key, value]) => sum + key.length + value.length, 1);
}

function isValues(value: unknown): value is Readonly<Record<string, string>> {
  return typeof value === 'object' && value !== null && Object.values(value).every((text) => typeof text === 'string');
}
