import type { EventSourceMappingStatus } from '@kappa/crds/event-source-mapping';

import type { CheckpointStore } from '../checkpoints/checkpoint-store.ts';
import { ShardOwner } from '../owner/shard-owner.ts';
import type { BatchOutcome } from '../poll/batch-outcome.ts';
import type { PollerObserver } from '../poll/poller.ts';
import { Rooms } from '../poll/rooms.ts';
import type { OpenQueue } from '../source.ts';
import type { TestClock } from '../testing-clock.ts';
import { type ControllerDeps, MappingController } from './mapping-controller.ts';
import type { MappingView } from './mapping-view.ts';
import { Mappings } from './mappings.ts';
import { StatusWriter } from './status-writer.ts';
import { queueTraits } from './testing-mapping.ts';

/** Hears nothing. */
export const silentObserver: PollerObserver = {
  polled: () => undefined,
  filteredOut: () => undefined,
  invoked: () => undefined,
  ended: () => undefined,
  deleted: () => undefined,
  dropped: () => undefined,
  told: () => undefined,
  notTold: () => undefined,
  behind: () => undefined,
  problem: () => undefined,
};

/** What all gateways have in common. */
export interface TestCluster {
  readonly clock: TestClock;
  readonly store: CheckpointStore;
  readonly queue: OpenQueue;
  readonly invoke: (event: string) => BatchOutcome;
  /** The gateway that the ring puts first. */
  first: TestGateway | null;
  readonly gateways: TestGateway[];
  status: EventSourceMappingStatus | null;
  readonly events: string[];
}

/** The part of a gateway that polls: all of it but the connections. */
export class TestGateway {
  readonly name: string;
  readonly owner: ShardOwner;
  readonly mappings: Mappings;
  readonly #cluster: TestCluster;
  readonly #over = new AbortController();
  #view: MappingView | null = null;

  constructor(name: string, cluster: TestCluster) {
    this.name = name;
    this.#cluster = cluster;
    const { clock, store } = cluster;
    const isFirst = (): boolean => cluster.first === this;
    this.owner = new ShardOwner({
      store,
      self: name,
      ranksFirst: isFirst,
      clock,
      onProblem: () => undefined,
      observer: { takenOver: () => undefined, restarted: () => undefined },
    });
    this.mappings = this.#mappings(isFirst);
    cluster.gateways.push(this);
  }

  /** @param mapping that it polls from now on */
  start(mapping: MappingView): void {
    this.see(mapping);
    this.owner.start();
    void this.#writeStatuses();
  }

  /** The watch brings it, or its status. */
  see(view = this.#view): void {
    this.#view = view;
    if (view === null) return;
    this.mappings.set(`${view.namespace}/${view.name}`, { view, status: this.#cluster.status });
  }

  /** kill -9. */
  die(): void {
    this.#over.abort();
    this.owner.end();
    this.mappings.close();
    this.#cluster.gateways.splice(this.#cluster.gateways.indexOf(this), 1);
  }

  async #writeStatuses(): Promise<void> {
    while (!this.#over.signal.aborted) {
      await this.mappings.writeStatuses();
      await this.#cluster.clock.sleep(1_000, this.#over.signal).catch(() => undefined);
    }
  }

  #mappings(ranksFirst: () => boolean): Mappings {
    const { clock } = this.#cluster;
    const source = {
      name: 'fake',
      traits: queueTraits,
      serves: () => true,
      open: () => Promise.resolve(this.#cluster.queue),
    };
    const deps = this.#controllerDeps();
    return new Mappings({
      sourceOf: () => source,
      makeController: (setup) => new MappingController(setup, deps),
      owner: this.owner,
      hasStore: true,
      writer: new StatusWriter({
        kubernetes: {
          applyStatus: async (kind, { metadata, status }) => {
            this.#cluster.status = status as EventSourceMappingStatus;
            for (const gateway of this.#cluster.gateways) gateway.see();
            return kind.parse({ metadata, spec: { functionName: 'hello' } });
          },
          event: async (_regarding, { type, reason }) => void this.#cluster.events.push(`${type} ${reason}`),
        },
        now: clock.now,
        nowMs: clock.nowMs,
        onProblem: () => undefined,
      }),
      observerOf: () => silentObserver,
      functionProblem: () => null,
      ranksFirst,
      askOthers: async (uids) =>
        this.#cluster.gateways.filter((each) => each !== this).map(({ mappings }) => mappings.reports(uids)),
      now: clock.now,
      nowMs: clock.nowMs,
    });
  }

  #controllerDeps(): ControllerDeps {
    const { clock, invoke } = this.#cluster;
    const load = { concurrency: 100, asyncRunning: 0 };
    let requests = 0;
    return {
      openDeps: () => ({ now: clock.now, secret: unused, aws: unused, guard: unused }),
      rooms: new Rooms(() => load, clock),
      invoke: async (_mapping, { event }) => invoke(event.toString()),
      mayRun: () => Promise.resolve(true),
      clock,
      random: () => 0.5,
      newRequestId: () => `request-${++requests}`,
      tell: unused,
    };
  }
}

const unused = (): never => {
  throw new Error('the fake queue needs none');
};
