import { createServer } from 'node:net';
import { isFree } from '../node/addresses.ts';

/** The platform's ports on 127.0.0.1. */
export interface Ports {
  readonly gateway: number;
  readonly api: number;
  readonly controller: number;
}

/** Which variable moves which port. */
export const portVariables: Readonly<Record<keyof Ports, string>> = {
  gateway: 'KAPPA_PORT',
  api: 'KAPPA_API_PORT',
  controller: 'KAPPA_CONTROLLER_PORT',
};

/** A port is taken; the message says what to do. */
export class PortInUse extends Error {}

/** Turns every 0 into a free port. @throws PortInUse when a wanted one is taken */
export async function choosePorts(wanted: Ports): Promise<Ports> {
  const [gateway, api, controller] = await Promise.all([
    choose('gateway', wanted.gateway),
    choose('api', wanted.api),
    choose('controller', wanted.controller),
  ]);
  return { gateway, api, controller };
}

async function choose(part: keyof Ports, port: number): Promise<number> {
  if (port === 0) return await anyFree();
  if (await isFree('127.0.0.1', port)) return port;
  throw new PortInUse(
    `port ${port} on 127.0.0.1 is in use by another program; ${portVariables[part]} chooses another one for the ${part}, for example ${portVariables[part]}=${port + 100} make dev`,
  );
}

function anyFree(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}
