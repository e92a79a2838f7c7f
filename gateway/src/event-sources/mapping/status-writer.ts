import { isDeepStrictEqual } from 'node:util';
import { isConflict, isNotFound } from '@kappa/crds/client/errors';
import { referenceTo } from '@kappa/crds/client/event-recorder';
import { eventSourceMappings } from '@kappa/crds/client/kinds';
import type { Kubernetes } from '@kappa/crds/client/kubernetes';
import type { EventSourceMappingStatus } from '@kappa/crds/event-source-mapping';

import type { MappingView } from './mapping-view.ts';
import { planChanges, planStatus, type StatusChange, type StatusSituation } from './plan-status.ts';

/** Changes of anything but the state are written so far apart. */
export const WRITE_EVERY_MS = 5_000;
/** By then the watch has brought what was written; what it says then counts, whoever wrote it. */
const SEEN_AFTER_MS = 10_000;

/** Which object it is. */
export type MappingName = Pick<MappingView, 'uid' | 'namespace' | 'name'>;

/** What {@link StatusWriter} needs. */
export interface StatusWriterDeps {
  readonly kubernetes: Pick<Kubernetes, 'applyStatus' | 'event'>;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Monotonic. */
  readonly nowMs: () => number;
  /** A status could not be written; it is tried again. */
  readonly onProblem: (error: unknown) => void;
}

interface Written {
  status: EventSourceMappingStatus | null;
  triedMs: number;
  isUnderWay: boolean;
  hasFailed: boolean;
}

/**
 * Writes the status of mappings, by server-side apply under a field manager of its own; only what has changed, and events of the object for
 * conditions that did. The API server may be away: polling never waits for it.
 */
export class StatusWriter {
  readonly #deps: StatusWriterDeps;
  /** By uid; of those that this gateway writes. */
  readonly #written = new Map<string, Written>();

  constructor(deps: StatusWriterDeps) {
    this.#deps = deps;
  }

  /**
   * Brings the status about. Call it again and again: what may not be written yet, or could not, is left to the next call. Never rejects.
   *
   * @param seen the status as the watch brought it; null = there is none
   */
  async tell(
    mapping: MappingName & StatusSituation['view'],
    seen: EventSourceMappingStatus | null,
    facts: Pick<StatusSituation, 'userAction' | 'report' | 'isStuck'>,
  ): Promise<void> {
    const { now, nowMs } = this.#deps;
    const known = this.#written.get(mapping.uid);
    const sinceMs = known === undefined ? Number.POSITIVE_INFINITY : nowMs() - known.triedMs;
    const before = known === undefined || sinceMs > SEEN_AFTER_MS ? seen : known.status;
    const status = planStatus({ ...facts, view: mapping, before, nowMs: now() });
    const isNew = !isDeepStrictEqual(status, before);
    const isUrgent = status.state !== before?.state && known?.hasFailed !== true;
    const mayWrite = sinceMs >= WRITE_EVERY_MS || isUrgent;
    if (!isNew || !mayWrite || known?.isUnderWay === true) return;
    const entry: Written = { status: before, triedMs: nowMs(), isUnderWay: true, hasFailed: false };
    this.#written.set(mapping.uid, entry);
    try {
      await this.#apply(mapping, status);
      entry.status = status;
      for (const change of planChanges(before, status)) await this.event(mapping, change);
    } catch (error) {
      entry.hasFailed = true;
      if (!isNotFound(error) && !isConflict(error)) this.#deps.onProblem(error); // else it is gone, or another one has its name
    } finally {
      entry.isUnderWay = false;
    }
  }

  /** An event of the mapping's object. Never rejects. */
  event({ uid, namespace, name }: MappingName, change: StatusChange): Promise<void> {
    const metadata = { uid, namespace, name };
    const regarding = referenceTo({ apiVersion: 'kappa.dev/v1alpha1', kind: 'EventSourceMapping', metadata });
    return this.#deps.kubernetes.event(regarding, { ...change, action: 'Poll' });
  }

  /** Another gateway writes it from now on, or it is gone. */
  forget(uid: string): void {
    this.#written.delete(uid);
  }

  /** The uid makes sure that a new object of the same name does not get it. */
  async #apply({ uid, namespace, name }: MappingName, status: EventSourceMappingStatus): Promise<void> {
    const object = { metadata: { uid, namespace, name }, status };
    await this.#deps.kubernetes.applyStatus(eventSourceMappings, object, 'kappa-event-sources');
  }
}
