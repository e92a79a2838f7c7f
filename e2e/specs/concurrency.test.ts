import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  InvokeCommand,
  LambdaClient,
  PutFunctionConcurrencyCommand,
  TooManyRequestsException,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eventually } from '../src/eventually.ts';
import { nodeFunction } from '../src/functions.ts';
import { startTestPlatform, type TestPlatform } from '../src/platform.ts';

/*
 * Limits of concurrency and of rates, as the SDK's callers see them. Small numbers: one call a second for each unit of concurrency, three
 * new pods of a function in ten seconds.
 */

/** Where handlers wait until they are let go: so that what runs is what a test says, on a slow machine as well. */
class Turnstile {
  readonly #server: Server;
  readonly #waiting = new Map<string, ServerResponse>();
  /** Ids in the order in which their handlers came. */
  readonly came: string[] = [];

  constructor() {
    this.#server = createServer((req, res) => {
      const id = (req.url ?? '').slice(1);
      this.came.push(id);
      this.#waiting.set(id, res);
    });
  }

  async open(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  has(id: string): boolean {
    return this.#waiting.has(id);
  }

  async isIn(id: string): Promise<void> {
    await eventually(`${id} runs`, async () => this.has(id));
  }

  letGo(id: string): void {
    this.#waiting.get(id)?.end('go');
    this.#waiting.delete(id);
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

const source = `export const handler = async ({ url, id }) => { await (await fetch(url + '/' + id)).text(); return id; };`;
const quick = `export const handler = () => 'quick';`;

const turnstile = new Turnstile();
let url: string;
let kappa: TestPlatform;
/** Tries nothing twice. */
let once: LambdaClient;
/** As the SDK comes, but more patient. */
let patient: LambdaClient;
beforeAll(async () => {
  url = await turnstile.open();
  kappa = await startTestPlatform({
    examples: false,
    environment: { KAPPA_CALLS_PER_CONCURRENCY: '1', KAPPA_SCALE_OUT: '3', KAPPA_POOL_MIN_REPLICAS: '5' },
  });
  const credentials = { accessKeyId: 'anybody', secretAccessKey: 'anybody-at-all' };
  const usual = { endpoint: kappa.endpoint, region: 'us-east-1', credentials };
  once = new LambdaClient({ ...usual, maxAttempts: 1 });
  patient = new LambdaClient({ ...usual, maxAttempts: 30 });
}, 180_000);
afterAll(async () => {
  turnstile.close();
  once?.destroy();
  patient?.destroy();
  await kappa?.stop();
}, 60_000);

interface Called {
  readonly answer: unknown;
  readonly attempts: number | undefined;
}

async function call(client: LambdaClient, FunctionName: string, id = ''): Promise<Called> {
  const { Payload, $metadata } = await client.send(
    new InvokeCommand({ FunctionName, Payload: JSON.stringify({ url, id }) }),
  );
  return { answer: JSON.parse(Buffer.from(Payload ?? []).toString()), attempts: $metadata.attempts };
}

/** Why a call is refused; null = it was not. */
async function refusal(name: string, id = ''): Promise<TooManyRequestsException | null> {
  try {
    await call(once, name, id);
    return null;
  } catch (error) {
    if (error instanceof TooManyRequestsException) return error;
    throw error;
  }
}

async function metric(name: string): Promise<number> {
  const text = await kappa.metrics('gateway');
  const line = text.split('\n').find((each) => each.startsWith(`${name} `) || each.startsWith(`${name}{`));
  return Number(line?.split(' ').at(-1) ?? 0);
}

const waiting = (count: number) =>
  eventually(`${count} wait`, async () => (await metric('kappa_gateway_limit_queued_requests')) === count);

test('all that is reserved runs: 429 with Lambda’s fields, which the SDK tries again until it is free', async () => {
  await kappa.applyReady(nodeFunction('capped', source, { timeoutSeconds: 60, concurrency: { reserved: 1 } }));
  const first = call(once, 'capped', 'capped-1');
  await turnstile.isIn('capped-1');
  expect(await metric('kappa_gateway_concurrency')).toBe(1);
  expect(await refusal('capped')).toMatchObject({
    name: 'TooManyRequestsException',
    message: 'Rate Exceeded.',
    Reason: 'ReservedFunctionConcurrentInvocationLimitExceeded',
    Type: 'User',
    retryAfterSeconds: '1',
    $metadata: { httpStatusCode: 429 },
  });
  const counted = 'kappa_gateway_throttles_total{namespace="default",function="capped"';
  const throttles = await metric(`${counted},reason="ReservedFunctionConcurrentInvocationLimitExceeded"}`);
  expect(throttles).toBe(1);
  const second = call(patient, 'capped', 'capped-2');
  await eventually('the SDK was refused once', async () => {
    return (await metric(`${counted},reason="ReservedFunctionConcurrentInvocationLimitExceeded"}`)) > throttles;
  });
  turnstile.letGo('capped-1');
  expect((await first).answer).toBe('capped-1');
  await turnstile.isIn('capped-2');
  turnstile.letGo('capped-2');
  const { answer, attempts = 0 } = await second;
  expect(answer).toBe('capped-2');
  expect(attempts).toBeGreaterThan(1);
}, 120_000);

test('too many calls in a second for what is reserved', async () => {
  await kappa.applyReady(nodeFunction('rated', quick, { concurrency: { reserved: 1 } }));
  const refused = await eventually('a call is above the rate', async () => (await refusal('rated')) ?? undefined);
  expect(refused).toMatchObject({ Reason: 'ReservedFunctionInvocationRateLimitExceeded', retryAfterSeconds: '1' });
  expect((await call(patient, 'rated')).answer).toBe('quick');
}, 120_000);

test('more new pods than a function may get', async () => {
  await kappa.applyReady(nodeFunction('wide', source, { timeoutSeconds: 60 }));
  const running: Promise<unknown>[] = [];
  const refused = await eventually('a pod too many', async () => {
    const id = `wide-${running.length + 1}`;
    const ends: (TooManyRequestsException | null)[] = [];
    const result = refusal('wide', id);
    void result.then(
      (end) => ends.push(end),
      () => ends.push(null),
    );
    await eventually(`${id} runs or is refused`, async () => ends.length > 0 || turnstile.has(id));
    const [end = null] = ends;
    if (end !== null) return end;
    running.push(result);
    return undefined;
  });
  expect(refused.Reason).toBe('FunctionInvocationRateLimitExceeded');
  for (const id of [...turnstile.came]) turnstile.letGo(id);
  expect(await Promise.all(running)).toEqual(running.map(() => null));
}, 120_000);

test('onLimit Queue: calls wait for their turn, in order, as many as may; the next one is refused', async () => {
  const concurrency = { reserved: 1, onLimit: 'Queue', maxQueueSeconds: 120, maxQueued: 2 };
  await kappa.applyReady(nodeFunction('queued', source, { timeoutSeconds: 60, concurrency }));
  const ids = ['queued-1', 'queued-2', 'queued-3'];
  const calls: Promise<Called>[] = [];
  for (const [index, id] of ids.entries()) {
    calls.push(call(once, 'queued', id));
    if (index === 0) await turnstile.isIn(id);
    else await waiting(index);
  }
  expect((await refusal('queued'))?.Reason).toBe('ReservedFunctionConcurrentInvocationLimitExceeded');
  expect(await metric('kappa_gateway_concurrency')).toBe(1);
  for (const id of ids) {
    await turnstile.isIn(id);
    turnstile.letGo(id);
  }
  expect(await Promise.all(calls)).toEqual(ids.map((id) => ({ answer: id, attempts: 1 })));
  expect(turnstile.came.filter((id) => id.startsWith('queued'))).toEqual(ids);
  await waiting(0);
}, 120_000);

test('who has waited for as long as the function says gets the 429 of the limit', async () => {
  const concurrency = { reserved: 1, onLimit: 'Queue', maxQueueSeconds: 1 };
  await kappa.applyReady(nodeFunction('short', source, { timeoutSeconds: 60, concurrency }));
  const first = call(once, 'short', 'short-1');
  await turnstile.isIn('short-1');
  expect((await refusal('short', 'short-2'))?.Reason).toBe('ReservedFunctionConcurrentInvocationLimitExceeded');
  turnstile.letGo('short-1');
  expect((await first).answer).toBe('short-1');
  expect(turnstile.came).not.toContain('short-2');
}, 120_000);

test('the status says how much of what is provisioned is there', async () => {
  interface Provided {
    readonly status: { readonly provisioned?: { readonly requested: number; readonly ready: number } };
  }
  const provisioned = async () => (await kappa.kubectl.json<Provided>(['fn', 'provided'])).status.provisioned ?? 'none';
  await kappa.applyReady(nodeFunction('provided', quick, { concurrency: { provisioned: 2 }, idleTimeoutSeconds: 1 }));
  await eventually('both are ready', async () => JSON.stringify(await provisioned()) === '{"ready":2,"requested":2}');
  await kappa.kubectl.ok(['scale', 'fn/provided', '--replicas=0']);
  await eventually('nothing is asked for', async () => (await provisioned()) === 'none');
}, 120_000);

test('Lambda’s API leaves the queue alone, and kubectl says when a bound has no queue', async () => {
  const concurrency = { reserved: 1, onLimit: 'Queue', maxQueued: 7 };
  await kappa.applyReady(nodeFunction('kept', quick, { concurrency }));
  await once.send(new PutFunctionConcurrencyCommand({ FunctionName: 'kept', ReservedConcurrentExecutions: 2 }));
  await once.send(new UpdateFunctionConfigurationCommand({ FunctionName: 'kept', MemorySize: 256 }));
  const { spec } = await kappa.kubectl.json<{ spec: object }>(['fn', 'kept']);
  expect(spec).toMatchObject({ memoryMiB: 256, concurrency: { ...concurrency, reserved: 2 } });
  const broken = nodeFunction('broken', quick, { concurrency: { maxQueued: 7 } });
  await expect(kappa.kubectl.apply(broken)).rejects.toThrow('need onLimit: Queue');
}, 120_000);
