import { createHash } from 'node:crypto';
import { createServer } from 'node:net';

/** Hands out loopback addresses. Not safe for two allocators over one range: the node holds its state directory alone. */
export interface Addresses {
  /** An address on which all `ports` are free now. @throws Error when 64 addresses in a row are not */
  take(): Promise<string>;
  /** Marks an address as in use by a pod that was adopted. */
  keep(ip: string): void;
  /** Gives it back; it is handed out again only after all others have had their turn. */
  release(ip: string): void;
}

/** 4,064 addresses for one install: far more than pods, so that one is not reused soon after it was given back. */
const rangeSize = 16 * 254;

/**
 * Addresses 127.A.B.C whose range is derived from the state directory, so that two installs rarely share one; when they do,
 * the check of the ports keeps them apart.
 *
 * @param ports what a pod listens on
 * @param start where in the range to begin, 0..1 (random, so that a restarted node does not reuse what it just gave back)
 */
export function makeAddresses(stateDir: string, ports: readonly number[], start: number): Addresses {
  const hash = createHash('sha256').update(stateDir).digest();
  const second = 16 + ((hash[0] ?? 0) % 224);
  const third = ((hash[1] ?? 0) % 16) * 16;
  const used = new Set<string>();
  let next = Math.floor(start * rangeSize);

  const address = (index: number) => {
    // The last octet stays in 1..254, away from what looks like a network or broadcast address.
    const within = index % rangeSize;
    return `127.${second}.${third + Math.floor(within / 254)}.${1 + (within % 254)}`;
  };
  return {
    async take() {
      for (let tries = 0; tries < 64; tries += 1) {
        const ip = nextUnused();
        if (await areFree(ip, ports)) return ip;
        used.delete(ip);
      }
      throw new Error(
        `ports ${ports.join(', ')} are not free on 64 loopback addresses; does a program listen on one of them on all addresses (0.0.0.0)?`,
      );
    },
    keep: (ip) => void used.add(ip),
    release: (ip) => void used.delete(ip),
  };

  function nextUnused(): string {
    for (let tries = 0; tries < rangeSize; tries += 1) {
      const ip = address(next);
      next += 1;
      if (used.has(ip)) continue;
      used.add(ip);
      return ip;
    }
    throw new Error(`all ${rangeSize} addresses of this node are in use`);
  }
}

async function areFree(ip: string, ports: readonly number[]): Promise<boolean> {
  for (const port of ports) if (!(await isFree(ip, port))) return false;
  return true;
}

/** True when a server can listen there; it is closed again at once. */
export function isFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
