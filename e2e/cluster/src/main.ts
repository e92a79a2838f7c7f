import { type Command, parseCommand, usage } from './arguments.ts';
import { type Cluster, openCluster, startCluster, stopCluster } from './cluster.ts';
import { runAttached } from './run.ts';

const log = (line: string): void => console.error(line);

/** Carries out one command; answers the exit code. */
async function main(args: readonly string[]): Promise<number> {
  const command = parseCommand(args);
  if (command.kind === 'down') {
    await stopCluster();
    return 0;
  }
  if (command.kind === 'up') {
    const cluster = await startCluster({ size: command.size, log });
    printEnvironment(cluster);
    return 0;
  }
  return carryOut(await openCluster(), command);
}

async function carryOut(cluster: Cluster, command: Exclude<Command, { kind: 'up' | 'down' }>): Promise<number> {
  switch (command.kind) {
    case 'load':
      await cluster.load(command.archives);
      return 0;
    case 'zone':
      await cluster.zone(command.zone, command.state);
      return 0;
    case 'node':
      await cluster.node(command.node, command.action);
      return 0;
    case 'apiserver':
      await cluster.apiserver(command.action);
      return 0;
    case 'net':
      await cluster.net(command.action, command.a, command.b);
      return 0;
    case 'exec':
      return runAttached(cluster.inside(command.command), cluster.environment);
    case 'env':
      printEnvironment(cluster);
      return 0;
    default:
      for (const line of await cluster.status()) console.log(line);
      return 0;
  }
}

function printEnvironment(cluster: Cluster): void {
  for (const [name, value] of Object.entries(cluster.environment)) console.log(`export ${name}='${value}'`);
  if (cluster.controlAddress) console.log(`export KAPPA_E2E_CONTROL_ADDRESS='${cluster.controlAddress}'`);
  if (cluster.internetAddress) console.log(`export KAPPA_E2E_INTERNET_ADDRESS='${cluster.internetAddress}'`);
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  log(error instanceof Error ? error.message : String(error));
  if (error instanceof TypeError) log(usage);
  process.exitCode = 1;
}
