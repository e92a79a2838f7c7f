import { generateKeyPairSync } from 'node:crypto';
import { LinkError } from '../link/link.ts';
import { startDispatcher } from './dispatcher.ts';
import type { DispatchOptions } from './options.ts';
import { functionKeyOf, type Ownership } from './ownership.ts';
import { hashOf } from './plan-reclaim.ts';
import { Agenda } from './testing-agenda.ts';
import { type SimFunction, SimNodes } from './testing-nodes.ts';
import { SimConnection } from './testing-sim-connection.ts';
import type { Dispatcher, Outcome, PoolPod, Target } from './types.ts';

const { privateKey } = generateKeyPairSync('ed25519');
/** A watch event is so late, milliseconds. */
const WATCH_MS = 10;

/** What a simulated cluster is made of. */
export interface SimClusterOptions {
  readonly functions: readonly SimFunction[];
  readonly gateways: number;
  /** Pods that the nodes have room for. */
  readonly room: number;
  /** Room that a claimed pod takes; default 1. */
  readonly claimedSize?: number;
  /** Generic pods that each pool keeps. */
  readonly floor: number;
}

/** One call and what became of it. */
export interface SimCall {
  readonly target: Target;
  readonly sentMs: number;
  answeredMs: number | null;
  readonly outcome: { kind: Outcome['kind'] | 'failed' | 'waits'; code: string };
}

/** Gateways among nodes with little room, in simulated time. Each function's calls go to the gateway that owns it. */
export class SimCluster {
  readonly agenda = new Agenda();
  readonly nodes: SimNodes;
  readonly calls: SimCall[] = [];
  readonly dispatchers: Dispatcher[] = [];
  /** Claims of generic pods so far, of all gateways. */
  claimCount = 0;
  readonly options: SimClusterOptions;
  readonly #links: { readonly place: number; readonly link: SimConnection }[] = [];
  readonly #soon: { readonly place: number; readonly call: () => void }[] = [];

  constructor(options: SimClusterOptions) {
    this.options = options;
    const { agenda } = this;
    this.nodes = new SimNodes({
      ...options,
      agenda,
      show: (pod) => this.#show(pod),
      ended: (agent) => {
        for (const { link } of this.#links)
          if (link.agent === agent) link.reply(() => link.close(new LinkError('Lost', 'the agent has ended')));
      },
    });
    const targets = new Map(options.functions.map(({ target }) => [target.versionUid, target]));
    for (let place = 0; place < options.gateways; place += 1) {
      const dispatcher = startDispatcher(this.#gateway(place));
      this.dispatchers.push(dispatcher);
      dispatcher.onVersions(targets);
    }
  }

  /** Live pods that hold that version. */
  podsOf({ versionUid }: Target): number {
    return this.nodes.pods.filter((pod) => pod.versionUid === versionUid && pod.phase === 'ready').length;
  }

  call(target: Target): SimCall {
    const { nowMs } = this.agenda;
    const call: SimCall = { target, sentMs: nowMs, answeredMs: null, outcome: { kind: 'waits', code: '' } };
    this.calls.push(call);
    const settle = (kind: SimCall['outcome']['kind'], code = ''): void => {
      Object.assign(call.outcome, { kind, code });
      call.answeredMs = this.agenda.nowMs;
    };
    const requestId = `${this.calls.length}`;
    const place = this.ownerOf(target);
    this.agenda.at(place, 0, () => {
      this.dispatchers[place]
        ?.invoke(target, { requestId, invokedFunctionArn: '', event: Buffer.alloc(0), tail: false })
        .then(
          ({ kind }) => settle(kind),
          (error: Error & { code?: string }) => settle('failed', error.code ?? error.name),
        );
    });
    return call;
  }

  /** Calls at a steady rate, whatever becomes of them. */
  async load(target: Target, perSecond: number, seconds: number): Promise<readonly SimCall[]> {
    const calls: SimCall[] = [];
    for (let n = 0; n < perSecond * seconds; n += 1) {
      calls.push(this.call(target));
      await this.advance(1000 / perSecond);
    }
    return calls;
  }

  async advance(ms: number): Promise<void> {
    await this.agenda.advance(ms, () => this.#settle());
  }

  /** Place of the gateway that a function's calls go to. */
  ownerOf(target: Target): number {
    return hashOf(functionKeyOf(target)) % this.options.gateways;
  }

  #gateway(place: number): DispatchOptions {
    const { agenda, nodes } = this;
    const gatewayId = `gateway-${place}`;
    const nothing = (): void => {};
    return {
      identity: { gatewayId, epoch: place, signingKey: privateKey },
      ownership: this.#ownership(gatewayId, place),
      cluster: {
        claimed: (pod, { versionUid }) => {
          this.claimCount += 1;
          agenda.at('world', 100, () => nodes.label(pod, versionUid));
        },
        wantPods: (pool, count) => void agenda.at('world', 5, () => nodes.want(pool, count)),
        awaited: (pod, by) => void agenda.at('world', 20, () => nodes.await(pod, by)),
        reclaimed: (pod, forUid) => nodes.reclaim(pod, forUid),
      },
      observer: {
        started: nothing,
        reported: nothing,
        throttled: nothing,
        failed: nothing,
        claimed: nothing,
        initFailed: nothing,
        reclaimed: nothing,
      },
      code: async () => Buffer.alloc(0),
      clock: {
        nowMs: () => agenda.nowMs,
        after: (delayMs, call) => agenda.at(place, delayMs, call),
        every: (periodMs, call) => agenda.every(place, periodMs, call),
        soon: (call) => void this.#soon.push({ place, call }),
      },
      zone: '',
      linkPort: 0,
      dial: (address, identity, _clock, owner) => {
        const pod = nodes.pods.find(({ agent }) => agent.uid === address.podUid);
        if (pod === undefined || pod.phase !== 'ready')
          return agenda.at(place, 10, () => owner.failed(new LinkError('Unreachable', 'it has ended')));
        const link = new SimConnection(pod.agent, identity, owner);
        this.#links.push({ place, link });
        return () => link.close();
      },
    };
  }

  #ownership(gatewayId: string, place: number): Ownership {
    const isOwner = (target: Target): boolean => this.ownerOf(target) === place;
    return {
      gatewayId,
      isOwner,
      isFirstOwner: isOwner,
      mayHold: (target, other) => other === `gateway-${this.ownerOf(target)}` && other !== gatewayId,
      term: (key) => (hashOf(key) % this.options.gateways === place ? 1 : null),
      outstandingElsewhere: () => 0,
      place: () => ({ index: place, count: this.options.gateways }),
    };
  }

  #show(pod: PoolPod): void {
    for (const [place, dispatcher] of this.dispatchers.entries())
      this.agenda.at(place, WATCH_MS, () => dispatcher.onPod(pod.name, pod));
  }

  /** All that is on its way arrives, but for who is stalled; promises settle. */
  async #settle(): Promise<void> {
    for (let isMore = true; isMore; ) {
      for (let n = 0; n < 6; n += 1) await null;
      isMore = this.#deliver();
    }
  }

  #deliver(): boolean {
    let count = 0;
    const run = (calls: readonly (() => void)[]): void => {
      for (const call of calls) call();
      count += calls.length;
    };
    for (const { place, link } of this.#links) {
      if (!this.agenda.isStalled('agents')) run(link.toAgent.splice(0));
      if (!this.agenda.isStalled(place)) run(link.toGateway.splice(0));
    }
    const due = this.#soon.filter(({ place }) => !this.agenda.isStalled(place));
    for (const each of due) this.#soon.splice(this.#soon.indexOf(each), 1);
    run(due.map(({ call }) => call));
    return count > 0;
  }
}
