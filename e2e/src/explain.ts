import type { InstalledKappa } from './installed.ts';
import { release } from './installed.ts';

/** Of each pod, newest lines. */
const logLines = 6;

/**
 * Runs what a test does with a function. When it fails, the error says the state of the function, its pods and the pool's, and their newest
 * log lines, too: afterwards they are gone.
 *
 * @param pool runtime of the function
 */
export async function explained<T>(
  kappa: InstalledKappa,
  { fn, pool }: { readonly fn: string; readonly pool: string },
  action: () => Promise<T>,
): Promise<T> {
  try {
    return await action();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new Error(`${message}\n${(await stateOf(kappa, fn, pool)).join('\n')}`, { cause: error });
  }
}

interface Explained {
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
  readonly status: {
    readonly phase: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string; readonly message?: string }[];
    readonly containerStatuses?: readonly { readonly state: object; readonly restartCount: number }[];
  };
}

async function stateOf({ kubectl }: InstalledKappa, fn: string, pool: string): Promise<readonly string[]> {
  const conditions = '{range .status.conditions[*]}{.type}={.status} {.reason} {.message}; {end}';
  const said = await kubectl.run(['get', 'fn', fn, '-o', `jsonpath=${conditions}`]);
  const found = await kubectl.run([
    'get',
    'pods',
    '-n',
    release.poolNamespace,
    '-l',
    `kappa.dev/pool=${pool}`,
    '-o',
    'json',
  ]);
  const pods = found.code === 0 ? (JSON.parse(found.stdout) as { items: readonly Explained[] }).items : [];
  const lines = [
    `function ${fn}: ${said.stdout || said.stderr.trim()}`,
    `${pods.length} pods of ${pool} ${found.stderr}`,
  ];
  for (const { metadata, status } of pods) {
    const { name, labels = {} } = metadata;
    const unmet = (status.conditions ?? []).filter(({ status: is }) => is !== 'True').map(({ type }) => `not ${type}`);
    const states = status.containerStatuses?.map(
      ({ state, restartCount }) => `${JSON.stringify(state)} ${restartCount}`,
    );
    lines.push([name, status.phase, labels['kappa.dev/function'] ?? 'generic', ...unmet, ...(states ?? [])].join(' '));
    const args = ['logs', name, '-n', release.poolNamespace, `--tail=${logLines}`];
    const { stdout, stderr } = await kubectl.run(args);
    lines.push(...`${stdout}${stderr}`.split('\n').flatMap((line) => (line === '' ? [] : [`  ${line.slice(0, 300)}`])));
  }
  return lines;
}
