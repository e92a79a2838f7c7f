import { isDeepStrictEqual } from 'node:util';
import { isNotFound } from '@kappa/crds/client/errors';
import { eventSourceMappings } from '@kappa/crds/client/kinds';
import type { Kubernetes } from '@kappa/crds/client/kubernetes';
import { type ConditionClaim, setCondition } from '@kappa/crds/conditions';
import type { EventSourceMappingStatus } from '@kappa/crds/event-source-mapping';

import type { PushMapping } from './push-mapping.ts';

/** What is known of a mapping that is not polled. */
export interface PushFacts {
  readonly mapping: Pick<PushMapping, 'generation' | 'isEnabled' | 'functionObjectName' | 'source'>;
  /** Why it cannot be as it is written; null = it can. */
  readonly problem: string | null;
  /** The function exists, as far as is known. */
  readonly hasFunction: boolean;
}

/** The status that a mapping is to have. Pure; the same facts give the same status. */
export function planPushStatus(
  facts: PushFacts,
  before: EventSourceMappingStatus | null,
  nowMs: number,
): EventSourceMappingStatus {
  const { generation, isEnabled } = facts.mapping;
  return {
    observedGeneration: generation,
    state: isEnabled ? 'Enabled' : 'Disabled',
    stateTransitionReason: 'USER_INITIATED',
    conditions: setCondition(before?.conditions ?? [], { ...readyOf(facts), observedGeneration: generation }, nowMs),
  };
}

function readyOf({ mapping, problem, hasFunction }: PushFacts): ConditionClaim {
  const not = (reason: string, message: string): ConditionClaim => ({
    type: 'Ready',
    status: 'False',
    reason,
    message,
  });
  const isSchedule = mapping.source.kind === 'schedule';
  if (problem !== null) return not('InvalidSource', problem);
  if (!mapping.isEnabled) return not('Disabled', isSchedule ? 'It fires nothing.' : 'What is sent to it is refused.');
  if (!hasFunction) {
    const message = `There is no Function ${mapping.functionObjectName}. Events are accepted, wait for it, and are given up after a while.`;
    return not('FunctionNotFound', message);
  }
  const message = isSchedule ? 'It fires when it is due.' : 'It takes what is sent to it.';
  return { type: 'Ready', status: 'True', reason: 'Ready', message };
}

/** What {@link PushStatusWriter} works with. */
export interface PushStatusDeps {
  readonly kubernetes: Pick<Kubernetes, 'applyStatus'>;
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly onProblem: (err: unknown) => void;
}

/** What was written is believed for so long, until the watch has brought it. */
const SEEN_AFTER_MS = 10_000;

/** Writes the status of mappings that are not polled, only what has changed. */
export class PushStatusWriter {
  readonly #deps: PushStatusDeps;
  /** By uid. */
  readonly #written = new Map<string, { readonly status: EventSourceMappingStatus; readonly atMs: number }>();

  constructor(deps: PushStatusDeps) {
    this.#deps = deps;
  }

  /** Brings the status about; call it again and again. Never rejects. @param seen as the watch brought it; null = none */
  async tell(
    mapping: PushMapping,
    seen: EventSourceMappingStatus | null,
    facts: Omit<PushFacts, 'mapping'>,
  ): Promise<void> {
    const nowMs = this.#deps.now();
    const known = this.#written.get(mapping.uid);
    const isFresh = known !== undefined && Math.abs(nowMs - known.atMs) < SEEN_AFTER_MS;
    const before = isFresh ? known.status : seen;
    const status = planPushStatus({ ...facts, mapping }, before, nowMs);
    if (isDeepStrictEqual(status, before)) return;
    this.#written.set(mapping.uid, { status, atMs: nowMs });
    const { uid, namespace, name } = mapping;
    try {
      const object = { metadata: { uid, namespace, name }, status };
      await this.#deps.kubernetes.applyStatus(eventSourceMappings, object, 'kappa-event-sources');
    } catch (err) {
      this.#written.delete(uid);
      if (!isNotFound(err)) this.#deps.onProblem(err);
    }
  }

  /** It is gone. */
  forget(uid: string): void {
    this.#written.delete(uid);
  }
}
