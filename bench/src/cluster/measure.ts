/**
 * Measures the figures of a real cluster, from inside its network: started by main.ts, with the names of the figures, none = all. Prints the rows; with
 * all figures it also writes their table to docs/benchmarks.md. ROUNDS sets the interleaved rounds (default 3).
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import type { Row } from '../figure.ts';
import { loadAverage } from '../process-stats.ts';
import { clusterMarks, renderReport } from '../report.ts';
import { BenchCluster } from './bench-cluster.ts';
import { figures } from './figures.ts';

const rounds = Number(process.env['ROUNDS'] ?? 3);
const wanted = process.argv.slice(2);
const loadBefore = loadAverage();
const cluster = await BenchCluster.find();
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void cluster.stop().finally(() => process.exit(130)));

/** A figure that could not be taken is a row, too: the others are worth having without it. */
async function measure(name: string): Promise<readonly Row[]> {
  const startMs = performance.now();
  console.log(`measuring ${name} …`);
  try {
    return await (figures[name]?.(cluster, rounds) ?? []);
  } catch (err) {
    console.error(err);
    const measured = `not measured: ${err instanceof Error ? err.message : String(err)}`;
    return [{ figure: name, measured, floor: '–', target: '–', isMet: false }];
  } finally {
    await cluster.cleanUp();
    console.log(`${name}: ${((performance.now() - startMs) / 1000).toFixed(0)} s`);
  }
}

const rows: Row[] = [];
try {
  for (const name of Object.keys(figures)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    const measured = await measure(name);
    for (const { isMet, figure, measured: what, floor, target } of measured)
      console.log(`${isMet ? 'met   ' : 'MISSED'} ${figure}: ${what} | floor ${floor} | ${target}`);
    rows.push(...measured);
  }
} finally {
  await cluster.stop();
}
if (wanted.length === 0) {
  const file = new URL('../../../docs/benchmarks.md', import.meta.url);
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
  const machine = `${cpus().length} × ${cpus()[0]?.model ?? 'unknown CPU'}`;
  const date = new Date().toISOString().slice(0, 10);
  const run = { date, commit, machine, rounds, loadBefore, loadAfter: loadAverage() };
  writeFileSync(file, renderReport(readFileSync(file, 'utf8'), rows, run, clusterMarks));
  console.log('written to docs/benchmarks.md');
}
process.exitCode = rows.every(({ isMet }) => isMet) ? 0 : 1;
