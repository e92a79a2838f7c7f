import type { dial, Identity, InvokeSink, PodConnection, PodState, Pulse, Welcome } from '../link/link.ts';
import { LinkError } from '../link/link.ts';
import type { SimAgent, SimClaim } from './testing-sim-agent.ts';

type Sinks =
  | Parameters<PodConnection['claim']>[2]
  | Parameters<PodConnection['adopt']>[2]
  | Parameters<PodConnection['fence']>[2]
  | InvokeSink;
type Owner = Parameters<typeof dial>[3];

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
