import { parseArgs } from 'node:util';
import type { NodeAction } from './cluster.ts';
import type { ClusterSize } from './plan.ts';

/** What the harness was asked to do. */
export type Command =
  | { readonly kind: 'up'; readonly size: ClusterSize }
  | { readonly kind: 'load'; readonly archives: readonly string[] }
  | { readonly kind: 'zone'; readonly state: 'down' | 'up'; readonly zone: string }
  | { readonly kind: 'node'; readonly action: NodeAction; readonly node: string }
  | { readonly kind: 'apiserver'; readonly action: 'stop' | 'start' }
  | { readonly kind: 'net'; readonly action: 'drop' | 'heal'; readonly a: string; readonly b: string }
  | { readonly kind: 'exec'; readonly command: readonly string[] }
  | { readonly kind: 'status' | 'env' | 'down' };

/** How the command line is written. */
export const usage = `usage: node e2e/cluster/src/main.ts COMMAND
  up [--zones 3] [--nodes-per-zone 1]   start the cluster, or undo the running one's outages
  load IMAGE.tar…                       put the images of OCI archives on all nodes
  zone down|up ZONE                     cut a zone off the network, or connect it
  node kill|start|pause|resume NODE     kill everything on a node and boot it again; hang it and let it go on
  apiserver stop|start                  kill the API server and etcd, or start them
  net drop|heal A B                     drop packets between two nodes, zones, addresses or ctl
  status                                what runs
  env                                   shell lines that set KUBECONFIG and PATH
  exec -- COMMAND                       run a command in the control namespace
  down                                  end everything
`;

/** Reads the command line. Throws TypeError, saying what is wrong. */
export function parseCommand(args: readonly string[]): Command {
  const [kind = '', ...rest] = args;
  switch (kind) {
    case 'up':
      return { kind, size: parseSize(rest) };
    case 'load':
      if (rest.length === 0) throw new TypeError('load needs an archive');
      return { kind, archives: rest };
    case 'zone':
      return { kind, state: oneOf(rest[0], ['down', 'up']), zone: only(rest.slice(1), 'zone') };
    case 'node':
      return { kind, action: oneOf(rest[0], ['kill', 'pause', 'resume', 'start']), node: only(rest.slice(1), 'node') };
    case 'apiserver':
      return { kind, action: oneOf(only(rest, 'action'), ['stop', 'start']) };
    case 'net':
      return { kind, action: oneOf(rest[0], ['drop', 'heal']), ...parsePair(rest.slice(1)) };
    case 'exec':
      return { kind, command: parseInner(rest) };
    case 'status':
    case 'env':
    case 'down':
      if (rest.length > 0) throw new TypeError(`${kind} takes nothing more`);
      return { kind };
    default:
      throw new TypeError(kind === '' ? 'a command is needed' : `unknown command ${kind}`);
  }
}

function parseSize(args: readonly string[]): ClusterSize {
  const options = {
    zones: { type: 'string', default: '3' },
    'nodes-per-zone': { type: 'string', default: '1' },
  } as const;
  const { values } = parseArgs({ args: [...args], options, strict: true });
  return { zones: Number(values.zones), nodesPerZone: Number(values['nodes-per-zone']) };
}

function parseInner(args: readonly string[]): readonly string[] {
  const command = args[0] === '--' ? args.slice(1) : args;
  if (command.length === 0) throw new TypeError('exec needs a command');
  return command;
}

function parsePair(args: readonly string[]): { readonly a: string; readonly b: string } {
  const [a, b, ...more] = args;
  if (a === undefined || b === undefined || more.length > 0) throw new TypeError('two ends are needed');
  return { a, b };
}

function only(args: readonly string[], what: string): string {
  const [value, ...more] = args;
  if (value === undefined || more.length > 0) throw new TypeError(`one ${what} is needed`);
  return value;
}

function oneOf<T extends string>(value: string | undefined, known: readonly T[]): T {
  const found = known.find((candidate) => candidate === value);
  if (found === undefined) throw new TypeError(`${value ?? 'nothing'} is none of ${known.join(', ')}`);
  return found;
}
