import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type AwsCli, provideAwsCli } from '../src/aws-cli.ts';
import { eventually } from '../src/eventually.ts';
import { startTestPlatform, type TestPlatform } from '../src/platform.ts';

/*
 * What functions write, read by the real `aws` commands: version 2 for `aws logs tail`, version 1 for the calls behind it. Each test goes on
 * where the one before has ended.
 */

const group = '/aws/lambda/talker';
const code = `console.log('loaded');
export const handler = async ({ say }, context) => {
  console.log('%s', say);
  return { group: context.logGroupName, stream: context.logStreamName };
};`;
const dying = "export const handler = () => { process.stdout.write('last words'); process.exit(3); };";
const endpoints =
  "export const handler = () => Object.fromEntries(Object.entries(process.env).filter(([name]) => name.startsWith('AWS_ENDPOINT')));";
const functionOf = (name: string, content: string, environment: readonly object[] = []) => ({
  apiVersion: 'kappa.dev/v1alpha1',
  kind: 'Function',
  metadata: { name },
  spec: {
    runtime: 'nodejs24.x',
    handler: 'index.handler',
    environment,
    code: { inline: { files: [{ path: 'index.mjs', content }] } },
  },
});

/** Some members of answers. */
interface Events {
  readonly events: readonly { readonly message: string; readonly logStreamName: string; readonly eventId: string }[];
}

/** Of one test: each command of the CLI takes seconds on a busy machine. */
const limitMs = 240_000;

let kappa: TestPlatform;
let aws: AwsCli;
let aws2: AwsCli;
beforeAll(async () => {
  kappa = await startTestPlatform({ examples: false });
  aws = await provideAwsCli(kappa.endpoint);
  aws2 = await provideAwsCli(kappa.endpoint, 2);
  await kappa.applyReady(functionOf('talker', code));
}, 180_000);
afterAll(() => kappa?.stop(), 60_000);

async function invoke(name: string, event: object): Promise<unknown> {
  const url = `${kappa.endpoint}/2015-03-31/functions/${name}/invocations`;
  return (await fetch(url, { method: 'POST', body: JSON.stringify(event) })).json();
}

const call = async (event: object) => (await invoke('talker', event)) as { group: string; stream: string };

const filter = (...more: readonly string[]) =>
  aws.json<Events>('logs', 'filter-log-events', '--log-group-name', group, ...more);

test(
  'a function that has not run has a log group without events',
  async () => {
    const { logGroups } = await aws.json<{ logGroups: object[] }>('logs', 'describe-log-groups');
    expect(logGroups).toMatchObject([
      { logGroupName: group, arn: `arn:aws:logs:us-east-1:000000000000:log-group:${group}:*` },
    ]);
    expect((await filter()).events).toEqual([]);
  },
  limitMs,
);

test(
  'filter-log-events finds what a call has written, from init to REPORT',
  async () => {
    const answer = await call({ say: 'hello there' });
    expect(answer.group).toBe(group);
    const events = await eventually('the REPORT is there', async () => {
      const found = (await filter()).events;
      return found.some(({ message }) => message.startsWith('REPORT')) && found;
    });
    const texts = events.map(({ message }) => message);
    expect(texts[0]).toMatch(/^INIT_START Runtime Version: nodejs:24/);
    expect(texts[1]).toMatch(/\tINFO\tloaded\n$/);
    expect(texts[2]).toMatch(/^START RequestId: [\w-]{36} Version: \$LATEST\n$/);
    expect(texts[3]).toMatch(/\tINFO\thello there\n$/);
    expect(texts[4]).toMatch(/^END RequestId/);
    expect(texts).toHaveLength(6);
    expect(new Set(events.map(({ logStreamName }) => logStreamName))).toEqual(new Set([answer.stream]));
    expect(new Set(events.map(({ eventId }) => eventId)).size).toBe(6);
  },
  limitMs,
);

test(
  'by patterns, streams and pages',
  async () => {
    expect((await filter('--filter-pattern', '"hello there"')).events).toHaveLength(1);
    expect((await filter('--filter-pattern', '?"START RequestId" ?END')).events).toHaveLength(2);
    expect((await filter('--filter-pattern', 'RequestId -REPORT -START')).events).toHaveLength(1);
    const paged = await filter('--page-size', '2');
    expect(paged.events).toHaveLength(6);
    const refusal = await aws.refusalOf(
      'logs',
      ...['filter-log-events', '--log-group-name', group, '--filter-pattern', '{ $.level = "error" }'],
    );
    expect(refusal).toMatch(/^InvalidParameterException: .*JSON/);
  },
  limitMs,
);

test(
  'describe-log-streams and get-log-events',
  async () => {
    const named = ['--log-group-name', group];
    const newest = ['--order-by', 'LastEventTime', '--descending'];
    const { logStreams } = await aws.json<{ logStreams: { logStreamName: string }[] }>(
      ...(['logs', 'describe-log-streams', ...named, ...newest] as const),
    );
    const [{ logStreamName = '' } = {}] = logStreams;
    expect(logStreamName).toMatch(/^\d{4}\/\d\d\/\d\d\/\[\$LATEST\][0-9a-f]{32}$/);
    const last = ['--log-stream-name', logStreamName, '--limit', '1'];
    const { events } = await aws.json<Events>('logs', 'get-log-events', ...named, ...last);
    expect(events).toHaveLength(1);
    expect(events[0]?.message).toMatch(/^REPORT/);
  },
  limitMs,
);

test(
  'aws logs tail prints it, and --follow what comes',
  async () => {
    const once = await aws2.run(['logs', 'tail', group, '--since', '1h', '--format', 'short']);
    expect(once).toMatchObject({ code: 0, stderr: '' });
    expect(once.stdout).toMatch(/INFO\s+hello there\n/);
    expect(once.stdout.trim().split('\n')).toHaveLength(6);
    const following = aws2.start(
      'logs',
      'tail',
      group,
      '--follow',
      '--since',
      '1h',
      '--format',
      'short',
      '--color',
      'off',
    );
    try {
      const has = (text: string) => following.lines.filter((line) => line.includes(text)).length;
      await eventually('tail shows what was', async () => has('hello there') === 1);
      await call({ say: 'and later this' });
      await eventually('tail shows what comes', async () => has('and later this') === 1, 60_000);
      await call({ say: 'and more' });
      await eventually('tail shows more', async () => has('and more') === 1, 60_000);
      expect([has('hello there'), has('and later this')]).toEqual([1, 1]);
    } finally {
      await following.stop();
    }
  },
  limitMs,
);

test(
  'the last words of a function that dies are there',
  async () => {
    await kappa.applyReady(functionOf('dying', dying));
    await invoke('dying', {});
    await eventually('they are there', async () => {
      const found = await aws.json<Events>('logs', 'filter-log-events', '--log-group-name', '/aws/lambda/dying');
      const texts = found.events.map(({ message }) => message);
      return texts.includes('last words\n') && texts.some((text) => text.includes('Runtime.ExitError'));
    });
  },
  limitMs,
);

test(
  'a function finds Lambda at the gateway, and others where its namespace or it itself says',
  async () => {
    await kappa.applyReady(functionOf('before', endpoints));
    expect(await invoke('before', {})).toEqual({ AWS_ENDPOINT_URL_LAMBDA: kappa.endpoint });
    const annotations = ['s3=http://minio:9000', 'sqs=http://queues:1'].map(
      (each) => `kappa.dev/aws-endpoint-url-${each}`,
    );
    await kappa.kubectl.ok(['annotate', 'namespace', 'default', ...annotations]);
    const own = [{ name: 'AWS_ENDPOINT_URL_SQS', value: 'http://mine' }];
    // The gateway hears of both by watches of their own: a pod that starts too early is not asked again.
    let edition = 0;
    const found = await eventually('a new pod has them', async () => {
      edition += 1;
      const variables = await invoke(await kappa.applyReady(functionOf(`after-${edition}`, endpoints, own)), {});
      return JSON.stringify(variables).includes('minio') && { variables };
    });
    expect(found.variables).toEqual({
      AWS_ENDPOINT_URL_LAMBDA: kappa.endpoint,
      AWS_ENDPOINT_URL_S3: 'http://minio:9000',
      AWS_ENDPOINT_URL_SQS: 'http://mine',
    });
  },
  limitMs,
);
