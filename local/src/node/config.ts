import { join, resolve } from 'node:path';

/** Settings of the process node, read once from the environment. */
export interface NodeConfig {
  /** Absolute path of the state directory. */
  readonly stateDir: string;
  readonly nodeName: string;
  readonly zone: string;
  /** Absolute path of the agent. */
  readonly agent: string;
  /** Folder of runtimes.yaml and the bootstraps. */
  readonly runtimeImages: string;
  /** Where interpreters are looked up. */
  readonly searchPath: string;
}

const namePattern = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/;

/** Parses the environment. @param repository absolute path @throws Error that names every bad variable */
export function parseConfig(env: Readonly<Record<string, string | undefined>>, repository: string): NodeConfig {
  const problems: string[] = [];
  const name = (variable: string): string => {
    const value = env[variable] ?? 'local-a';
    if (!namePattern.test(value)) problems.push(`${variable} is not a DNS name`);
    return value;
  };
  const config = {
    stateDir: resolve(env['KAPPA_STATE_DIR'] ?? '.kappa'),
    nodeName: name('KAPPA_NODE_NAME'),
    zone: name('KAPPA_ZONE'),
    agent: resolve(env['KAPPA_AGENT'] ?? join(repository, 'runtime-images/agent/bin/agent')),
    runtimeImages: join(repository, 'runtime-images'),
    searchPath: env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin',
  };
  if (problems.length > 0) throw new Error(`bad configuration: ${problems.join('; ')}`);
  return Object.freeze(config);
}
