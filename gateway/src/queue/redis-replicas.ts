import type { Redis } from 'ioredis';

/** A replica that has not acknowledged after this is too late for a 202; below the deadline of a call. */
const acknowledgedWithinMs = 700;

/** The connection for writes that a replica has to have, too: there while the server has replicas. */
export class Replicas {
  readonly #connect: () => Redis;
  #writes: ReplicatedWrites | null = null;

  constructor(connect: () => Redis) {
    this.#connect = connect;
  }

  /** null = there is no replica to wait for. */
  get writes(): ReplicatedWrites | null {
    return this.#writes;
  }

  /** @param info the server's `INFO`. A replica that still fetches what there is acknowledges nothing, and is not waited for. */
  follow(info: string): void {
    if (!/^slave\d+:.*\bstate=online\b/m.test(info)) this.forget();
    else this.#writes ??= new ReplicatedWrites(this.#connect());
  }

  forget(): void {
    this.#writes?.client.disconnect();
    this.#writes = null;
  }
}

/** WAIT holds up all of its connection, so nothing else uses this one; writes that come while a WAIT is under way share the next. */
export class ReplicatedWrites {
  readonly client: Redis;
  /** Resolves when the connection was ready for the first time; never rejects. */
  readonly ready: Promise<void>;
  #underWay: Promise<unknown> = Promise.resolve();
  #next: Promise<boolean> | null = null;

  constructor(client: Redis) {
    this.client = client;
    this.ready = new Promise((resolve) => client.once('ready', () => resolve()));
  }

  /** Whether a replica has all that was written here so far. @throws Error when Redis does not say */
  isAcknowledged(): Promise<boolean> {
    this.#next ??= this.#underWay.then(() => {
      this.#next = null;
      const answer = this.client.call('WAIT', 1, acknowledgedWithinMs).then((replicas) => Number(replicas) > 0);
      this.#underWay = answer.catch(() => undefined);
      return answer;
    });
    return this.#next;
  }
}
