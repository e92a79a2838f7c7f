import { join } from 'node:path';
import { isJsonObject, type JsonObject } from '../parse-meta.ts';
import { Backoff } from './backoff.ts';
import { askedPauseMs, errorOfStatus, isGone, isTooBusy } from './errors.ts';
import type { Informer, InformerTiming, SnapshotOptions, WatchOptions } from './informer.ts';
import { type Kind, keyOf } from './kinds.ts';
import { type ListPage, readEvent, readPage } from './pages.ts';
import { collectionPath } from './paths.ts';
import type { Runtime } from './runtime.ts';
import { SnapshotKeeper, type SnapshotPacing } from './snapshot-keeper.ts';
import type { Transport } from './transport.ts';

interface Entry<P> {
  readonly resourceVersion: string;
  readonly projected: P;
}

/** What an informer is made with. */
export interface InformerDeps {
  readonly transport: Transport;
  readonly runtime: Runtime;
  readonly timing: InformerTiming;
  /** null = views are not kept. */
  readonly snapshots: (SnapshotOptions & { readonly pacing: SnapshotPacing }) | null;
  /** Hears each failure; decides about logging. */
  readonly onProblem: (problem: unknown) => void;
}

/**
 * List, then watch, for ever. Hand-written rather than client-node's ListWatch, because that ends on the first failure, keeps whole
 * objects, swallows in-stream errors, never asks for bookmarks and ignores `continue`.
 *
 * Two states. *Listing* (no version): pages are read without a version, so that the answer is current; what is not in the list
 * is gone; enters *watching* with the list's version. *Watching*: one request of `watchSeconds` after the other, each from the last
 * version heard, bookmarks included, so that a quiet collection never falls out of the server's history. 410 in either form
 * goes back to listing; any other failure repeats the watch after a pause, and after three in a row lists (an API server may come back
 * with an older store, and a watch from a version of its future would hear nothing), unless it is too busy. The view stays readable all
 * the time: an API server that is away makes it old, not empty. So it does to a process that starts meanwhile, when views are kept:
 * a first list that is late is replaced by what the last life of the process saw, and replaces that when it comes.
 */
export class WatchInformer<T, P> implements Informer<P> {
  readonly #entries = new Map<string, Entry<P>>();
  readonly #synced = Promise.withResolvers<void>();
  readonly #deps: InformerDeps;
  readonly #kind: Kind<T>;
  readonly #options: WatchOptions<T, P>;
  readonly #backoff: Backoff;
  readonly #keeper: SnapshotKeeper | null;
  /** Where the next watch begins; null: list first. */
  #version: string | null = null;
  #failuresInRow = 0;
  /** The kept view was asked for; a second time it would be the same. */
  #wasKeptRead = false;
  hasSynced = false;
  isStale = false;
  lastEventMs = 0;
  isFailing = false;
  failures = 0;

  constructor(kind: Kind<T>, options: WatchOptions<T, P>, deps: InformerDeps) {
    this.#kind = kind;
    this.#options = options;
    this.#deps = deps;
    this.#backoff = new Backoff(deps.runtime, deps.timing.backoff);
    this.#keeper = this.#makeKeeper();
    this.#synced.promise.catch(() => undefined); // nobody has to wait for it
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): P | undefined {
    return this.#entries.get(key)?.projected;
  }

  list(): readonly P[] {
    return [...this.#entries.values()].map((entry) => entry.projected);
  }

  entries(): readonly (readonly [string, P])[] {
    return [...this.#entries].map(([key, entry]) => [key, entry.projected] as const);
  }

  whenSynced(): Promise<void> {
    return this.#synced.promise;
  }

  /** Runs until the signal aborts; never rejects. */
  async run(): Promise<void> {
    const { signal } = this.#options;
    void this.#seedWhenLate();
    while (!signal.aborted) {
      try {
        if (this.#version === null) await this.#list();
        const wasHeard = await this.#watch();
        if (!wasHeard) await this.#backoff.pause(signal); // closed at once: without a pause this would spin
      } catch (error) {
        if (signal.aborted) break;
        this.#failed(error);
        await this.#backoff.pause(signal, askedPauseMs(error));
      }
    }
    this.#synced.reject(signal.reason);
  }

  /** Decides what the next try is. */
  #failed(error: unknown): void {
    this.#failuresInRow += 1;
    this.isFailing = true;
    const isOften = this.#failuresInRow >= relistAfterFailures && !isTooBusy(error);
    if (isGone(error) || isOften) this.#version = null;
    this.#fail(error);
    if (this.#failuresInRow >= (this.#deps.snapshots?.seedAfterFailures ?? 3)) this.#seed();
  }

  /** One complete list. */
  async #list(): Promise<void> {
    const seen = new Set<string>();
    let version: string | undefined;
    let next: string | undefined;
    do {
      const page: ListPage = readPage(
        await this.#deps.transport.json({
          method: 'GET',
          path: this.#path(),
          query: { ...this.#selectors(), limit: String(this.#deps.timing.pageSize), continue: next },
          signal: this.#options.signal,
        }),
      );
      for (const item of page.items) this.#take(item, seen);
      version ??= page.version; // of the first: what a later page was too late for, the watch says
      next = page.next;
    } while (next !== undefined);
    for (const key of [...this.#entries.keys()]) if (!seen.has(key)) this.#remove(key);
    this.#version = version;
    this.lastEventMs = this.#deps.runtime.nowMs();
    this.isFailing = false;
    this.hasSynced = true;
    this.isStale = false;
    this.#synced.resolve();
    this.#keeper?.changed();
  }

  #makeKeeper(): SnapshotKeeper | null {
    const { snapshot, signal } = this.#options;
    const { snapshots, runtime, onProblem } = this.#deps;
    if (snapshot === undefined || snapshots === null) return null;
    const { labelSelector = '', fieldSelector = '' } = this.#options;
    const scope = `${this.#path()}?${labelSelector}&${fieldSelector}`;
    return new SnapshotKeeper(
      join(snapshots.directory, snapshot.name),
      { scope, shape: snapshot.shape },
      {
        runtime,
        pacing: snapshots.pacing,
        signal,
        onProblem,
        entries: () => [...this.#entries].map(([key, entry]) => [key, entry.resourceVersion, entry.projected] as const),
      },
    );
  }

  async #seedWhenLate(): Promise<void> {
    if (this.#keeper === null) return;
    await this.#deps.runtime.sleep(this.#deps.snapshots?.seedAfterMs ?? 700, this.#options.signal);
    this.#seed();
  }

  /** Takes the kept view, unless there is one already. What a list under way has said of an object stays. */
  #seed(): void {
    if (this.hasSynced || this.#wasKeptRead || this.#options.signal.aborted) return;
    this.#wasKeptRead = true;
    const kept = this.#keeper?.read() ?? null;
    if (kept === null) return;
    for (const [key, resourceVersion, value] of kept) {
      if (this.#entries.has(key)) continue;
      const projected = value as P; // parse: the file's checksum, scope and shape say that `project` made it
      this.#entries.set(key, { resourceVersion, projected });
      this.#say(key, projected);
    }
    this.hasSynced = true;
    this.isStale = true;
    this.#synced.resolve();
  }

  /** One watch request, to its end. Returns whether it was more than a connection that closed at once. */
  async #watch(): Promise<boolean> {
    const { transport, runtime, timing } = this.#deps;
    const startMs = runtime.nowMs();
    const query = {
      ...this.#selectors(),
      watch: 'true',
      allowWatchBookmarks: 'true',
      timeoutSeconds: String(timing.watchSeconds),
      resourceVersion: this.#version ?? '',
    };
    const silenceMs = timing.watchSeconds * 1000 + timing.graceMs;
    const lines = transport.lines({
      method: 'GET',
      path: this.#path(),
      query,
      silenceMs,
      signal: this.#options.signal,
    });
    let wasHeard = false;
    for await (const line of lines) {
      this.#event(line);
      this.#hear();
      wasHeard = true;
    }
    const wasLong = runtime.nowMs() - startMs >= (timing.watchSeconds * 1000) / 2; // no bookmarks here, and nothing happened
    if (wasLong) this.#hear();
    return wasHeard || wasLong;
  }

  /** Takes one line of a watch. */
  #event(line: string): void {
    const { type, object } = readEvent(line, this.#path());
    if (type === 'ERROR')
      throw errorOfStatus(
        `watch ${this.#path()}`,
        numberOf(object['code']),
        JSON.stringify({ kind: 'Status', ...object }),
      );
    const metadata = isJsonObject(object['metadata']) ? object['metadata'] : {};
    if (type === 'DELETED') this.#remove(keyOfRaw(metadata));
    else if (type !== 'BOOKMARK') this.#take(object);
    const version = metadata['resourceVersion'];
    if (typeof version === 'string' && version !== '') this.#version = version;
  }

  /** Keeps an object's projection. One that cannot be read is reported and leaves what was known of it. */
  #take(item: unknown, seen?: Set<string>): void {
    const raw: JsonObject = isJsonObject(item) && isJsonObject(item['metadata']) ? item['metadata'] : {};
    const key = keyOfRaw(raw);
    seen?.add(key);
    const known = this.#entries.get(key);
    if (known !== undefined && known.resourceVersion === raw['resourceVersion']) return; // a list said again what is known
    try {
      const projected = this.#options.project(this.#kind.parse(item));
      this.#entries.set(key, { resourceVersion: String(raw['resourceVersion']), projected });
      this.#say(key, projected);
    } catch (error) {
      this.#fail(error);
    }
  }

  #remove(key: string): void {
    if (this.#entries.delete(key)) this.#say(key, null);
  }

  #say(key: string, projected: P | null): void {
    if (this.hasSynced && !this.isStale) this.#keeper?.changed();
    try {
      this.#options.onChange(key, projected);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** The watch works. */
  #hear(): void {
    this.lastEventMs = this.#deps.runtime.nowMs();
    this.isFailing = false;
    this.#backoff.reset();
    this.#failuresInRow = 0;
  }

  #fail(error: unknown): void {
    this.failures += 1;
    this.#deps.onProblem(error);
  }

  #path(): string {
    return collectionPath(this.#kind, this.#options.namespace ?? null);
  }

  #selectors(): Record<string, string | undefined> {
    return { labelSelector: this.#options.labelSelector, fieldSelector: this.#options.fieldSelector };
  }
}

const relistAfterFailures = 3;

function keyOfRaw(metadata: JsonObject): string {
  return keyOf({ namespace: String(metadata['namespace'] ?? ''), name: String(metadata['name'] ?? '') });
}

function numberOf(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}
