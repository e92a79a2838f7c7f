import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type AwsCli, provideAwsCli } from '../src/aws-cli.ts';
import { eventually } from '../src/eventually.ts';
import { Moto } from '../src/moto.ts';
import { startTestPlatform, type TestPlatform } from '../src/platform.ts';

/*
 * Who is told of asynchronous invocations: real SQS, SNS, EventBridge and S3 (moto), read by the `aws` command, and functions of this install.
 */

const account = '123456789012'; // moto's own
const code = `export const handler = async (event) => {
  if (event.fail) throw new Error('on purpose');
  return { got: event.requestPayload === undefined ? event : event.requestContext };
};`;

let moto: Moto;
let kappa: TestPlatform;
/** Speaks to moto. */
let there: AwsCli;
beforeAll(async () => {
  moto = await Moto.start();
  const environment = {
    KAPPA_AWS_ENDPOINTS: JSON.stringify({ AWS_ENDPOINT_URL: moto.url }),
    KAPPA_SHIP_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE',
    KAPPA_SHIP_SECRET_ACCESS_KEY: 'secret',
  };
  kappa = await startTestPlatform({ examples: false, environment });
  there = (await provideAwsCli(kappa.endpoint)).with({ AWS_ENDPOINT_URL: moto.url });
}, 240_000);
afterAll(async () => {
  await kappa?.stop();
  await moto?.stop();
}, 60_000);

const arnOf = (service: string, name: string): string => `arn:aws:${service}:us-east-1:${account}:${name}`;

/** A function whose events are tried once. */
async function make(name: string, told: object, spec: object = {}): Promise<string> {
  return kappa.applyReady({
    apiVersion: 'kappa.dev/v1alpha1',
    kind: 'Function',
    metadata: { name },
    spec: {
      runtime: 'nodejs24.x',
      handler: 'index.handler',
      code: { inline: { files: [{ path: 'index.mjs', content: code }] } },
      eventInvoke: [{ qualifier: '$LATEST', maximumRetryAttempts: 0, ...told }],
      ...spec,
    },
  });
}

/** Sends an event; answers its id. */
async function send(name: string, event: object): Promise<string> {
  const url = `${kappa.endpoint}/2015-03-31/functions/${name}/invocations`;
  const headers = { 'x-amz-invocation-type': 'Event' };
  const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify(event) });
  expect(answer.status).toBe(202);
  return answer.headers.get('x-amzn-requestid') ?? '';
}

/** Of SQS the command asks no variable. */
const sqs = <T>(...args: readonly string[]): Promise<T> => there.json<T>('sqs', '--endpoint-url', moto.url, ...args);

async function makeQueue(name: string): Promise<string> {
  const made = await sqs<{ QueueUrl: string }>('create-queue', '--queue-name', name);
  return made.QueueUrl;
}

interface Received {
  readonly Body: string;
  readonly MessageAttributes?: Readonly<Record<string, { readonly DataType: string; readonly StringValue: string }>>;
}

/** The message of a queue that has `text`, once it is there: those of a try before this one are left out. */
async function receive(url: string, text: string): Promise<Received> {
  const options = ['--max-number-of-messages', '10', '--message-attribute-names', 'All'];
  const ask = async (): Promise<Received | undefined> => {
    const args = ['receive-message', '--queue-url', url, ...options];
    const { Messages = [] } = (await sqs<{ Messages?: Received[] } | undefined>(...args)) ?? {};
    return Messages.find((message) => JSON.stringify(message).includes(text));
  };
  try {
    return await eventually(`a message with ${text} is in ${url}`, ask, 90_000);
  } catch (error) {
    throw new Error(`it did not come; the platform said:\n${kappa.lines.slice(-100).join('\n')}`, { cause: error });
  }
}

const functionArn = (name: string): string => `arn:aws:lambda:us-east-1:000000000000:function:${name}:$LATEST`;

test('a queue hears of a success and of a failure, in records', async () => {
  const [fine, failed] = [await makeQueue('fine'), await makeQueue('failed')];
  await make('teller', { onSuccess: arnOf('sqs', 'fine'), onFailure: arnOf('sqs', 'failed') });
  const good = await send('teller', { n: 1 });
  expect(JSON.parse((await receive(fine, good)).Body)).toEqual({
    version: '1.0',
    timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    requestContext: {
      requestId: good,
      functionArn: functionArn('teller'),
      condition: 'Success',
      approximateInvokeCount: 1,
    },
    requestPayload: { n: 1 },
    responseContext: { statusCode: 200, executedVersion: '$LATEST' },
    responsePayload: { got: { n: 1 } },
  });
  const bad = await send('teller', { fail: true });
  expect(JSON.parse((await receive(failed, bad)).Body)).toMatchObject({
    requestContext: { requestId: bad, condition: 'RetriesExhausted', approximateInvokeCount: 1 },
    requestPayload: { fail: true },
    responseContext: { statusCode: 200, functionError: 'Unhandled' },
    responsePayload: { errorType: 'Error', errorMessage: 'on purpose' },
  });
}, 240_000);

test('a dead-letter queue gets the event itself; with no concurrency at once, and it never ran', async () => {
  const dead = await makeQueue('dead');
  await make('letters', {}, { deadLetterTarget: arnOf('sqs', 'dead') });
  const id = await send('letters', { fail: true, n: 2 });
  const { Body, MessageAttributes } = await receive(dead, id);
  expect(Body).toBe('{"fail":true,"n":2}');
  expect(MessageAttributes).toMatchObject({
    RequestID: { DataType: 'String', StringValue: id },
    ErrorCode: { DataType: 'Number', StringValue: '200' },
    ErrorMessage: { DataType: 'String', StringValue: 'on purpose' },
  });
  const none = await makeQueue('none');
  await make('stopped', { onFailure: arnOf('sqs', 'none') }, { concurrency: { reserved: 0 } });
  const stopped = await send('stopped', {});
  const { requestContext } = JSON.parse((await receive(none, stopped)).Body);
  expect(requestContext).toMatchObject({ condition: 'ZeroReservedConcurrency', approximateInvokeCount: 0 });
}, 240_000);

test('a topic and an event bus', async () => {
  const heard = await makeQueue('heard');
  await there.json('sns', 'create-topic', '--name', 'news');
  const subscribe = ['sns', 'subscribe', '--topic-arn', arnOf('sns', 'news'), '--protocol', 'sqs'] as const;
  await there.json(...subscribe, '--notification-endpoint', arnOf('sqs', 'heard'));
  const bus = await makeQueue('bus');
  const pattern = JSON.stringify({ source: ['lambda'] });
  await there.json('events', 'put-rule', '--name', 'all', '--event-pattern', pattern);
  await there.json('events', 'put-targets', '--rule', 'all', '--targets', `Id=q,Arn=${arnOf('sqs', 'bus')}`);
  await make('speaker', { onSuccess: arnOf('sns', 'news'), onFailure: arnOf('events', 'event-bus/default') });
  const good = await send('speaker', {});
  const { Message } = JSON.parse((await receive(heard, good)).Body);
  expect(JSON.parse(Message).requestContext).toMatchObject({ requestId: good, condition: 'Success' });
  const bad = await send('speaker', { fail: true });
  expect(JSON.parse((await receive(bus, bad)).Body)).toMatchObject({
    'detail-type': 'Lambda Function Invocation Result - Failure',
    source: 'lambda',
    resources: [arnOf('events', 'event-bus/default'), functionArn('speaker')],
    detail: { requestContext: { requestId: bad, condition: 'RetriesExhausted' } },
  });
}, 240_000);

test('a bucket keeps records of failures', async () => {
  await there.json('s3api', 'create-bucket', '--bucket', 'records');
  await make('keeper', { onFailure: 'arn:aws:s3:::records' });
  const id = await send('keeper', { fail: true });
  const list = ['s3api', 'list-objects-v2', '--bucket', 'records'] as const;
  let keys: string[] = [];
  await eventually('it is there', async () => {
    const { Contents = [] } = (await there.json<{ Contents?: { Key: string }[] } | undefined>(...list)) ?? {};
    keys = Contents.map(({ Key }) => Key).filter((key) => key.endsWith(id));
    return keys.length > 0;
  });
  expect(keys).toEqual([
    expect.stringMatching(
      new RegExp(`^aws/lambda/async/keeper/\\d{4}/\\d\\d/\\d\\d/\\d{4}-\\d\\d-\\d\\dT\\d\\d\\.\\d\\d\\.\\d\\d-${id}$`),
    ),
  ]);
}, 240_000);

test('a function gets the record; who tells each other in a circle is stopped', async () => {
  const last = await makeQueue('last');
  await make('second', { onSuccess: arnOf('sqs', 'last') });
  await make('first', { onSuccess: 'arn:aws:lambda:us-east-1:000000000000:function:second' });
  const id = await send('first', { n: 3 });
  const { requestPayload } = JSON.parse((await receive(last, id)).Body);
  expect(requestPayload).toMatchObject({ requestContext: { requestId: id }, requestPayload: { n: 3 } });

  const loops = await makeQueue('loops');
  const arn = (name: string) => `arn:aws:lambda:us-east-1:000000000000:function:${name}`;
  await make('ping', { onSuccess: arn('pong'), onFailure: arnOf('sqs', 'loops') });
  await make('pong', { onSuccess: arn('ping'), onFailure: arnOf('sqs', 'loops') });
  await send('ping', {});
  const { requestContext } = JSON.parse((await receive(loops, 'RecursiveInvocationDropped')).Body);
  expect(requestContext).toMatchObject({ functionArn: functionArn('ping'), condition: 'RecursiveInvocationDropped' });
}, 240_000);

test('a queue that is not there yet is told when it is', async () => {
  await make('early', { onSuccess: arnOf('sqs', 'late') });
  const id = await send('early', {});
  const failures = /destination_delivery_failures_total\{namespace="default",function="early"\} [1-9]/;
  await eventually('it was tried', async () => failures.test(await kappa.metrics('gateway')), 60_000);
  const { requestContext } = JSON.parse((await receive(await makeQueue('late'), id)).Body);
  expect(requestContext.requestId).toBe(id);
}, 240_000);
