import type {
  dial,
  Holder,
  Identity,
  InvokeSink,
  PodConnection,
  PodState,
  Pulse,
  ReportBody,
  Welcome,
} from '../link/link.ts';
import { LinkError } from '../link/link.ts';

type Sinks =
  | Parameters<PodConnection['claim']>[2]
  | Parameters<PodConnection['adopt']>[2]
  | Parameters<PodConnection['fence']>[2]
  | InvokeSink;
type Owner = Parameters<typeof dial>[3];

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
interface SimClaim {
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
    if (this.runs.length >= this.#width) return refuse('Busy');
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

/** A link between one gateway and one simulated agent. */
export class SimConnection implements PodConnection {
  readonly agent: SimAgent;
  readonly gatewayId: string;
  readonly hasHolders = true;
  readonly knowsLayers = true;
  readonly takesSeveral = true;
  isOpen = false;
  /** Why what was asked last on this link was refused; null = it was not. */
  agreed: LinkError | null = null;
  /** Deliveries that are on their way, oldest first. */
  readonly toAgent: (() => void)[] = [];
  readonly toGateway: (() => void)[] = [];
  readonly #owner: Owner;
  readonly #open = new Set<{ readonly sink: Sinks }>();
  #isOver = false;

  constructor(agent: SimAgent, identity: Identity, owner: Owner) {
    this.agent = agent;
    this.gatewayId = identity.gatewayId;
    this.#owner = owner;
    this.toAgent.push(() => {
      agent.connections.add(this);
      const state = agent.state();
      const welcome: Welcome = { ...state, state: state.claim === null ? 'Warm' : 'Claimed', perInstance: 1 };
      this.reply(() => {
        this.isOpen = true;
        this.#owner.opened(this, welcome);
      });
    });
  }

  claim(head: string, _code: Buffer, sink: Parameters<PodConnection['claim']>[2]): boolean {
    const said = JSON.parse(head) as SimClaim;
    return this.#ask(sink, (answer, refuse) => {
      const refusal = this.agent.specialize(this, said);
      if (refusal === null) answer(() => sink.onSpecialized(false));
      else refuse(refusal);
    });
  }

  invoke(head: string, _event: Buffer, sink: InvokeSink): boolean {
    const { requestId } = JSON.parse(head) as { requestId: string };
    const stream = { sink };
    return this.#ask(
      sink,
      (_answer, refuse) => {
        const whileOpen = (call: () => void) => () => this.#open.has(stream) && call();
        const guarded: InvokeSink = {
          ...noSink,
          onResponse: (...args) => whileOpen(() => sink.onResponse(...args))(),
          onReport: (report) =>
            whileOpen(() => {
              this.#open.delete(stream);
              sink.onReport(report);
            })(),
        };
        const refusal = this.agent.invoke(this, requestId, guarded);
        if (refusal !== null) refuse(refusal);
      },
      stream,
    );
  }

  claimAndInvoke(claim: Parameters<PodConnection['claim']>, invoke: Parameters<PodConnection['invoke']>): boolean {
    const [head, code, sink] = claim;
    return this.claim(head, code, sink) && this.invoke(...invoke);
  }

  adopt(versionUid: string, epoch: number, sink: Parameters<PodConnection['adopt']>[2]): boolean {
    return this.#ask(sink, (answer, refuse) => {
      const refusal = this.agent.adopt(this, versionUid, epoch);
      const { busy } = this.agent.state();
      if (refusal === null) answer(() => sink.onAdopted(busy));
      else refuse(refusal);
    });
  }

  fence(functionKey: string, epoch: number, sink: Parameters<PodConnection['fence']>[2]): boolean {
    return this.#ask(sink, (answer, refuse) => {
      const refusal = this.agent.fence(functionKey, epoch);
      const state = this.agent.state();
      if (refusal === null) answer(() => sink.onFenced(state));
      else refuse(refusal);
    });
  }

  drain(): void {
    this.toAgent.push(() => this.agent.drained());
  }

  beat(): Pulse {
    return 'well';
  }

  close(error = new LinkError('Closed', 'let go')): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const wasOpen = this.isOpen;
    this.isOpen = false;
    this.toGateway.length = 0;
    this.toAgent.push(() => this.agent.connections.delete(this));
    for (const { sink } of this.#open) sink.onLost(error);
    this.#open.clear();
    if (wasOpen) this.#owner.closed(error);
    else this.#owner.failed(error);
  }

  /** The gateway's process ends: nothing reaches it any more. */
  die(): void {
    this.#isOver = true;
    this.toGateway.length = 0;
    this.toAgent.push(() => this.agent.connections.delete(this));
  }

  tell(state: PodState): void {
    this.reply(() => this.#owner.stateChanged(state));
  }

  reply(call: () => void, _isLast = false): void {
    if (!this.#isOver) this.toGateway.push(() => !this.#isOver && call());
  }

  #ask(
    sink: Sinks,
    arrives: (answer: (call: () => void) => void, refuse: (error: LinkError) => void) => void,
    stream: { readonly sink: Sinks } = { sink },
  ): boolean {
    if (!this.isOpen) return false;
    this.#open.add(stream);
    const end = (call: () => void) =>
      this.reply(() => {
        if (this.#open.delete(stream)) call();
      });
    this.toAgent.push(() => arrives(end, (error) => end(() => sink.onRefused(error))));
    return true;
  }
}

const noSink: InvokeSink = {
  onResponse() {},
  onStream: () => ({ onPiece() {}, onEnd() {} }),
  onAborted() {},
  onReport() {},
  onRefused() {},
  onLost() {},
};
