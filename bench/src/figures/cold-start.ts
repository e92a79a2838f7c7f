import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Client } from 'undici';
import { BenchPlatform, inlineFunction } from '../bench-platform.ts';
import type { Row } from '../figure.ts';
import { percentile, show, summarize } from '../stats.ts';

const languages = { 'nodejs24.x': 'Node', 'python3.11': 'Python' } as const;
type RuntimeId = keyof typeof languages;
const poolSize = 4;
const callsPerRound = 24;
/** What the last call set off (labels, a new pod) has come to rest by then. */
const restMs = 500;

/**
 * A first call of a function that has no pod, out of a full pool: from writing the request to the last byte of the answer. Each call goes to
 * another function; the pool is full again, and the machine at rest, before the next. Floors: spawning the interpreter with that handler, and importing the handler in
 * an interpreter that runs already.
 */
export async function coldStart(rounds: number): Promise<readonly Row[]> {
  const kappa = await BenchPlatform.start({ KAPPA_POOL_MIN_REPLICAS: String(poolSize) });
  try {
    const samples: Record<RuntimeId, number[]> = { 'nodejs24.x': [], 'python3.11': [] };
    const floors: Record<RuntimeId, Floors> = {
      'nodejs24.x': { spawn: [], import: [] },
      'python3.11': { spawn: [], import: [] },
    };
    for (const runtime of Object.keys(languages) as RuntimeId[]) {
      const names = Array.from({ length: callsPerRound * (rounds + 1) }, (_, index) => nameOf(runtime, index));
      await kappa.apply(
        names.map((name) => inlineFunction(name, runtime, { idleTimeoutSeconds: 1, timeoutSeconds: 10 })),
      );
    }
    for (let round = 0; round <= rounds; round++) {
      for (const runtime of Object.keys(languages) as RuntimeId[]) {
        const roundSamples: number[] = [];
        for (let call = 0; call < callsPerRound; call++) {
          await kappa.whenFull(runtime, poolSize);
          await pause(restMs);
          roundSamples.push(await timeCall(kappa.invokeUrl(nameOf(runtime, round * callsPerRound + call))));
        }
        if (round === 0) continue;
        samples[runtime].push(...roundSamples);
        floors[runtime].spawn.push(timeSpawn(runtime));
        floors[runtime].import.push(...(await timeImports(runtime)));
      }
    }
    return (Object.keys(languages) as RuntimeId[]).map((runtime) => toRow(runtime, samples[runtime], floors[runtime]));
  } finally {
    await kappa.stop();
  }
}

interface Floors {
  readonly spawn: number[];
  readonly import: number[];
}

function nameOf(runtime: RuntimeId, index: number): string {
  return `cold-${languages[runtime].toLowerCase()}-${index}`;
}

function toRow(runtime: RuntimeId, samples: readonly number[], floors: Floors): Row {
  const p50 = percentile(samples, 0.5);
  const p99 = percentile(samples, 0.99);
  const importMs = percentile(floors.import, 0.5);
  const bound = 3 * importMs + 5;
  return {
    figure: `cold start, pool hit, ${languages[runtime]} hello (${samples.length} calls)`,
    measured: `p50 ${p50.toFixed(1)} ms, p90 ${percentile(samples, 0.9).toFixed(1)}, p99 ${p99.toFixed(1)}`,
    floor: `spawn + import ${show(summarize(floors.spawn))} ms; import alone ${show(summarize(floors.import))} ms`,
    target: `p50 ≤ 25 ms, p99 ≤ 80 ms; p50 ≤ 3 × import + 5 = ${bound.toFixed(1)} ms`,
    isMet: p50 <= 25 && p99 <= 80 && p50 <= bound,
  };
}

/** One POST over a connection that is open already; milliseconds. @throws Error on anything but a good answer */
async function timeCall(url: string): Promise<number> {
  const { origin, pathname } = new URL(url);
  const client = new Client(origin);
  await (await client.request({ path: '/healthz', method: 'GET' })).body.text();
  const startMs = performance.now();
  const { statusCode, headers, body } = await client.request({ path: pathname, method: 'POST', body: '{}' });
  const text = await body.text();
  const elapsedMs = performance.now() - startMs;
  await client.close();
  if (statusCode !== 200 || headers['x-amz-function-error'] !== undefined)
    throw new Error(`${url}: ${statusCode} ${text}`);
  return elapsedMs;
}

const source: Record<RuntimeId, string> = {
  'nodejs24.x': `export const handler = async (event) => ({ hello: event.name ?? 'x' });\n`,
  'python3.11': `def handler(event, context):\n    return {"hello": event.get("name", "x")}\n`,
};

/** Spawning the interpreter that imports the handler and ends; milliseconds. */
function timeSpawn(runtime: RuntimeId): number {
  const folder = mkdtempSync(join(tmpdir(), 'kappa-floor-'));
  const isNode = runtime === 'nodejs24.x';
  const file = join(folder, isNode ? 'index.mjs' : 'index.py');
  writeFileSync(file, source[runtime]);
  const startMs = performance.now();
  execFileSync(isNode ? process.execPath : 'python3', [file]);
  const elapsedMs = performance.now() - startMs;
  rmSync(folder, { recursive: true });
  return elapsedMs;
}

const importer: Record<RuntimeId, string> = {
  'nodejs24.x': `const [folder, count] = process.argv.slice(1); const times = [];
for (let i = 0; i < Number(count); i++) { await new Promise((r) => setTimeout(r, 300)); const start = performance.now(); await import(folder + '/h' + i + '.mjs'); times.push(performance.now() - start); }
console.log(JSON.stringify(times));`,
  'python3.11': `import importlib, json, sys, time
folder, count = sys.argv[1:]
sys.path.insert(0, folder)
times = []
for i in range(int(count)):
    time.sleep(0.3); start = time.perf_counter(); importlib.import_module(f'h{i}'); times.append((time.perf_counter() - start) * 1000)
print(json.dumps(times))`,
};

/**
 * Importing fresh copies of the handler in one running interpreter, at rest before each as a waiting pod is; milliseconds each, the first one (cold
 * loader) thrown away.
 */
async function timeImports(runtime: RuntimeId): Promise<readonly number[]> {
  const folder = mkdtempSync(join(tmpdir(), 'kappa-floor-'));
  const isNode = runtime === 'nodejs24.x';
  const count = 6;
  for (let i = 0; i < count; i++) writeFileSync(join(folder, `h${i}${isNode ? '.mjs' : '.py'}`), source[runtime]);
  const args = isNode ? ['--input-type=module', '-e', importer[runtime]] : ['-c', importer[runtime]];
  const child = spawn(isNode ? process.execPath : 'python3', [...args, folder, String(count)]);
  let text = '';
  for await (const chunk of child.stdout) text += String(chunk);
  rmSync(folder, { recursive: true });
  return (JSON.parse(text) as number[]).slice(1);
}
