import { setTimeout as pause } from 'node:timers/promises';
import type { Row } from '../../figure.ts';
import { cpuMicroseconds, rssKiB } from '../../process-stats.ts';
import { type Summary, show, summarize } from '../../stats.ts';
import { type BenchCluster, countingFunction, type Part } from '../bench-cluster.ts';

const count = 1_000;
/** What the creation set off has come to rest by then. */
const restMs = 20_000;
const windowMs = 15_000;
const mebibytesOf150MB = 150e6 / 2 ** 20;

/** One process over all windows. */
interface Footprint {
  readonly part: Part;
  /** Cores. */
  readonly cpu: Summary;
  readonly rssMiB: Summary;
}

/**
 * What the platform's processes use with 1,000 Functions that nobody calls, 20 s after the last one became Active and in one life with their
 * creation: CPU time over windows of 15 s, and resident memory at their ends, as the kernel counts both.
 */
export async function manyFunctions(cluster: BenchCluster, rounds: number): Promise<readonly Row[]> {
  const controllers = await cluster.controllers();
  const gateways = await cluster.gateways();
  const parts = [...controllers, ...gateways];
  const before = new Map(parts.map((part) => [part, rssMiB(part)]));
  await cluster.make(Array.from({ length: count }, (_, index) => countingFunction(`many-${index}`, 'nodejs24.x')));
  await pause(restMs);
  const windows: ReadonlyMap<Part, Window>[] = [];
  for (let round = 0; round < rounds; round++) windows.push(await watch(parts));
  const footprints = parts.map((part) => ({
    part,
    cpu: summarize(windows.map((window) => window.get(part)?.cores ?? Number.NaN)),
    rssMiB: summarize(windows.map((window) => window.get(part)?.rssMiB ?? Number.NaN)),
  }));
  const [leader, standby, ...others] = footprints;
  if (leader === undefined || standby === undefined) throw new Error('there are not two controllers');
  return [cpuRow(leader, standby, others), rssRow(leader, standby, others, before)];
}

function cpuRow(leader: Footprint, standby: Footprint, gateways: readonly Footprint[]): Row {
  return {
    figure: `idle controller CPU, ${count} Functions`,
    measured: `leader ${show(leader.cpu, 3)} core, standby ${show(standby.cpu, 3)}`,
    floor: `gateways ${gateways.map(({ cpu }) => cpu.median.toFixed(3)).join(', ')} core`,
    target: '≤ 0.05 core',
    isMet: leader.cpu.median <= 0.05 && standby.cpu.median <= 0.05,
  };
}

function rssRow(
  leader: Footprint,
  standby: Footprint,
  gateways: readonly Footprint[],
  before: ReadonlyMap<Part, number>,
): Row {
  const all = [leader, standby, ...gateways];
  const earlier = all.map(({ part }) => (before.get(part) ?? Number.NaN).toFixed(0));
  return {
    figure: `RSS with ${count} Functions, each process`,
    measured: `controllers ${[leader, standby].map(({ rssMiB: each }) => show(each, 0)).join(', ')} MiB; gateways ${gateways.map(({ rssMiB: each }) => show(each, 0)).join(', ')} MiB`,
    floor: `the same before they were made ${earlier.join(', ')} MiB`,
    target: '≤ 150 MB = 143 MiB each',
    isMet: all.every(({ rssMiB: { median } }) => median <= mebibytesOf150MB),
  };
}

/** Of one process: cores used in a window, and memory at its end. */
interface Window {
  readonly cores: number;
  readonly rssMiB: number;
}

async function watch(parts: readonly Part[]): Promise<ReadonlyMap<Part, Window>> {
  const startMs = performance.now();
  const start = new Map(parts.map((part) => [part, cpuMicroseconds(part.pid)]));
  await pause(windowMs);
  const elapsedUs = (performance.now() - startMs) * 1000;
  return new Map(
    parts.map((part) => {
      const usedUs = cpuMicroseconds(part.pid) - (start.get(part) ?? 0);
      return [part, { cores: usedUs / elapsedUs, rssMiB: rssMiB(part) }];
    }),
  );
}

function rssMiB({ pid }: Part): number {
  return rssKiB(pid) / 1024;
}
