import { resolve } from 'node:path';
import { type Ports, portVariables } from './ports.ts';

/** Settings of `make dev`. */
export interface DevConfig {
  readonly stateDir: string;
  readonly ports: Ports;
  readonly examples: boolean;
}

/**
 * Reads environment and arguments once.
 *
 * @param folder what a relative KAPPA_STATE_DIR is relative to
 * @throws Error that names everything that is wrong
 */
export function parseConfig(
  env: Readonly<Record<string, string | undefined>>,
  args: readonly string[],
  folder: string,
): DevConfig {
  const problems = args.filter((arg) => arg !== '--no-examples').map((arg) => `unknown argument ${arg}`);
  const port = (part: keyof Ports, fallback: number): number => {
    const value = Number(env[portVariables[part]] ?? fallback);
    if (!(Number.isInteger(value) && value >= 0 && value <= 65_535))
      problems.push(`${portVariables[part]} not in [0, 65535]`);
    return value;
  };
  const config = {
    stateDir: resolve(folder, env['KAPPA_STATE_DIR'] ?? '.kappa'),
    ports: { gateway: port('gateway', 9000), api: port('api', 9010), controller: port('controller', 9002) },
    examples: !args.includes('--no-examples'),
  };
  if (problems.length > 0) throw new Error(`bad configuration: ${problems.join('; ')}`);
  return Object.freeze(config);
}
