import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';

import { STREAM_WINDOW_BYTES } from '../link/generated/frames.ts';
import type { StreamedBody } from './answer-stream.ts';
import { makeTarget } from './testing.ts';
import { makeCode } from './testing-agent.ts';
import { offer, startGateway, startPods, type TestGateway, untilStats } from './testing-gateway.ts';
import type { Outcome, Target } from './types.ts';

const source = `
import { existsSync } from 'node:fs';
export const handler = awslambda.streamifyResponse(async (event, stream) => {
  stream.write('first');
  while (!existsSync(event.go)) await new Promise((go) => setTimeout(go, 2));
  stream.end('last');
});`;

let code: Awaited<ReturnType<typeof makeCode>>;
let folder: string;
let files = 0;
beforeAll(async () => {
  code = await makeCode({ 'index.mjs': source });
  folder = mkdtempSync(join(tmpdir(), 'kappa-stream-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A gateway with one pod, and a target that streams. */
async function start(timeoutMs = 20_000) {
  const target = makeTarget({ ...code, timeoutMs });
  const gateway = startGateway([target], { zips: [code] });
  const [agent] = await startPods(1);
  if (agent === undefined) throw new Error('no agent');
  await offer(gateway, [agent]);
  return { gateway, target, agent };
}

/** Calls, and reads the first piece: the function waits then until `go` is called. */
async function begin(gateway: TestGateway, target: Target) {
  files += 1;
  const file = join(folder, `go-${files}`);
  const outcome = await gateway.dispatcher.invoke(target, {
    requestId: randomUUID(),
    invokedFunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:hello',
    event: Buffer.from(JSON.stringify({ go: file })),
    tail: false,
    stream: { windowBytes: STREAM_WINDOW_BYTES, maxBytes: 1_000_000 },
  });
  const body = bodyOf(outcome);
  expect(String(await body.next())).toBe('first');
  return { outcome, body, go: () => writeFileSync(file, '') };
}

function bodyOf({ body }: Outcome): StreamedBody {
  if (!body) throw new Error('the answer came whole');
  return body;
}

test('the pod is busy, and the call in flight, until the answer has ended', async () => {
  const { gateway, target } = await start();
  for (const kind of ['cold', 'warm']) {
    const { outcome, body, go } = await begin(gateway, target);
    expect(outcome.start).toBe(kind);
    expect(gateway.dispatcher.stats()).toMatchObject({ inFlight: 1, slots: { idle: 0, finishing: 0 } });
    go();
    expect(String(await body.next())).toBe('last');
    expect(await body.next()).toBeNull();
    expect(body.end).toEqual({ kind: 'complete' });
    expect(await outcome.report).toMatchObject({ status: 'success' });
    await untilStats(gateway, ({ inFlight, slots }) => inFlight === 0 && slots.idle === 1);
  }
});

test('a pod that is lost in the middle ends the answer with an error, and nothing runs again', async () => {
  const { gateway, target, agent } = await start();
  const { outcome, body } = await begin(gateway, target);
  agent.child.kill('SIGKILL');
  expect(await body.next()).toBeNull();
  expect(body.end).toMatchObject({
    kind: 'lost',
    error: { code: 'ServiceException', message: expect.stringContaining('may have run') },
  });
  expect(await outcome.report).toBeNull();
  await untilStats(gateway, ({ inFlight, queued }) => inFlight === 0 && queued === 0);
});

test('a time-out in the middle ends the answer with the function’s error', async () => {
  const { gateway, target } = await start(1_000);
  const { outcome, body } = await begin(gateway, target);
  expect(await body.next()).toBeNull();
  expect(body.end).toMatchObject({ kind: 'failed', errorType: 'Sandbox.Timedout' });
  expect(await outcome.report).toMatchObject({ status: 'timeout' });
});

test('the end of the gateway waits for answers that are being written', async () => {
  const { gateway, target } = await start();
  const { body, go } = await begin(gateway, target);
  let isDrained = false;
  const drained = gateway.dispatcher.drain(new AbortController().signal).then(() => {
    isDrained = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(isDrained).toBe(false);
  go();
  expect(String(await body.next())).toBe('last');
  await body.next();
  await drained;
  expect(body.end).toEqual({ kind: 'complete' });
});

test('an answer that nobody reads on is written to its end', async () => {
  const { gateway, target } = await start();
  const { outcome, body, go } = await begin(gateway, target);
  body.discard();
  go();
  expect(await outcome.report).toMatchObject({ status: 'success' });
  await untilStats(gateway, ({ inFlight, slots }) => inFlight === 0 && slots.idle === 1);
});

test('who does not ask for a stream gets the answer whole', async () => {
  const { gateway, target } = await start();
  const go = join(folder, 'whole');
  writeFileSync(go, '');
  const outcome = await gateway.dispatcher.invoke(target, {
    requestId: randomUUID(),
    invokedFunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:hello',
    event: Buffer.from(JSON.stringify({ go })),
    tail: false,
  });
  expect([outcome.body ?? null, String(outcome.payload)]).toEqual([null, 'firstlast']);
});
