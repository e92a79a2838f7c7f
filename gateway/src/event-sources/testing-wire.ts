import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';

/** A way to a server that can be cut. */
export interface Wire {
  /** Of 127.0.0.1. */
  readonly port: number;
  /** Ends all connections; new ones are taken. */
  readonly cut: () => void;
  readonly end: () => void;
}

/** @param connect to the server */
export async function wireTo(connect: () => Socket): Promise<Wire> {
  const sockets = new Set<Socket>();
  const proxy = createServer((near) => {
    const far = connect();
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => [near, far].map((each) => each.destroy()));
    }
    near.pipe(far).pipe(near);
  }).listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const { port } = proxy.address() as AddressInfo;
  return { port, cut: () => sockets.forEach((socket) => void socket.destroy()), end: () => void proxy.close() };
}
