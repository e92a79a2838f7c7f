import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type AwsCli, provideAwsCli } from '../src/aws-cli.ts';
import { eventually } from '../src/eventually.ts';
import { startTestPlatform, type TestPlatform } from '../src/platform.ts';

/*
 * Asynchronous invocations in local mode, seen from outside. The function appends to a file what it runs, so that nothing depends on answers.
 */

const code = `
import { appendFileSync } from 'node:fs';
export const handler = async (event, context) => {
  appendFileSync(event.mark, JSON.stringify({ id: context.awsRequestId, note: event.note, arn: context.invokedFunctionArn }) + '\\n');
  if (event.fail) throw new Error('on purpose');
  if (event.sleepMs) await new Promise((resolve) => setTimeout(resolve, event.sleepMs));
  return { done: event.note };
};
`;

let kappa: TestPlatform;
let aws: AwsCli;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kappa-events-'));
  kappa = await startTestPlatform({ examples: false });
  aws = await provideAwsCli(kappa.endpoint);
  await kappa.applyReady(manifest('marker', { eventInvoke: [{ qualifier: '$LATEST', maximumRetryAttempts: 0 }] }));
}, 240_000);
afterAll(async () => {
  await kappa?.stop();
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

function manifest(name: string, spec: object): object {
  return {
    apiVersion: 'kappa.dev/v1alpha1',
    kind: 'Function',
    metadata: { name },
    spec: {
      runtime: 'nodejs24.x',
      handler: 'index.handler',
      code: { inline: { files: [{ path: 'index.mjs', content: code }] } },
      ...spec,
    },
  };
}

const markFile = (name: string): string => join(folder, name);

/** What has run, as it wrote it. */
function runsIn(name: string): readonly { readonly id: string; readonly note?: string; readonly arn: string }[] {
  try {
    return readFileSync(markFile(name), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));
  } catch {
    return [];
  }
}

async function send(name: string, event: object, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${kappa.endpoint}/2015-03-31/functions/${name}/invocations`, {
    method: 'POST',
    headers: { 'x-amz-invocation-type': 'Event', ...headers },
    body: JSON.stringify(event),
  });
}

interface Listed {
  readonly events: readonly { readonly requestId: string; readonly condition: string; readonly errorMessage: string }[];
}

async function deadOf(name: string): Promise<Listed['events']> {
  const answer = await fetch(`${kappa.endpoint}/kappa/v1/events/${name}`);
  return ((await answer.json()) as Listed).events;
}

test('the aws command gets 202, and the function runs', async () => {
  const payload = JSON.stringify({ mark: markFile('cli'), note: 'by cli' });
  const said = await aws.json<{ StatusCode: number }>(
    ...(['lambda', 'invoke', '--function-name', 'marker', '--invocation-type', 'Event'] as const),
    ...(['--payload', payload, markFile('out')] as const),
  );
  expect(said.StatusCode).toBe(202);
  expect(readFileSync(markFile('out'), 'utf8')).toBe('');
  await eventually('it has run', async () => runsIn('cli').length === 1);
}, 60_000);

test('the id of the answer is the id of the run, and the ARN has the qualifier that was asked for', async () => {
  const answer = await send('marker:$LATEST', { mark: markFile('id') });
  expect(answer.status).toBe(202);
  expect(await answer.text()).toBe('');
  await eventually('it has run', async () => runsIn('id').length === 1);
  const [run] = runsIn('id');
  expect(run?.id).toBe(answer.headers.get('x-amzn-requestid'));
  expect(run?.arn).toMatch(/:function:marker:\$LATEST$/);
}, 60_000);

test('what fails for good is kept: it can be listed, looked at, run again and dropped', async () => {
  const answer = await send('marker', { mark: markFile('fails'), fail: true });
  const id = answer.headers.get('x-amzn-requestid') ?? '';
  await eventually('it is dead', async () => (await deadOf('marker')).some(({ requestId }) => requestId === id));
  expect((await deadOf('marker')).find(({ requestId }) => requestId === id)).toMatchObject({
    condition: 'RetriesExhausted',
    errorMessage: 'on purpose',
    attempts: 1,
  });
  const url = `${kappa.endpoint}/kappa/v1/events/marker/${id}`;
  expect(await (await fetch(url)).json()).toMatchObject({ payload: { fail: true }, state: 'dead', statusCode: 200 });
  expect((await fetch(`${url}/replay`, { method: 'POST' })).status).toBe(200);
  await eventually('it has run again', async () => runsIn('fails').length === 2);
  await eventually('it is dead again', async () => (await deadOf('marker')).length === 1);
  expect((await fetch(url, { method: 'DELETE' })).status).toBe(200);
  expect(await deadOf('marker')).toEqual([]);
  expect((await fetch(url)).status).toBe(404);
}, 60_000);
