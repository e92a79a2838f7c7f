import { isIP } from 'node:net';
import { Connection } from '@platformatic/kafka';

import type { AddressGuard } from '../address-guard.ts';
import type { Access } from './access.ts';
import { toKafkaProblem } from './errors.ts';

const CONNECT_LIMIT_MS = 5_000;
/** A long poll takes half a second at most; a broker that is silent for so long is given up. */
const REQUEST_LIMIT_MS = 10_000;

/** Where a broker is. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/**
 * The connections of one mapping: made when they are needed, one for each broker and lane, kept until they break. A broker answers the requests
 * of a connection one after the other, so what must not wait for another's long poll has another lane.
 */
export class Connections {
  readonly #access: Access;
  readonly #clientId: string;
  readonly #guard: AddressGuard;
  readonly #open = new Map<string, Promise<Connection>>();
  #isClosed = false;

  constructor(access: Access, clientId: string, guard: AddressGuard) {
    this.#access = access;
    this.#clientId = clientId;
    this.#guard = guard;
  }

  /** @throws SourceProblem */
  async get(address: Address, lane: string): Promise<Connection> {
    const key = `${address.host}:${address.port} ${lane}`;
    const found = this.#open.get(key) ?? this.#make(address, key);
    try {
      return await found;
    } catch (error) {
      throw toKafkaProblem(error, `Kafka at ${address.host}:${address.port}`);
    }
  }

  /** Ends all of them; what they were asked fails. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const all = [...this.#open.values()];
    this.#open.clear();
    await Promise.allSettled(all.map(async (connection) => end(await connection)));
  }

  #make(address: Address, key: string): Promise<Connection> {
    const made = this.#connect(address, () => {
      if (this.#open.get(key) === made) this.#open.delete(key);
    });
    this.#open.set(key, made);
    return made;
  }

  /** To the first of the host's addresses that takes it; brokers tell of others, so each connection is guarded, not only the first. */
  async #connect({ host, port }: Address, forget: () => void): Promise<Connection> {
    const errors: unknown[] = [];
    try {
      for (const { address } of await this.#guard(host)) {
        const connection = await this.#try(address, host, port).catch((error: unknown) => void errors.push(error));
        if (connection === undefined) continue;
        connection.on('error', forget).on('close', forget);
        if (this.#isClosed) await end(connection);
        return connection;
      }
      throw errors.length === 1 ? errors[0] : new AggregateError(errors, `no address of ${host} answers`);
    } catch (error) {
      forget();
      throw error;
    }
  }

  async #try(address: string, host: string, port: number): Promise<Connection> {
    if (this.#isClosed) throw new Error('the source is closed');
    const limits = { connectTimeout: CONNECT_LIMIT_MS, requestTimeout: REQUEST_LIMIT_MS };
    const certified = isIP(host) === 0 ? { tlsServerName: host } : {};
    const connection = new Connection(this.#clientId, { ...this.#access, ...certified, ...limits });
    connection.on('error', () => undefined); // without a listener it would end the process
    try {
      await connection.connect(address, port);
      return connection;
    } catch (error) {
      connection.socket.destroy();
      throw error;
    }
  }
}

async function end(connection: Connection): Promise<void> {
  const ended = connection.close();
  connection.socket.destroy(); // a broker that is silent takes nothing more
  await ended;
}
