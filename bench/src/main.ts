/**
 * `make bench`: measures each figure beside its floor and writes docs/benchmarks.md. `node bench/src/main.ts [figure…]` measures only some
 * and prints them. ROUNDS sets the interleaved rounds (default 5).
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import type { Row } from './figure.ts';
import { apiReads } from './figures/api-reads.ts';
import { coldBurst } from './figures/burst.ts';
import { coldStart } from './figures/cold-start.ts';
import { createFunction } from './figures/create-function.ts';
import { manyFunctions } from './figures/many-functions.ts';
import { podMemory } from './figures/memory.ts';
import { signedCall } from './figures/signed-call.ts';
import { warmLatency } from './figures/warm-latency.ts';
import { warmPath } from './figures/warm-path.ts';
import { loadAverage } from './process-stats.ts';
import { renderReport } from './report.ts';
import { buildTools } from './tools.ts';

const rounds = Number(process.env['ROUNDS'] ?? 5);
const figures: Readonly<Record<string, () => Promise<readonly Row[]>>> = {
  'cold-start': () => coldStart(rounds),
  'warm-latency': () => warmLatency(rounds),
  'warm-path': () => warmPath(rounds),
  'signed-call': () => signedCall(rounds),
  'api-reads': () => apiReads(rounds),
  'create-function': () => createFunction(rounds),
  memory: () => podMemory(),
  'many-functions': () => manyFunctions(rounds),
  burst: () => coldBurst(rounds),
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => figures[name] === undefined);
if (unknown.length > 0)
  throw new Error(`no figure ${unknown.join(', ')}; there are ${Object.keys(figures).join(', ')}`);

buildTools();
const loadBefore = loadAverage();
const rows: Row[] = [];
for (const [name, measure] of Object.entries(figures)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  console.log(`measuring ${name} …`);
  const measured = await measure();
  for (const row of measured)
    console.log(
      `${row.isMet ? 'met   ' : 'MISSED'} ${row.figure}: ${row.measured} | floor ${row.floor} | ${row.target}`,
    );
  rows.push(...measured);
}
if (wanted.length === 0) {
  const file = new URL('../../docs/benchmarks.md', import.meta.url);
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
  const machine = `${cpus().length} × ${cpus()[0]?.model ?? 'unknown CPU'}`;
  const run = {
    date: new Date().toISOString().slice(0, 10),
    commit,
    machine,
    rounds,
    loadBefore,
    loadAfter: loadAverage(),
  };
  writeFileSync(file, renderReport(readFileSync(file, 'utf8'), rows, run));
  console.log('written to docs/benchmarks.md');
}
process.exitCode = rows.every(({ isMet }) => isMet) ? 0 : 1;
