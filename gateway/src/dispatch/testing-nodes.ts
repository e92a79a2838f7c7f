import type { Agenda } from './testing-agenda.ts';
import { SimAgent } from './testing-sim-agent.ts';
import type { PoolPod, Target } from './types.ts';

/** From the end of the agent's process until the cluster shows the pod as over, milliseconds. */
const KUBELET_MS = 1_200;
/** From a pod's creation until the scheduler has looked at it. */
const SCHEDULE_MS = 20;
/** The scheduler looks again at what had no room. */
const BACKOFF_MS = 1_000;
/** From being scheduled until ready. */
const START_MS = 1_500;
/** Raised replicas fall to the floor after that time. */
const RAISED_MS = 60_000;

/** A function and how long its calls take, milliseconds; a test may change it. */
export interface SimFunction {
  readonly target: Target;
  warmMs: number;
  coldMs: number;
  /**
   * init: it fails, the pod answers with the error after `coldMs` and ends. call: a pod's first one ends the runtime, the pod goes on, and
   * then init fails. Default: neither.
   */
  readonly broken?: 'init' | 'call';
}

/** One pod as it is, whatever the gateways have been shown. */
export interface SimPod {
  readonly agent: SimAgent;
  readonly pool: string;
  phase: 'waiting' | 'short' | 'starting' | 'ready' | 'over';
  /** As labelled. */
  versionUid: string | null;
  awaitedBy: string;
  reclaimedFor: string;
  isDraining: boolean;
  runs: number;
}

/** A pod that was given up. */
export interface SimReclaim {
  readonly versionUid: string;
  readonly forUid: string;
  readonly atMs: number;
}

/** What the nodes are made of, and who hears of them. */
export interface SimNodesOptions {
  readonly agenda: Agenda;
  readonly functions: readonly SimFunction[];
  /** Pods that there is room for. */
  readonly room: number;
  /** Room that a claimed pod takes, as it is resized: nodes may be booked for more than they have. Default 1. */
  readonly claimedSize?: number;
  /** Generic pods that each pool keeps. */
  readonly floor: number;
  /** The cluster has something new of a pod. */
  readonly show: (pod: PoolPod) => void;
  /** The agent's process has ended. */
  readonly ended: (agent: SimAgent) => void;
}

/** Nodes with little room: pods, agents, kubelets, a scheduler, and a controller that keeps pools filled. */
export class SimNodes {
  readonly pods: SimPod[] = [];
  readonly reclaimed: SimReclaim[] = [];
  readonly #options: SimNodesOptions;
  readonly #pools = new Map<string, { replicas: number; raisedMs: number }>();

  constructor(options: SimNodesOptions) {
    this.#options = options;
    for (const { target } of options.functions) this.#pools.set(target.runtime, { replicas: 0, raisedMs: 0 });
    options.agenda.every('world', 100, () => this.#control());
  }

  /** Room that is booked. */
  get booked(): number {
    const { claimedSize = 1 } = this.#options;
    const placed = this.pods.filter(({ phase }) => phase === 'starting' || phase === 'ready');
    return placed.reduce((sum, { versionUid }) => sum + (versionUid === null ? 1 : claimedSize), 0);
  }

  want(name: string, count: number): void {
    const pool = this.#pools.get(name);
    if (pool === undefined || count <= pool.replicas) return;
    pool.replicas = count;
    pool.raisedMs = this.#options.agenda.nowMs;
    this.#control();
  }

  label(shown: PoolPod, versionUid: string): void {
    const pod = this.#find(shown);
    pod.versionUid = versionUid;
    this.#show(pod);
  }

  await(shown: PoolPod, by: string): void {
    const pod = this.#find(shown);
    pod.awaitedBy = by;
    this.#show(pod);
  }

  /** @throws Error when the pod is busy */
  reclaim(shown: PoolPod, forUid: string): void {
    const { agenda } = this.#options;
    const pod = this.#find(shown);
    if (pod.agent.run !== null) throw new Error('a busy pod was given up');
    this.reclaimed.push({ versionUid: pod.agent.claim?.versionUid ?? '', forUid, atMs: agenda.nowMs });
    agenda.at('world', 20, () => {
      pod.reclaimedFor = forUid;
      this.#show(pod);
    });
  }

  /** Every pool has its floor, or what was asked for. */
  #control(): void {
    for (const [name, pool] of this.#pools) {
      if (this.#options.agenda.nowMs - pool.raisedMs > RAISED_MS) pool.replicas = 0;
      const generic = this.pods.filter((pod) => pod.pool === name && pod.versionUid === null && pod.phase !== 'over');
      const missing = Math.max(this.#options.floor, pool.replicas) - generic.length;
      for (let n = 0; n < missing; n += 1) this.#create(name);
    }
  }

  #create(pool: string): void {
    const { agenda } = this.#options;
    const truth = {
      started: () => this.#started(pod),
      ended: () => undefined,
      drained: () => {
        pod.isDraining = true;
        if (pod.agent.run === null) this.#end(pod);
      },
    };
    const agent = new SimAgent(`pod-${this.pods.length}`, truth, () => agenda.nowMs);
    const fresh = { versionUid: null, awaitedBy: '', reclaimedFor: '', isDraining: false, runs: 0 };
    const pod: SimPod = { agent, pool, phase: 'waiting', ...fresh };
    this.pods.push(pod);
    agenda.at('world', SCHEDULE_MS, () => this.#schedule(pod));
  }

  #schedule(pod: SimPod): void {
    const { agenda, room } = this.#options;
    if (this.booked > room - 1) {
      pod.phase = 'short';
      agenda.at('world', BACKOFF_MS, () => this.#schedule(pod));
    } else {
      pod.phase = 'starting';
      agenda.at('world', START_MS, () => {
        pod.phase = 'ready';
        this.#show(pod);
      });
    }
    this.#show(pod);
  }

  #started(pod: SimPod): void {
    const { agenda, functions } = this.#options;
    const fn = functions.find(({ target }) => target.versionUid === pod.agent.claim?.versionUid);
    if (fn === undefined) throw new Error('an unknown version runs');
    pod.runs += 1;
    agenda.at('agents', pod.runs === 1 ? fn.coldMs : fn.warmMs, () => {
      const isFailed = fn.broken === 'init' || (fn.broken === 'call' && pod.runs > 1);
      pod.agent.end(!isFailed, isFailed ? 'error' : fn.broken === 'call' ? 'failure' : 'success');
      if (isFailed || pod.isDraining) this.#end(pod);
    });
  }

  /** The agent's process ends; the kubelet tells of it later. */
  #end(pod: SimPod): void {
    this.#options.ended(pod.agent);
    this.#options.agenda.at('world', KUBELET_MS, () => {
      pod.phase = 'over';
      this.#show(pod);
    });
  }

  #find({ uid }: PoolPod): SimPod {
    const pod = this.pods.find(({ agent }) => agent.uid === uid);
    if (pod === undefined) throw new Error(`no pod ${uid}`);
    return pod;
  }

  #show({ agent, pool, phase, versionUid, awaitedBy, reclaimedFor }: SimPod): void {
    this.#options.show({
      name: agent.uid,
      uid: agent.uid,
      ip: '10.0.0.1',
      zone: '',
      pool,
      ready: phase === 'ready',
      terminating: phase === 'over',
      isOver: phase === 'over',
      state: versionUid === null ? 'generic' : 'claimed',
      versionUid,
      isShort: phase === 'short',
      awaitedBy,
      reclaimedFor,
    });
  }
}
