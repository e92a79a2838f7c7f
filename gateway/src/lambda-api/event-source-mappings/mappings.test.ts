import { beforeEach, describe, expect, test } from '@jest/globals';
import { eventSourceMappings } from '@kappa/crds/client/kinds';
import { listTags, tagResource, untagResource } from '../tags/tags.ts';
import { TestApi, testArn } from '../testing-call.ts';
import { createMapping, deleteMapping, getMapping, listMappings, updateMapping } from './mappings.ts';

const queue = 'arn:aws:sqs:us-east-1:000000000000:q';
const stream = 'arn:aws:kinesis:us-east-1:000000000000:stream/s';
const own = { Endpoints: { KAFKA_BOOTSTRAP_SERVERS: ['kafka:9092'] } };
let api: TestApi;
beforeEach(async () => {
  api = new TestApi();
  await api.function('f', {}, 1);
  await api.function('g');
  api.alias('live', '1');
});

const create = (input: object, name = 'f', qualifier: string | null = null) =>
  createMapping(api.call({ FunctionName: name, ...input }, name, qualifier), api.deps);
const get = (UUID: string | undefined) => getMapping(api.call({ UUID }, ''), api.deps);
const update = (UUID: string | undefined, input: object, name = '', qualifier: string | null = null) =>
  updateMapping(api.call({ UUID, ...(name !== '' && { FunctionName: name }), ...input }, name, qualifier), api.deps);
const list = (input: object = {}, name = '', qualifier: string | null = null) =>
  listMappings(api.call({ ...input, ...(name !== '' && { FunctionName: name }) }, name, qualifier), api.deps);
const stored = () => api.kubernetes.list(eventSourceMappings, { namespace: 'default' });

test('a queue: what was given, and Lambda’s defaults', async () => {
  const made = await create({ EventSourceArn: queue, MaximumBatchingWindowInSeconds: 5, Tags: { a: 'b' } });
  expect(made).toEqual({
    UUID: expect.stringMatching(/./),
    EventSourceMappingArn: `arn:aws:lambda:us-east-1:000000000000:event-source-mapping:${made.UUID}`,
    EventSourceArn: queue,
    FunctionArn: testArn('f'),
    BatchSize: 10,
    MaximumBatchingWindowInSeconds: 5,
    FunctionResponseTypes: [],
    LastModified: new Date(api.nowMs),
    State: 'Creating',
    StateTransitionReason: 'USER_INITIATED',
  });
  expect(await get(made.UUID)).toEqual(made);
  expect((await stored()).map(({ spec }) => spec)).toEqual([
    { functionName: 'f', enabled: true, eventSourceArn: queue, maximumBatchingWindowSeconds: 5, tags: { a: 'b' } },
  ]);
});

test('a stream of an alias, paused', async () => {
  const made = await create({ EventSourceArn: stream, StartingPosition: 'LATEST', Enabled: false }, 'f', 'live');
  expect(made).toMatchObject({
    FunctionArn: `${testArn('f')}:live`,
    BatchSize: 100,
    MaximumRetryAttempts: -1,
    DestinationConfig: { OnFailure: {} },
    LastProcessingResult: 'No records processed',
    State: 'Disabled',
    StateTransitionReason: 'User action',
  });
});

test('a Kafka cluster reads as a group of its own unless one is named', async () => {
  const made = await create({ SelfManagedEventSource: own, Topics: ['t'], StartingPosition: 'LATEST' });
  expect(made.SelfManagedKafkaEventSourceConfig).toEqual({ ConsumerGroupId: made.UUID });
  await expect(update(made.UUID, { SelfManagedKafkaEventSourceConfig: { ConsumerGroupId: 'x' } })).rejects.toThrow(
    'cannot be changed',
  );
});

test('update changes what it mentions; nothing of a thing takes it away', async () => {
  const filters = { FilterCriteria: { Filters: [{ Pattern: '{"body":["a"]}' }] } };
  const { UUID } = await create({ EventSourceArn: queue, BatchSize: 5, ...filters });
  api.nowMs += 1000;
  const changed = await update(UUID, { Enabled: false, FunctionResponseTypes: ['ReportBatchItemFailures'] });
  expect(changed).toMatchObject({ BatchSize: 5, ...filters, FunctionResponseTypes: ['ReportBatchItemFailures'] });
  expect(changed.LastModified).toEqual(new Date(api.nowMs));
  expect(await update(UUID, { FilterCriteria: {} })).not.toHaveProperty('FilterCriteria');
  expect(await update(UUID, {}, 'f', 'live')).toMatchObject({ FunctionArn: `${testArn('f')}:live`, BatchSize: 5 });
  await expect(update(UUID, { BatchSize: 11 })).rejects.toThrow('Maximum batch window');
});

test('delete answers what it was, and then there is none', async () => {
  const { UUID } = await create({ EventSourceArn: queue });
  const call = api.call({ UUID }, '');
  expect(await deleteMapping(call, api.deps)).toMatchObject({ UUID, State: 'Deleting', EventSourceArn: queue });
  await expect(deleteMapping(call, api.deps)).rejects.toThrow('The resource you requested does not exist.');
  await expect(get(UUID)).rejects.toThrow('does not exist');
  expect((await create({ EventSourceArn: queue })).UUID).not.toBe(UUID);
});

describe('how it is going', () => {
  const reported = (status: object) => {
    const spec = { functionName: 'f', eventSourceArn: queue };
    api.kubernetes.set('eventsourcemappings', 'default', 'by-hand', { spec, status });
  };
  const uuid = async () => (await stored())[0]?.metadata.uid;
  const status = {
    observedGeneration: 1,
    state: 'Enabled',
    stateTransitionReason: 'there is no queue q',
    lastProcessingResult: 'PROBLEM: there is no queue q',
  };

  test('is what the gateway that polls it has written', async () => {
    reported(status);
    expect(await get(await uuid())).toMatchObject({
      State: 'Enabled',
      StateTransitionReason: 'there is no queue q',
      LastProcessingResult: 'PROBLEM: there is no queue q',
    });
  });

  test.each<[reason: string, was: string, change: object, want: string]>([
    ['another batch size', 'Enabled', { BatchSize: 5 }, 'Updating'],
    ['off', 'Enabled', { Enabled: false }, 'Disabling'],
    ['on again before it was off', 'Disabling', { BatchSize: 5 }, 'Enabling'],
    ['another batch size while off', 'Disabled', { BatchSize: 5, Enabled: false }, 'Disabled'],
  ])('is, after a change that no gateway has looked at: %s', async (_reason, was, change, State) => {
    reported({ ...status, state: was });
    expect(await update(await uuid(), change)).toMatchObject({ State, StateTransitionReason: 'USER_INITIATED' });
  });

  test.each<[state: string, refused: readonly string[]]>([
    ['Creating', ['update']],
    ['Updating', ['delete']],
    ['Deleting', ['update']],
    ['Enabled', []],
    ['Disabled', []],
  ])('%s: what is refused is %j', async (state, refused) => {
    reported({ ...status, state });
    const UUID = await uuid();
    const outcome = (call: Promise<unknown>) => call.then(() => 'done').catch(({ code, message }) => [code, message]);
    const inUse = (call: string) =>
      refused.includes(call)
        ? [
            'ResourceInUseException',
            `Cannot ${call} the event source mapping because it is in use. It is ${state}: try again when that is over.`,
          ]
        : 'done';
    expect(await outcome(update(UUID, { BatchSize: 3 }))).toEqual(inUse('update'));
    reported({ ...status, state });
    expect(await outcome(deleteMapping(api.call({ UUID }, ''), api.deps))).toEqual(inUse('delete'));
  });
});

test('lists by function, qualifier and source, in pages', async () => {
  await create({ EventSourceArn: queue });
  await create({ EventSourceArn: queue }, 'f', 'live');
  await create({ EventSourceArn: queue }, 'g');
  await create({ EventSourceArn: stream, StartingPosition: 'LATEST' }, 'g');
  const arns = async (answer: ReturnType<typeof list>) =>
    (await answer).EventSourceMappings?.map(({ FunctionArn }) => FunctionArn).sort();
  expect(await arns(list({}, 'f'))).toEqual([testArn('f')]);
  expect(await arns(list({}, 'f', 'live'))).toEqual([`${testArn('f')}:live`]);
  expect(await arns(list({ EventSourceArn: queue }))).toHaveLength(3);
  expect(await arns(list({ EventSourceArn: stream }, 'f'))).toEqual([]);
  const first = await list({ MaxItems: 3 });
  const rest = await list({ MaxItems: 3, Marker: first.NextMarker });
  const uuids = [first, rest].flatMap(({ EventSourceMappings = [] }) => EventSourceMappings.map(({ UUID }) => UUID));
  expect(new Set(uuids).size).toBe(4);
  expect(rest.NextMarker).toBeUndefined();
});

test('a schedule is no mapping of Lambda', async () => {
  const spec = { functionName: 'f', schedule: { expression: 'rate(5 minutes)' } };
  api.kubernetes.set('eventsourcemappings', 'default', 'nightly', { spec });
  expect((await list()).EventSourceMappings).toEqual([]);
  await expect(get((await stored())[0]?.metadata.uid)).rejects.toThrow('does not exist');
});

test('tags are added, listed and removed by the mapping’s ARN', async () => {
  const { UUID, EventSourceMappingArn: Resource } = await create({ EventSourceArn: queue, Tags: { a: '1', b: '2' } });
  await tagResource(api.call({ Resource, Tags: { b: '3', c: '4' } }, ''), api.deps);
  await untagResource(api.call({ Resource, TagKeys: ['a', 'x'] }, ''), api.deps);
  expect(await listTags(api.call({ Resource }, ''), api.deps)).toEqual({ Tags: { b: '3', c: '4' } });
  await expect(tagResource(api.call({ Resource, Tags: { 'aws:x': '' } }, ''), api.deps)).rejects.toThrow(
    'aws: prefixed',
  );
  await deleteMapping(api.call({ UUID }, ''), api.deps);
  await expect(listTags(api.call({ Resource }, ''), api.deps)).rejects.toThrow('does not exist');
});

describe('one of a kind', () => {
  test('the same source for the same function is refused with the UUID of what is there', async () => {
    const { UUID } = await create({ EventSourceArn: queue });
    await expect(create({ EventSourceArn: queue })).rejects.toThrow(
      `An event source mapping with SQS arn (" ${queue} ") and function (" f ") already exists. Please update or delete the existing mapping with UUID ${UUID}`,
    );
  });

  test('also when kubectl named it otherwise, and when an update would make it so', async () => {
    const spec = { functionName: 'f', eventSourceArn: queue };
    api.kubernetes.set('eventsourcemappings', 'default', 'by-hand', { spec });
    await expect(create({ EventSourceArn: queue })).rejects.toMatchObject({ code: 'ResourceConflictException' });
    const { UUID } = await create({ EventSourceArn: queue }, 'g');
    await expect(update(UUID, {}, 'f')).rejects.toMatchObject({ code: 'ResourceConflictException' });
  });

  test('two gateways at once make one', async () => {
    const answers = await Promise.allSettled([create({ EventSourceArn: queue }), create({ EventSourceArn: queue })]);
    expect(answers.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(await stored()).toHaveLength(1);
  });

  test('one that was given to another function leaves its place', async () => {
    const { UUID } = await create({ EventSourceArn: queue });
    await update(UUID, {}, 'g');
    await create({ EventSourceArn: queue });
    expect(await stored()).toHaveLength(2);
  });

  test('topics of one cluster are told apart', async () => {
    const kafka = { SelfManagedEventSource: own, StartingPosition: 'LATEST' };
    await create({ ...kafka, Topics: ['a'] });
    await create({ ...kafka, Topics: ['b'] });
    await expect(create({ ...kafka, Topics: ['a'] })).rejects.toThrow('topics ("a") already exists');
  });
});
