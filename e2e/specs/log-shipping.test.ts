import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type AwsCli, provideAwsCli } from '../src/aws-cli.ts';
import { eventually } from '../src/eventually.ts';
import { Moto } from '../src/moto.ts';
import { startTestPlatform, type TestPlatform } from '../src/platform.ts';

/*
 * Log lines on their way to another server of CloudWatch Logs, read there by the `aws` command. Each test goes on where the one before has
 * ended.
 */

const group = '/aws/lambda/talker';
const code =
  "export const handler = ({ say }) => { console.log('%s', say); return process.env.AWS_LAMBDA_LOG_STREAM_NAME; };";

let moto: Moto;
let kappa: TestPlatform;
let there: AwsCli;
beforeAll(async () => {
  moto = await Moto.start();
  const environment = {
    KAPPA_RECENT_LOGS_MIB: '0', // lines are shipped all the same
    KAPPA_AWS_ENDPOINTS: JSON.stringify({ AWS_ENDPOINT_URL_CLOUDWATCH_LOGS: moto.url }),
    KAPPA_SHIP_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE',
    KAPPA_SHIP_SECRET_ACCESS_KEY: 'secret',
  };
  kappa = await startTestPlatform({ examples: false, environment });
  there = (await provideAwsCli(kappa.endpoint)).with({ AWS_ENDPOINT_URL: moto.url });
  await kappa.applyReady({
    apiVersion: 'kappa.dev/v1alpha1',
    kind: 'Function',
    metadata: { name: 'talker' },
    spec: {
      runtime: 'nodejs24.x',
      handler: 'index.handler',
      code: { inline: { files: [{ path: 'index.mjs', content: code }] } },
    },
  });
}, 240_000);
afterAll(async () => {
  await kappa?.stop();
  await moto?.stop();
}, 60_000);

async function call(say: string): Promise<string> {
  const url = `${kappa.endpoint}/2015-03-31/functions/talker/invocations`;
  return String(await (await fetch(url, { method: 'POST', body: JSON.stringify({ say }) })).json());
}

async function texts(): Promise<readonly string[]> {
  const { events } = await there.json<{ events: readonly { readonly message: string }[] }>(
    ...(['logs', 'filter-log-events', '--log-group-name', group] as const),
  );
  return events.map(({ message }) => message);
}

test('lines arrive in the function’s group and stream, which were not there', async () => {
  const stream = await call('hello there');
  await eventually('they are there', async () => (await texts()).some((text) => text.startsWith('REPORT')));
  expect((await texts()).filter((text) => text.includes('hello there'))).toHaveLength(1);
  const { logStreams } = await there.json<{ logStreams: readonly { readonly logStreamName: string }[] }>(
    ...(['logs', 'describe-log-streams', '--log-group-name', group] as const),
  );
  expect(logStreams.map(({ logStreamName }) => logStreamName)).toEqual([stream]);
  expect(await kappa.metrics('gateway')).toMatch(/shipped_log_events_total\{result="dropped"\} 0\n/);
}, 240_000);

test('a server that is away for a moment gets them later', async () => {
  const { port } = moto;
  await moto.stop();
  await call('while nobody listens');
  moto = await Moto.start(port);
  const isThere = async () => (await texts()).some((text) => text.includes('while nobody listens'));
  await eventually('they are there', isThere, 90_000);
}, 240_000);

test('this install keeps none itself, and says so', async () => {
  const here = await provideAwsCli(kappa.endpoint);
  expect(await here.refusalOf('logs', 'filter-log-events', '--log-group-name', group)).toMatch(
    /^InvalidOperationException: .*KAPPA_RECENT_LOGS_MIB/,
  );
}, 240_000);
