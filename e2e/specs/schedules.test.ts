import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { eventually } from '../src/eventually.ts';
import { startTestPlatform, type TestPlatform } from '../src/platform.ts';

/*
 * Schedules in local mode, seen from outside. The function appends what it gets to a file.
 */

let kappa: TestPlatform;
let file: string;
beforeAll(async () => {
  file = join(mkdtempSync(join(tmpdir(), 'kappa-schedules-')), 'marks');
  appendFileSync(file, '');
  kappa = await startTestPlatform({ examples: false });
  await kappa.applyReady(marker('scheduled'));
}, 180_000);
afterAll(async () => {
  await kappa?.stop();
  rmSync(join(file, '..'), { recursive: true, force: true });
}, 60_000);

function marker(name: string): object {
  const content = `import { appendFileSync } from 'node:fs';
export const handler = async (event, context) => {
  appendFileSync(${JSON.stringify(file)}, JSON.stringify({ event, id: context.awsRequestId, arn: context.invokedFunctionArn }) + '\\n');
};`;
  const code = { inline: { files: [{ path: 'index.mjs', content }] } };
  const spec = { runtime: 'nodejs24.x', handler: 'index.handler', code };
  return { apiVersion: 'kappa.dev/v1alpha1', kind: 'Function', metadata: { name }, spec };
}

interface Mark {
  readonly event: Readonly<Record<string, unknown>>;
  readonly id: string;
  readonly arn: string;
}

const marks = (): readonly Mark[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

function mapping(name: string, schedule: object, more: object = {}): object {
  const spec = { functionName: 'scheduled', schedule, ...more };
  return { apiVersion: 'kappa.dev/v1alpha1', kind: 'EventSourceMapping', metadata: { name }, spec };
}

/** `at(…)` some seconds from now. */
const soon = (seconds: number): { readonly time: string; readonly expression: string } => {
  const time = new Date(Date.now() + seconds * 1000).toISOString().slice(0, 19);
  return { time: `${time}Z`, expression: `at(${time})` };
};

test('a moment is fired once, as EventBridge tells it', async () => {
  const { time, expression } = soon(8);
  await kappa.kubectl.apply(mapping('soon', { expression }));
  const found = await eventually('it has run', async () => marks().find(({ event }) => event['time'] === time));
  expect(found).toEqual({
    event: {
      version: '0',
      id: found.id,
      'detail-type': 'Scheduled Event',
      source: 'aws.events',
      account: '000000000000',
      time,
      region: 'us-east-1',
      resources: ['arn:aws:events:us-east-1:000000000000:rule/soon'],
      detail: {},
    },
    id: expect.stringMatching(/^[\da-f-]{36}$/),
    arn: 'arn:aws:lambda:us-east-1:000000000000:function:scheduled',
  });
  await kappa.kubectl.ok(['wait', 'esm/soon', '--for=condition=Ready', '--timeout=60s']);
});

test('a gateway that is killed before it is due fires it in its next life; one that is stopped never fires', async () => {
  const [due, never] = [soon(12), soon(10)];
  await kappa.kubectl.apply(mapping('after-all', { expression: due.expression, input: '{"job": "after all"}' }));
  await kappa.kubectl.apply(mapping('stopped', { expression: never.expression }, { enabled: false }));
  await kappa.kubectl.ok(['wait', 'esm/after-all', '--for=condition=Ready', '--timeout=60s']);
  await kappa.kill('gateway');
  await eventually('it is due', async () => Date.now() > Date.parse(due.time));
  await kappa.start('gateway');
  await eventually('it has run', async () => marks().some(({ event }) => event['job'] === 'after all'));
  await kappa.kill('gateway', 'SIGTERM');
  await kappa.start('gateway');
  const { time, expression } = soon(8);
  await kappa.kubectl.apply(mapping('last', { expression }));
  await eventually('a later one has run', async () => marks().some(({ event }) => event['time'] === time));
  expect(marks().filter(({ event }) => event['job'] === 'after all')).toHaveLength(1);
  expect(marks().filter(({ event }) => event['time'] === never.time)).toEqual([]);
  const { status } = await kappa.kubectl.json<{ status: { state: string } }>(['esm', 'stopped']);
  expect(status.state).toBe('Disabled');
}, 120_000);

test('what cannot be is refused in words, or told by the mapping', async () => {
  await expect(kappa.kubectl.apply(mapping('wrong', { expression: 'cron(0 25 * * ? *)' }))).rejects.toThrow(
    'the hour of cron is like 0 to 23, 8-17, 0/2 or *',
  );
  const conditionOf = (name: string, reason: string, spec: object): Promise<string> => {
    const read = async (): Promise<string | undefined> => {
      type Read = { status?: { conditions?: { type: string; reason: string; message: string }[] } };
      const { status } = await kappa.kubectl.json<Read>(['esm', name]);
      return status?.conditions?.find((condition) => condition.type === 'Ready' && condition.reason === reason)
        ?.message;
    };
    return kappa.kubectl.apply(spec).then(() => eventually(`${name} is ${reason}`, read));
  };
  const atlantis = mapping('atlantis', { expression: 'rate(1 day)', timezone: 'Europe/Atlantis' });
  expect(await conditionOf('atlantis', 'InvalidSource', atlantis)).toMatch(/Europe\/Atlantis is no time zone/);
  const missing = mapping('missing', { expression: soon(1).expression }, { functionName: 'later' });
  expect(await conditionOf('missing', 'FunctionNotFound', missing)).toMatch(/There is no Function later/);
});

test('the example is taken', async () => {
  await kappa.kubectl.ok(['apply', '-f', fileURLToPath(new URL('../../examples/schedule.yaml', import.meta.url))]);
  await kappa.kubectl.ok(['wait', 'esm/nightly', '--for=condition=Ready', '--timeout=60s']);
});
