import type { Holder, InvokeSink, PodState, ReportBody } from '../link/link.ts';
import { LinkError } from '../link/link.ts';
import type { SimConnection } from './testing-sim-connection.ts';

/** What the simulated pods did, as they know it themselves. */
export interface Truth {
  started(requestId: string, pod: string, functionKey: string): void;
  ended(requestId: string): void;
  /** A gateway wants the pod to end. Absent = nobody looks. */
  drained?(pod: string): void;
}

interface Run {
  readonly requestId: string;
  readonly connection: SimConnection;
  readonly sink: InvokeSink;
  readonly sinceMs: number;
  isAnswered: boolean;
}

/** What SPECIALIZE says. */
export interface SimClaim {
  readonly versionUid: string;
  readonly function: string;
  readonly epoch: number;
  readonly perInstance: number;
}

/**
 * A fake of the agent of one pod: the rules of link protocol 2 for claims, holders, fences and invocations, without code and
 * processes. What is on its way between it and a gateway is delivered when the test says so, in the order of each direction.
 */
export class SimAgent {
  readonly uid: string;
  claim: { versionUid: string; functionKey: string } | null = null;
  holder: Holder | null = null;
  /** Oldest first. */
  runs: readonly Run[] = [];
  /** Invocations at once; of the claim. */
  #width = 1;
  #isDraining = false;
  readonly connections = new Set<SimConnection>();
  readonly #fences = new Map<string, number>();
  readonly #truth: Truth;
  readonly nowMs: () => number;

  constructor(uid: string, truth: Truth, nowMs: () => number) {
    this.uid = uid;
    this.#truth = truth;
    this.nowMs = nowMs;
  }

  /** The oldest that runs. */
  get run(): Run | null {
    return this.runs[0] ?? null;
  }

  /** A gateway has given it up: it ends with the last that runs. */
  get isDraining(): boolean {
    return this.#isDraining;
  }

  state(): PodState {
    return {
      claim: this.claim === null ? null : { versionUid: this.claim.versionUid },
      holder: this.holder,
      busy: this.runs.map(({ requestId }) => requestId),
    };
  }

  specialize(from: SimConnection, head: SimClaim): LinkError | null {
    const refusal = this.#specialize(from, head);
    from.agreed = refusal;
    return refusal;
  }

  adopt(from: SimConnection, versionUid: string, epoch: number): LinkError | null {
    if (this.claim === null) return refuse('NotClaimed');
    if (this.claim.versionUid !== versionUid) return refuse('AlreadyClaimed');
    const fence = this.#fences.get(this.claim.functionKey) ?? 0;
    from.agreed = epoch < fence ? this.#stale(this.claim.functionKey) : this.#hold(from, epoch);
    return from.agreed;
  }

  fence(functionKey: string, epoch: number): LinkError | null {
    if (epoch < (this.#fences.get(functionKey) ?? 0)) return this.#stale(functionKey);
    this.#fences.set(functionKey, epoch);
    return null;
  }

  invoke(from: SimConnection, requestId: string, sink: InvokeSink): LinkError | null {
    if (from.agreed !== null) return from.agreed;
    if (this.claim === null) return refuse('NotClaimed');
    if (this.holder?.gatewayId !== from.gatewayId) return refuse('NotHolder');
    if (this.#width > 1 && this.#isDraining) return refuse('Draining');
    if (this.runs.length >= this.#width || this.runs.some((run) => run.requestId === requestId)) return refuse('Busy');
    this.runs = [...this.runs, { requestId, connection: from, sink, sinceMs: this.nowMs(), isAnswered: false }];
    this.#truth.started(requestId, this.uid, this.claim.functionKey);
    return null;
  }

  /** The function answers; its invocation has not ended. */
  answer(kind: 'response' | 'error' = 'response', run = this.run): void {
    if (run === null || run.isAnswered) return;
    run.isAnswered = true;
    run.connection.reply(() => run.sink.onResponse({ kind }, Buffer.from(run.requestId)));
  }

  /** The invocation ends; `reusable` false = with an error, and the pod ends with it. */
  end(reusable = true, status: ReportBody['status'] = reusable ? 'success' : 'error', pick = 0): void {
    const run = this.runs[pick % Math.max(1, this.runs.length)] ?? null;
    if (run === null) return;
    this.answer(status === 'success' ? 'response' : 'error', run);
    this.runs = this.runs.filter((each) => each !== run);
    this.#truth.ended(run.requestId);
    const report = { status, durationMs: 1, billedDurationMs: 1, memorySizeMiB: 128, maxMemoryMiB: 1 } as const;
    run.connection.reply(() => run.sink.onReport({ ...report, requestId: run.requestId, reusable }), true);
    for (const each of this.connections)
      if (each !== run.connection && each.gatewayId === this.holder?.gatewayId) each.tell(this.state());
  }

  drained(): void {
    this.#isDraining = true;
    this.#truth.drained?.(this.uid);
  }

  #specialize(from: SimConnection, head: SimClaim): LinkError | null {
    if (head.epoch < (this.#fences.get(head.function) ?? 0)) return this.#stale(head.function);
    if (this.claim !== null && this.claim.versionUid !== head.versionUid) return refuse('AlreadyClaimed');
    if (this.claim !== null) return this.#hold(from, head.epoch);
    this.claim = { versionUid: head.versionUid, functionKey: head.function };
    this.#width = head.perInstance;
    this.holder = { gatewayId: from.gatewayId, epoch: head.epoch };
    this.#tellOthers(from);
    return null;
  }

  #hold(from: SimConnection, epoch: number): LinkError | null {
    const { holder } = this;
    const isBound =
      holder !== null && (epoch < holder.epoch || (epoch === holder.epoch && holder.gatewayId !== from.gatewayId));
    if (isBound) return this.#stale(this.claim?.functionKey ?? '');
    const isNew = holder?.gatewayId !== from.gatewayId || holder.epoch !== epoch;
    this.holder = { gatewayId: from.gatewayId, epoch };
    if (isNew) this.#tellOthers(from);
    return null;
  }

  #stale(functionKey: string): LinkError {
    const held = this.claim?.functionKey === functionKey ? (this.holder?.epoch ?? 0) : 0;
    return refuse('StaleEpoch', Math.max(held, this.#fences.get(functionKey) ?? 0));
  }

  #tellOthers(cause: SimConnection): void {
    for (const each of this.connections) if (each !== cause) each.tell(this.state());
  }
}

function refuse(code: ConstructorParameters<typeof LinkError>[0], epoch?: number): LinkError {
  return new LinkError(code, 'refused', epoch === undefined ? {} : { epoch });
}
