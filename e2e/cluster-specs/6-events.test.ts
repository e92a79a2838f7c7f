import { setTimeout as pause } from 'node:timers/promises';
import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, expect } from '@jest/globals';
import { eventually } from '../src/eventually.ts';
import { InstalledKappa, isReady, release } from '../src/installed.ts';
import { test } from '../src/needs.ts';

const name = 'events';
const ratePerSecond = 20;
const count = 400;

let kappa: InstalledKappa;
let client: LambdaClient;
beforeAll(async () => {
  kappa = await InstalledKappa.find();
  await kappa.gatewaysReady();
  await kappa.applyLedgerFunction(name);
  client = await kappa.lambda();
}, 120_000);
afterAll(async () => {
  client?.destroy();
  await kappa?.deleteFunctions([name]);
  await kappa?.stop();
}, 60_000);

/** Sends one event; answers its request id when it was accepted, else why not. */
async function send(number: number): Promise<{ readonly id: string } | { readonly problem: string }> {
  const Payload = Buffer.from(JSON.stringify({ number, holdMs: 20 }));
  try {
    const answer = await client.send(new InvokeCommand({ FunctionName: name, InvocationType: 'Event', Payload }));
    expect(answer.StatusCode).toBe(202);
    return { id: answer.$metadata.requestId ?? '' };
  } catch (error) {
    return { problem: error instanceof Error ? `${error.name}: ${error.message}` : String(error) };
  }
}

const redisReady = (): Promise<unknown> =>
  eventually(
    'Redis is ready',
    async () => (await kappa.pods(release.namespace, 'app.kubernetes.io/name=kappa-redis')).every(isReady),
    60_000,
  );

const killPod = async (selector: string): Promise<void> => {
  const [pod] = await kappa.pods(release.namespace, selector);
  if (pod === undefined) throw new Error(`no pod is ${selector}`);
  kappa.signalPod(pod, 'SIGKILL');
};

test('S6: gateways and Redis are killed while events come in: every event that was accepted runs @faults', async () => {
  await kappa.gatewaysFresh();
  await redisReady();
  const sent: ReturnType<typeof send>[] = [];
  const faults = new Map([
    [60, 'app.kubernetes.io/name=kappa-gateway'],
    [140, 'app.kubernetes.io/name=kappa-redis'],
    [260, 'app.kubernetes.io/name=kappa-gateway'],
  ]);
  const startMs = performance.now();
  for (let number = 0; number < count; number += 1) {
    const aheadMs = startMs + (number * 1000) / ratePerSecond - performance.now();
    if (aheadMs > 1) await pause(aheadMs);
    sent.push(send(number));
    const fault = faults.get(number);
    if (fault !== undefined) await killPod(fault);
  }
  const answers = await Promise.all(sent);
  const accepted = answers.flatMap((answer) => ('id' in answer ? [answer.id] : []));
  const refused = answers.flatMap((answer) => ('problem' in answer ? [answer.problem] : []));
  process.stdout.write(`S6: ${accepted.length} of ${count} accepted; refused: ${JSON.stringify(tally(refused))}\n`);
  expect(new Set(accepted).size).toBe(accepted.length);
  // Redis is away for as long as the kubelet waits before it starts a container again that has crashed: seconds, or more after the last time.
  await eventually(
    'events are accepted again',
    async () => {
      const answer = await send(count);
      if ('id' in answer) accepted.push(answer.id);
      return 'id' in answer;
    },
    120_000,
  );

  const missing = (): readonly string[] => {
    const ran = new Set(kappa.ledger.runs.map(({ requestId }) => requestId));
    return accepted.filter((id) => !ran.has(id));
  };
  await eventually('every accepted event has run', async () => missing().length === 0, 120_000);
  const runs = kappa.ledger.runs.filter(({ requestId }) => accepted.includes(requestId)).length;
  process.stdout.write(`S6: ${accepted.length} events ran ${runs} times\n`);
  await kappa.gatewaysReady();
  await redisReady();
}, 300_000);

function tally(problems: readonly string[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const problem of problems) counts[problem] = (counts[problem] ?? 0) + 1;
  return counts;
}
