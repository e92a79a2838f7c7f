import { resolve } from 'node:path';

/** Settings of the embedded API, read once from the environment. */
export interface ApiConfig {
  /** Absolute path of the state directory. */
  readonly stateDir: string;
  /** Loopback port, 0 = any free one. */
  readonly port: number;
}

/** Parses the environment. @throws Error that names every bad variable */
export function parseConfig(env: Readonly<Record<string, string | undefined>>): ApiConfig {
  const port = Number(env['KAPPA_API_PORT'] ?? 9010);
  if (!(Number.isInteger(port) && port >= 0 && port <= 65_535)) {
    throw new Error('bad configuration: KAPPA_API_PORT is not a port number in [0, 65535]');
  }
  return Object.freeze({ stateDir: resolve(env['KAPPA_STATE_DIR'] ?? '.kappa'), port });
}
