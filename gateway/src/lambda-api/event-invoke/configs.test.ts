import { beforeEach, describe, expect, test } from '@jest/globals';
import { functions } from '@kappa/crds/client/kinds';

import { TestApi, testArn } from '../testing-call.ts';
import {
  deleteEventInvokeConfig,
  getEventInvokeConfig,
  listEventInvokeConfigs,
  putEventInvokeConfig,
  updateEventInvokeConfig,
} from './configs.ts';

const queue = 'arn:aws:sqs:us-east-1:000000000000:q';
const named = { FunctionName: 'f' };
let api: TestApi;
beforeEach(async () => {
  api = new TestApi();
  await api.function('f', {}, 1);
  api.alias('live', '1');
});

const put = (input: object, qualifier: string | null = null) =>
  putEventInvokeConfig(api.call({ ...named, ...input }, 'f', qualifier), api.deps);
const update = (input: object, qualifier: string | null = null) =>
  updateEventInvokeConfig(api.call({ ...named, ...input }, 'f', qualifier), api.deps);
const get = (qualifier: string | null = null) => getEventInvokeConfig(api.call(named, 'f', qualifier), api.deps);
const remove = (qualifier: string | null = null) => deleteEventInvokeConfig(api.call(named, 'f', qualifier), api.deps);
const stored = async () => (await api.kubernetes.get(functions, 'default', 'f')).spec.eventInvoke;

test('what is put is answered, and kept in the Function', async () => {
  const answer = {
    LastModified: new Date(api.nowMs),
    FunctionArn: `${testArn('f')}:$LATEST`,
    MaximumRetryAttempts: 0,
    DestinationConfig: { OnSuccess: {}, OnFailure: { Destination: queue } },
  };
  const input = { MaximumRetryAttempts: 0, DestinationConfig: { OnFailure: { Destination: queue } } };
  expect(await put(input)).toEqual(answer);
  expect(await get()).toEqual(answer);
  expect(await get('$LATEST')).toEqual(answer);
  expect(await stored()).toEqual([
    { qualifier: '$LATEST', maximumRetryAttempts: 0, onFailure: queue, lastModified: '2026-11-22T01:02:03.000Z' },
  ]);
});

test('put takes the place of all, update changes what it mentions', async () => {
  await put({ MaximumRetryAttempts: 1, MaximumEventAgeInSeconds: 60 }, 'live');
  expect(await update({ MaximumEventAgeInSeconds: 61 }, 'live')).toMatchObject({ MaximumRetryAttempts: 1 });
  await update({ DestinationConfig: { OnSuccess: { Destination: queue } } }, 'live');
  expect(await get('live')).toMatchObject({
    FunctionArn: `${testArn('f')}:live`,
    MaximumEventAgeInSeconds: 61,
    DestinationConfig: { OnSuccess: { Destination: queue }, OnFailure: {} },
  });
  expect(await update({ DestinationConfig: {} }, 'live')).toMatchObject({ DestinationConfig: { OnSuccess: {} } });
  expect(await put({ MaximumRetryAttempts: 2 }, 'live')).not.toHaveProperty('MaximumEventAgeInSeconds');
});

test('lists begin with $LATEST, then versions, then aliases, and go on where a page ended', async () => {
  for (const qualifier of ['live', '1', null]) await put({ MaximumRetryAttempts: 0 }, qualifier);
  const call = (input: object) => listEventInvokeConfigs(api.call({ ...named, ...input }), api.deps);
  const first = await call({ MaxItems: 2 });
  const rest = await call({ MaxItems: 2, Marker: first.NextMarker });
  const arns = [first, rest].map(({ FunctionEventInvokeConfigs = [] }) =>
    FunctionEventInvokeConfigs.map(({ FunctionArn = '' }) => FunctionArn.split(':').at(-1)),
  );
  expect(arns).toEqual([['$LATEST', '1'], ['live']]);
  expect(rest.NextMarker).toBeUndefined();
});

test('delete takes one away, and the field with the last one', async () => {
  await put({ MaximumRetryAttempts: 0 });
  await put({ MaximumRetryAttempts: 0 }, '1');
  await remove('1');
  expect(await stored()).toHaveLength(1);
  await remove();
  expect(await stored()).toBeUndefined();
});

describe('refusals', () => {
  const missing = (qualifier: string) => `The function ${testArn('f')}:${qualifier} doesn't have an EventInvokeConfig`;

  test.each<[reason: string, run: () => Promise<unknown>, text: string]>([
    ['nothing is said', () => put({}), 'You must specify at least one of error handling or destination setting.'],
    ['no such version', () => put({ MaximumRetryAttempts: 1 }, '9'), "The function doesn't exist."],
    ['update of none', () => update({ MaximumRetryAttempts: 1 }, 'live'), missing('live')],
    ['get of none', () => get('live'), missing('live')],
    ['delete of none', () => remove(), missing('$LATEST')],
    ['no such function', () => getEventInvokeConfig(api.call(named, 'g'), api.deps), "doesn't have"],
    ['a list of no function', () => listEventInvokeConfigs(api.call(named, 'g'), api.deps), "doesn't exist"],
  ])('%s', async (_reason, run, text) => {
    await expect(run()).rejects.toThrow(text);
  });

  test.each<[reason: string, config: object, text: string]>([
    [
      'a bucket for successes',
      { OnSuccess: { Destination: 'arn:aws:s3:::b' } },
      'DestinationConfig(onSuccess=OnSuccess(destination=arn:aws:s3:::b), onFailure=null) is invalid',
    ],
    [
      'another service',
      { OnFailure: { Destination: 'arn:aws:kinesis:us-east-1:000000000000:stream/s' } },
      'is invalid',
    ],
    ['a FIFO queue', { OnFailure: { Destination: `${queue}.fifo` } }, 'is invalid'],
    ['itself', { OnSuccess: { Destination: testArn('f') } }, "You can't specify the function as a destination"],
  ])('%s', async (_reason, DestinationConfig, text) => {
    await expect(put({ DestinationConfig })).rejects.toThrow(text);
  });

  test('a bucket for failures is fine', async () => {
    await put({ DestinationConfig: { OnFailure: { Destination: 'arn:aws:s3:::b' } } });
  });
});

test('what another writer sets meanwhile stays', async () => {
  let isFirst = true;
  api.kubernetes.beforeReplace = () => {
    if (!isFirst) return;
    isFirst = false;
    const eventInvoke = [{ qualifier: '1', maximumRetryAttempts: 2 }];
    api.kubernetes.set('functions', 'default', 'f', {
      spec: {
        runtime: 'nodejs24.x',
        handler: 'other.handler',
        code: { zip: { sha256: 'ab'.repeat(32) } },
        eventInvoke,
      },
    });
  };
  await put({ MaximumRetryAttempts: 0 });
  const { spec } = await api.kubernetes.get(functions, 'default', 'f');
  expect(spec.handler).toBe('other.handler');
  expect(spec.eventInvoke?.map(({ qualifier }) => qualifier)).toEqual(['1', '$LATEST']);
});
