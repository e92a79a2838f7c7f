import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Part } from './bench-cluster.ts';

const run = promisify(execFile);
const adminPort = 9003;
const script = `process.stdout.write(await (await fetch('http://127.0.0.1:${adminPort}/metrics')).text())`;

/** Values by series, as in the text: `name{label="value"}`. */
export type Metrics = ReadonlyMap<string, number>;

/** The command of a command in a process's own network namespace: network policies let nobody else to some ports. */
export function besides({ pid }: Part, command: readonly string[]): readonly [string, ...string[]] {
  return ['nsenter', `--net=/proc/${pid}/ns/net`, '--', ...command];
}

/** What a gateway says of itself now. */
export async function readMetrics(gateway: Part): Promise<Metrics> {
  const [program, ...args] = besides(gateway, [process.execPath, '--input-type=module', '-e', script]);
  const { stdout } = await run(program, args, { maxBuffer: 1 << 26 });
  return parseMetrics(stdout);
}

/** The sum of one series over several gateways; 0 where it is missing. */
export function total(metrics: readonly Metrics[], series: string): number {
  return metrics.reduce((sum, each) => sum + (each.get(series) ?? 0), 0);
}

/** Reads Prometheus' text format; comments and timestamps are left out. Pure. */
export function parseMetrics(text: string): Metrics {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.flatMap((line) => {
      const [, series = '', value = ''] = /^(\S+?(?:\{.*\})?) (\S+)/.exec(line) ?? [];
      return series === '' ? [] : [[series, Number(value)] as const];
    }),
  );
}
