import { LRUCache } from 'lru-cache';

/** One Secret or ConfigMap. */
export interface SourceRef {
  readonly kind: 'Secret' | 'ConfigMap';
  readonly namespace: string;
  readonly name: string;
}

/** Decoded data of one object; null = it does not exist. */
export type Values = Readonly<Record<string, string>> | null;

/** What {@link KnownSources} works with. */
export interface KnownSourcesDeps {
  /** Decoded data of the object; null when it does not exist. Rejects while the API server is away, and may never settle. */
  readonly read: (ref: SourceRef) => Promise<Values>;
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

interface Known {
  readonly value: Values;
  readonly atMs: number;
}

/**
 * Secrets and ConfigMaps that were read. A value that is known is used at once and, when it is older than 10 s, read again in the background: an API
 * server that is away or silent delays nobody. Only what is not known, or was missing, is waited for, at most 2 s.
 */
export class KnownSources {
  readonly #deps: KnownSourcesDeps;
  readonly #known = new LRUCache<string, Known>({ max: MAX_SOURCES });
  /** One read of an object at a time; one that takes too long makes room for the next. */
  readonly #reading = new Map<string, Promise<Values>>();

  constructor(deps: KnownSourcesDeps) {
    this.#deps = deps;
  }

  /** @param key that is asked for: while it is missing the source is read again sooner @throws when nothing is known and nothing can be read */
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
    } catch (err) {
      if (known !== undefined) return known.value;
      throw err;
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
