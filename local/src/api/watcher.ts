import { parseBoolean } from './caller.ts';
import type { Change } from './history.ts';
import { listPage, parseVersion } from './lister.ts';
import { encode } from './negotiation.ts';
import { copy, type KubeObject, keyOf } from './object.ts';
import { renderObject, type View } from './render.ts';
import { apiVersionOf } from './resource.ts';
import { type Matches, parseSelectors } from './selectors.ts';
import { badRequest, expired } from './status.ts';
import type { Store } from './store.ts';
import type { Target } from './target.ts';

/** Where a watch writes: an HTTP answer, or a test. */
export interface WatchSink {
  /** @returns false when the reader is behind; `onDrain` tells when it has caught up */
  write(line: string): boolean;
  onDrain(listener: () => void): void;
  onClose(listener: () => void): void;
  /** Ends after what was written. */
  end(): void;
  /** Ends at once; what the reader did not take is lost. */
  abort(): void;
}

/** Timers that a watch needs; returns the way to stop. */
export interface WatchClock {
  now(): number;
  after(ms: number, run: () => void): () => void;
}

/** What a watch was asked for. */
export interface WatchRequest {
  readonly startVersion: number;
  /** Objects that come first, as ADDED. */
  readonly initial: readonly KubeObject[];
  readonly hasBookmarks: boolean;
  /** A bookmark marks the end of `initial`. */
  readonly marksInitialEnd: boolean;
  readonly timeoutMs: number;
  readonly matches: Matches;
}

const bookmarkEveryMs = 60_000;
const lastBookmarkBeforeEndMs = 2000;
/** A reader that takes nothing for so long is cut off. */
const maxBlockedMs = 30_000;
/** Without timeoutSeconds a watch ends after 30 to 60 minutes. */
const defaultTimeoutMs = 1_800_000;
const initialEventsEnd = 'k8s.io/initial-events-end';

/** Reads the parameters of a watch. @throws ApiError 400, 410 */
export function parseWatch(store: Store, target: Target, query: URLSearchParams, random: () => number): WatchRequest {
  const versionText = query.get('resourceVersion') ?? '';
  const sendInitial = query.get('sendInitialEvents');
  const match = query.get('resourceVersionMatch') ?? '';
  checkInitialEvents(sendInitial, match, query);
  const seconds = Number(query.get('timeoutSeconds') ?? 0);
  if (!Number.isFinite(seconds) || seconds < 0) throw badRequest('timeoutSeconds: Invalid value: must be 0 or more');
  const version = versionText === '' ? 0 : parseVersion(versionText);
  const wantsInitial = sendInitial === null ? version === 0 : parseBoolean(sendInitial);
  const history = store.history(target.type.storage);
  const isFromNow = version === 0 || wantsInitial;
  if (!isFromNow && (version > store.version || history.positionAfter(version) === null)) {
    throw expired(`too old resource version: ${version} (${history.completeSince})`);
  }
  return {
    startVersion: isFromNow ? store.version : version,
    initial: wantsInitial ? listPage(store, target, initialQuery(query)).objects : [],
    hasBookmarks: parseBoolean(query.get('allowWatchBookmarks')),
    marksInitialEnd: sendInitial !== null && wantsInitial,
    timeoutMs: seconds > 0 ? seconds * 1000 : defaultTimeoutMs * (1 + random()),
    matches: parseSelectors(query, target.type),
  };
}

function initialQuery(query: URLSearchParams): URLSearchParams {
  const kept = ['labelSelector', 'fieldSelector'].flatMap((name) =>
    query.getAll(name).map((value): [string, string] => [name, value]),
  );
  return new URLSearchParams(kept);
}

function checkInitialEvents(sendInitial: string | null, match: string, query: URLSearchParams): void {
  if (sendInitial === null) {
    if (match !== '')
      throw badRequest(
        'resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided',
      );
    return;
  }
  if (match !== 'NotOlderThan')
    throw badRequest(
      'resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan',
    );
  if (parseBoolean(sendInitial) && !parseBoolean(query.get('allowWatchBookmarks'))) {
    throw badRequest('sendInitialEvents: Forbidden: sendInitialEvents requires allowWatchBookmarks to be set');
  }
}

/**
 * One watch. It holds no events of its own: it reads the resource's history at its own pace while the reader takes what
 * it writes. A reader that falls behind the whole history gets an ERROR 410 and the end, one that takes nothing for 30
 * s is cut off: memory stays bounded.
 * States: initial objects → live → ended (time-out, reader gone, 410). `run` returns at once; everything else happens
 * on events.
 */
export class Watcher {
  readonly #store: Store;
  readonly #target: Target;
  readonly #view: View;
  readonly #request: WatchRequest;
  readonly #sink: WatchSink;
  readonly #clock: WatchClock;
  readonly #stops: (() => void)[] = [];
  /** Next initial object to send. */
  #initial = 0;
  /** Position in the history of the next change to send. */
  #position: number;
  /** Everything up to this version was sent or does not concern the reader. */
  #version: number;
  #isBlocked = false;
  /** Stops the timer that cuts off a reader who takes nothing. */
  #unblock: () => void = () => undefined;
  #isEnded = false;
  #hasSentColumns = false;

  constructor(store: Store, target: Target, view: View, request: WatchRequest, sink: WatchSink, clock: WatchClock) {
    this.#store = store;
    this.#target = target;
    this.#view = view;
    this.#request = request;
    this.#sink = sink;
    this.#clock = clock;
    this.#version = request.startVersion;
    this.#position = store.history(target.type.storage).positionAfter(request.startVersion) ?? 0;
  }

  run(): void {
    const { timeoutMs, hasBookmarks } = this.#request;
    this.#stops.push(this.#store.subscribe(this.#target.type.storage, () => this.#pump()));
    this.#stops.push(this.#clock.after(timeoutMs, () => this.#end()));
    if (hasBookmarks) {
      if (timeoutMs > lastBookmarkBeforeEndMs)
        this.#stops.push(this.#clock.after(timeoutMs - lastBookmarkBeforeEndMs, () => this.#bookmark()));
      this.#bookmarkAfterPause();
    }
    this.#sink.onClose(() => this.#end());
    this.#sink.onDrain(() => {
      this.#isBlocked = false;
      this.#unblock();
      this.#pump();
    });
    this.#pump();
  }

  /**
   * Never throws: it runs inside other people's writes. An event that cannot be written breaks the watch; its reader
   * begins anew.
   */
  #pump(): void {
    try {
      while (!this.#isBlocked && !this.#isEnded && this.#sendNext());
    } catch {
      this.#isBlocked = true;
      this.#end();
    }
  }

  /** Sends at most one event. @returns false when there is nothing to send now */
  #sendNext(): boolean {
    const { initial, marksInitialEnd } = this.#request;
    if (this.#initial <= initial.length) {
      const object = initial[this.#initial];
      this.#initial += 1;
      if (object !== undefined) this.#send('ADDED', object);
      else if (marksInitialEnd) this.#bookmark({ [initialEventsEnd]: 'true' });
      return true;
    }
    const history = this.#store.history(this.#target.type.storage);
    if (this.#position >= history.end) {
      this.#version = Math.max(this.#version, this.#store.version);
      return false;
    }
    const change = history.at(this.#position);
    if (change === undefined) {
      this.#fail();
      return false;
    }
    this.#position += 1;
    this.#sendChange(change);
    this.#version = change.version;
    return true;
  }

  /** A change may bring an object into the selection or take it out of it. */
  #sendChange(change: Change): void {
    const { namespace, name, type } = this.#target;
    if (namespace !== '' && change.object.metadata.namespace !== namespace) return;
    if (name !== '' && change.object.metadata.name !== name) return;
    const isIn = change.type !== 'DELETED' && this.#request.matches(change.object);
    const wasIn = change.before !== null && this.#request.matches(change.before);
    if (isIn) this.#send(wasIn ? 'MODIFIED' : 'ADDED', type.fromStorage(change.object));
    else if (wasIn) this.#send('DELETED', type.fromStorage(lastSeen(change)));
  }

  #send(type: string, object: KubeObject): void {
    const rendered = renderObject(this.#view, this.#target, object, this.#clock.now());
    this.#write({ type, object: this.#hasSentColumns ? withoutColumns(rendered) : rendered });
    this.#hasSentColumns = true;
  }

  #bookmark(annotations?: Record<string, string>): void {
    if (this.#isBlocked && annotations === undefined) return;
    const { type } = this.#target;
    if (this.#initial <= this.#request.initial.length && annotations === undefined) return;
    const metadata = { resourceVersion: String(this.#version), ...(annotations === undefined ? {} : { annotations }) };
    this.#write({ type: 'BOOKMARK', object: { apiVersion: apiVersionOf(type), kind: type.kind, metadata } });
  }

  #bookmarkAfterPause(): void {
    const stop = this.#clock.after(bookmarkEveryMs, () => {
      this.#stops.splice(this.#stops.indexOf(stop), 1);
      this.#pump(); // brings the version up to now
      this.#bookmark();
      if (!this.#isEnded) this.#bookmarkAfterPause();
    });
    this.#stops.push(stop);
  }

  /** The reader is so slow that its place in the history is gone. */
  #fail(): void {
    const error = expired(
      `too old resource version: ${this.#version} (${this.#store.history(this.#target.type.storage).completeSince})`,
    );
    this.#write({ type: 'ERROR', object: error.toStatus() });
    this.#end();
  }

  #write(event: unknown): void {
    if (this.#isEnded) return;
    this.#isBlocked = !this.#sink.write(encode({ ...this.#view.answer, format: 'json' }, event));
    if (!this.#isBlocked) return;
    this.#unblock();
    this.#unblock = this.#clock.after(maxBlockedMs, () => this.#end());
  }

  #end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    for (const stop of this.#stops.splice(0)) stop();
    this.#unblock();
    if (this.#isBlocked) this.#sink.abort();
    else this.#sink.end();
  }
}

/** The object that leaves the selection: its last selected state with the version of the change. */
function lastSeen({ before, object, type }: Change): KubeObject {
  if (type === 'DELETED' || before === null || keyOf(before) !== keyOf(object)) return object;
  const result = copy(before);
  result.metadata.resourceVersion = object.metadata.resourceVersion;
  return result;
}

/** Only the first table of a watch says what its columns are. */
function withoutColumns(rendered: unknown): unknown {
  if (typeof rendered !== 'object' || rendered === null || !('columnDefinitions' in rendered)) return rendered;
  return { ...rendered, columnDefinitions: [] };
}
