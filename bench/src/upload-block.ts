/**
 * How long uploads of code hold up the gateway: `node bench/src/upload-block.ts [MiB]` (default 50). Starts a platform, uploads zips of that size by the
 * Lambda API, one and then four at a time, and prints the longest time that the gateway's event loop stood still (perf_hooks.monitorEventLoopDelay,
 * in the gateway itself), how much of that was its own work (CPU time of its thread between two timers: on a busy machine it also stands still because
 * others run), its memory, and what a function that is called all the while sees. No figure of `make bench`: a tool for whoever works on uploads.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { startPlatform } from '@kappa/local/platform';
import { ZipFile } from 'yazl';

const mebibytes = Number(process.argv[2] ?? 50);
const stateDir = mkdtempSync(join(tmpdir(), 'kappa-upload-'));
const record = join(stateDir, 'loop.json');
const watcher = `data:text/javascript,${encodeURIComponent(`
  import { monitorEventLoopDelay } from 'node:perf_hooks';
  import { writeFileSync } from 'node:fs';
  if (process.argv[1]?.endsWith('gateway/src/main.ts')) {
    const delay = monitorEventLoopDelay({ resolution: 1 });
    delay.enable();
    let rss = 0;
    let cpuMs = 0;
    const used = () => { const { user, system } = process.threadCpuUsage(); return (user + system) / 1000; };
    let before = used();
    setInterval(() => {
      const now = used();
      cpuMs = Math.max(cpuMs, now - before);
      before = now;
      rss = Math.max(rss, process.memoryUsage.rss());
    }, 1).unref();
    process.on('SIGUSR2', () => {
      const at = (n) => Math.round(delay.percentile(n) / 1e4) / 100;
      writeFileSync(${JSON.stringify(record)}, JSON.stringify({ maxMs: delay.max / 1e6, p99Ms: at(99), cpuMs, rss }));
      delay.reset();
      rss = 0;
      cpuMs = 0;
    });
  }`)}`;
/** Calls the warm function again and again, in a thread of its own: this one makes large bodies. */
const caller = `
  const { parentPort, workerData } = require('node:worker_threads');
  let isOver = false;
  parentPort.on('message', () => { isOver = true; });
  (async () => {
    const took = [];
    while (!isOver) {
      const start = performance.now();
      const answer = await fetch(workerData, { method: 'POST', body: '{}' });
      await answer.text();
      if (answer.status !== 200) throw new Error(String(answer.status));
      took.push(performance.now() - start);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    parentPort.postMessage(took.sort((a, b) => a - b));
  })();`;

const kappa = await startPlatform({
  stateDir,
  ports: { gateway: 0, api: 0, controller: 0 },
  examples: false,
  log: () => undefined,
  environment: {
    NODE_OPTIONS: `--import "${watcher}"`,
    KAPPA_CALLS_PER_CONCURRENCY: '0',
    KAPPA_MAX_BUFFERED_BYTES: String(2 ** 30),
  },
});
try {
  const zip = await zipOf({ 'index.mjs': 'export const handler = () => 1;\n' });
  await create('warm', zip);
  await until(async () => (await call('warm')) === 200);
  await watched('nothing', () => pause(2_000));
  const large = () =>
    zipOf({ 'index.mjs': 'export const handler = () => 1;\n', data: randomBytes(mebibytes * 1024 ** 2 - 1_000) });
  const bodies = await Promise.all([1, 2, 3, 4, 5].map(async (n) => bodyOf(`f${n}`, await large())));
  await watched(`one upload of ${mebibytes} MiB`, () => send(bodies[0] ?? ''));
  await watched(`four at a time`, () => Promise.all(bodies.slice(1).map(send)));
  await watched(`cold start of one`, () => until(async () => (await call('f1')) === 200));
} finally {
  await kappa.stop();
  rmSync(stateDir, { recursive: true, force: true });
}

async function watched(what: string, work: () => Promise<unknown>): Promise<void> {
  await loop();
  const worker = new Worker(caller, { eval: true, workerData: invokeUrl('warm') });
  await pause(200);
  const startMs = performance.now();
  await work();
  const tookMs = performance.now() - startMs;
  const { maxMs, p99Ms, cpuMs, rss } = await loop();
  worker.postMessage('over');
  const [calls] = (await once(worker, 'message')) as [number[]];
  const at = (part: number) => (calls[Math.min(calls.length - 1, Math.floor(calls.length * part))] ?? 0).toFixed(1);
  console.log(
    `${what}: ${tookMs.toFixed(0)} ms; loop stood still ${maxMs.toFixed(1)} ms at most, p99 ${p99Ms} ms, of its own doing ${cpuMs.toFixed(1)} ms; gateway up to ${(rss / 1024 ** 2).toFixed(0)} MiB; ` +
      `${calls.length} warm calls meanwhile: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, max ${at(1)} ms`,
  );
}

/** What the gateway's loop did since the last time. */
async function loop(): Promise<Record<'maxMs' | 'p99Ms' | 'cpuMs' | 'rss', number>> {
  rmSync(record, { force: true });
  process.kill(kappa.part('gateway').pid ?? 0, 'SIGUSR2');
  let text = '';
  await until(async () => {
    try {
      text = readFileSync(record, 'utf8');
      return text.endsWith('}');
    } catch {
      return false;
    }
  });
  return JSON.parse(text);
}

function bodyOf(FunctionName: string, zip: Buffer): string {
  const role = 'arn:aws:iam::000000000000:role/bench';
  return JSON.stringify({
    FunctionName,
    Runtime: 'nodejs24.x',
    Handler: 'index.handler',
    Role: role,
    MemorySize: 512,
    Code: { ZipFile: zip.toString('base64') },
  });
}

async function zipOf(files: Readonly<Record<string, string | Buffer>>): Promise<Buffer> {
  const zip = new ZipFile();
  for (const [path, content] of Object.entries(files)) zip.addBuffer(Buffer.from(content), path, { compress: false });
  zip.end();
  return Buffer.concat(await Array.fromAsync(zip.outputStream as AsyncIterable<Buffer>));
}

async function create(name: string, zip: Buffer): Promise<void> {
  await send(bodyOf(name, zip));
}

async function send(body: string): Promise<void> {
  const answer = await fetch(`${kappa.url}/2015-03-31/functions`, { method: 'POST', body });
  if (answer.status !== 201) throw new Error(`${answer.status} ${await answer.text()}`);
}

function invokeUrl(name: string): string {
  return `${kappa.url}/2015-03-31/functions/${name}/invocations`;
}

async function call(name: string): Promise<number> {
  return (await fetch(invokeUrl(name), { method: 'POST', body: '{}' })).status;
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  const endMs = performance.now() + 60_000;
  while (!(await holds())) {
    if (performance.now() > endMs) throw new Error('it never held');
    await pause(20);
  }
}
