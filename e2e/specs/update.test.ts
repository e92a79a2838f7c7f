import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eventually } from '../src/eventually.ts';
import { nodeFunction } from '../src/functions.ts';
import { invoke } from '../src/invoke.ts';
import { startTestPlatform, type TestPlatform, zipWithEntry } from '../src/platform.ts';

let kappa: TestPlatform;
const folder = mkdtempSync(join(tmpdir(), 'kappa-update-'));
beforeAll(async () => {
  kappa = await startTestPlatform({ examples: false });
}, 180_000);
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await kappa?.stop();
}, 60_000);

test('the first call after an apply runs the new code, ten times over', async () => {
  for (let edition = 0; edition < 10; edition++) {
    await kappa.kubectl.apply(nodeFunction('edited', `export const handler = () => ${edition};`));
    const { status, payload, functionError } = await invokeWhenKnown('edited');
    expect({ status, payload, functionError }).toEqual({ status: 200, payload: edition, functionError: null });
  }
}, 60_000);

test('updates under load fail no request, and each answer is one whole edition', async () => {
  const source = (edition: number): string => `const a = ${edition}; export const handler = () => [a, ${edition}];`;
  await kappa.applyReady(nodeFunction('loaded', source(0)));
  const stop = new AbortController();
  const outcomes = new Map<string, number>();
  const callers = Array.from({ length: 4 }, async () => {
    while (!stop.signal.aborted) {
      const { status, functionError, payload } = await invoke(kappa.endpoint, 'loaded');
      const isWhole = Array.isArray(payload) && payload.length === 2 && payload[0] === payload[1];
      const outcome =
        status === 200 && functionError === null && isWhole
          ? 'good'
          : `${status} ${functionError} ${JSON.stringify(payload)}`;
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
  });
  for (let edition = 1; edition <= 5; edition++) {
    const before = outcomes.get('good') ?? 0;
    await kappa.kubectl.apply(nodeFunction('loaded', source(edition)));
    await eventually('calls go on', async () => (outcomes.get('good') ?? 0) >= before + 50);
    expect((await invoke(kappa.endpoint, 'loaded')).payload).toEqual([edition, edition]);
  }
  stop.abort();
  await Promise.all(callers);
  expect([...outcomes.keys()]).toEqual(['good']);
  await eventually('only pods of the last edition are left', async () => {
    const versions = new Set((await kappa.podsOf('loaded')).map((pod) => pod.metadata.labels?.['kappa.dev/version']));
    return versions.size === 1;
  });
}, 120_000);

test('a folder is packaged, uploaded and applied; a change of a file is a new version', async () => {
  const manifest = join(folder, 'function.yaml');
  writeFileSync(
    manifest,
    'apiVersion: kappa.dev/v1alpha1\nkind: Function\nmetadata: {name: folder}\nspec:\n  runtime: python3.11\n  handler: app.handler\n  code:\n    directory: .\n',
  );
  for (const edition of ['one', 'two']) {
    writeFileSync(join(folder, 'app.py'), 'from words import word\n\ndef handler(event, context):\n    return word\n');
    writeFileSync(join(folder, 'words.py'), `word = '${edition}'\n`);
    await kappa.kappa(['apply', '-f', manifest]);
    const { payload } = await invokeWhenKnown('folder');
    expect(payload).toBe(edition);
  }
}, 60_000);

test('code from a URL is fetched once and only by its digest', async () => {
  const zip = await zipWithEntry('index.mjs', `export const handler = () => 'from a URL';`);
  const sha256 = createHash('sha256').update(zip).digest('hex');
  let requests = 0;
  const server = createServer((_request, response) => {
    requests += 1;
    response.end(zip);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/code.zip`;
  try {
    await kappa.applyReady(nodeFunction('from-url', '', { code: { url: { url, sha256 } } }));
    expect((await invoke(kappa.endpoint, 'from-url')).payload).toBe('from a URL');
    await kappa.kubectl.apply(nodeFunction('from-url-wrong', '', { code: { url: { url, sha256: 'a'.repeat(64) } } }));
    await kappa.kubectl.ok(['wait', 'fn/from-url-wrong', '--for=condition=CodeResolved=False', '--timeout=20s']);
    expect(await kappa.kubectl.ok(['describe', 'fn', 'from-url-wrong'])).toContain(`has digest ${sha256}`);
    expect(requests).toBe(2);
  } finally {
    server.close();
  }
});

test('a change whose code cannot be had says so and the old code goes on answering', async () => {
  await kappa.applyReady(nodeFunction('broken-update', `export const handler = () => 'old';`));
  const missing = nodeFunction('broken-update', '', { code: { zip: { sha256: '0'.repeat(64) } } });
  await kappa.kubectl.apply(missing);
  await kappa.kubectl.ok(['wait', 'fn/broken-update', '--for=condition=CodeResolved=False', '--timeout=20s']);
  expect((await invoke(kappa.endpoint, 'broken-update')).payload).toBe('old');
  const fn = await kappa.kubectl.json<{ status: { lastUpdateStatus: string; lastUpdateStatusReason: string } }>([
    'fn',
    'broken-update',
  ]);
  expect(fn.status.lastUpdateStatus).toBe('Failed');
  expect(fn.status.lastUpdateStatusReason).toContain('upload the zip first');
  expect(await kappa.kubectl.ok(['events', '--for', 'fn/broken-update'])).toContain('BlobMissing');
});

/** A new function may be unknown to the gateway for a moment: Lambda says 404 or Pending then. Anything else counts. */
async function invokeWhenKnown(name: string) {
  return eventually(`${name} is known`, async () => {
    const answer = await invoke(kappa.endpoint, name);
    return answer.status === 404 || answer.status === 409 ? undefined : answer;
  });
}
