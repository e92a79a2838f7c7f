import { createConnection, isIP, type Socket } from 'node:net';
import { connect } from 'node:tls';
import { AbstractConnector, type RedisOptions } from 'ioredis';

import { type AddressGuard, checkAddresses, guardedLookup } from '../address-guard.ts';
import { SourceProblem } from '../source-problem.ts';
import type { StreamPlace } from './source.ts';

const DISCONNECT_MS = 500;

/** How the client connects. */
export interface Way {
  readonly Connector: NonNullable<RedisOptions['Connector']>;
  readonly db: number;
}

/**
 * How the client connects to a server, for each connection anew by the guard. The client itself never sees the address: it would take members of its
 * query as settings of its own.
 *
 * @throws SourceProblem `InvalidSource`
 */
export async function connectorTo(
  { server, ca }: Pick<StreamPlace, 'server' | 'ca'>,
  guard: AddressGuard,
): Promise<Way> {
  if (server.startsWith('/')) return { Connector: connectorBy(() => createConnection(server)), db: 0 };
  if (!URL.canParse(server)) throw unreadable(server);
  const { protocol, hostname, port, pathname } = new URL(server);
  const [, db] = /^\/?(\d*)$/.exec(pathname) ?? [];
  if (hostname === '' || db === undefined) throw unreadable(server);
  const host = hostname.replace(/^\[(.+)\]$/, '$1');
  await checkAddresses(guard, [host]);
  const target = { host, port: Number(port || 6379), lookup: guardedLookup(guard) };
  const certified = { ...(isIP(host) === 0 && { servername: host }), ...(ca !== null && { ca }) };
  const open = (): Socket =>
    protocol === 'rediss:' ? connect({ ...target, ...certified }) : createConnection({ ...target });
  return { Connector: connectorBy(open), db: Number(db) };
}

function connectorBy(open: () => Socket): Way['Connector'] {
  return class extends AbstractConnector {
    constructor() {
      super(DISCONNECT_MS);
    }

    override async connect(): Promise<Socket> {
      const stream = open();
      this.stream = stream;
      stream.once('error', (error) => (this.firstError = error));
      return stream;
    }
  };
}

const unreadable = (server: string): SourceProblem =>
  new SourceProblem('InvalidSource', `${server} is no address of Redis: redis://HOST:6379 is, or rediss:// for TLS`);
