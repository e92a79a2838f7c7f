import { beforeEach, describe, expect, test } from '@jest/globals';
import { aliases, functions } from '@kappa/crds/client/kinds';

import { viewAlias, viewFunction } from '../../registry/views.ts';
import { TestApi, testArn } from '../testing-call.ts';
import {
  createFunctionUrlConfig,
  deleteFunctionUrlConfig,
  getFunctionUrlConfig,
  listFunctionUrlConfigs,
  updateFunctionUrlConfig,
} from './urls.ts';

const arn = testArn('f');
const publicUrl = 'https://kappa.example';
let api: TestApi;
beforeEach(async () => {
  api = new TestApi({ publicUrl });
  await api.function('f', {}, 1);
  api.alias('live', '1');
  api.alias('beta', '1');
});

const call = (input: object, qualifier: string | null = null, name = 'f') =>
  api.call({ FunctionName: name, AuthType: undefined, ...input } as never, name, qualifier);
const create = (input: object, qualifier: string | null = null, name = 'f') =>
  createFunctionUrlConfig(call({ AuthType: 'NONE', ...input }, qualifier, name), api.deps);
const get = (qualifier: string | null = null) => getFunctionUrlConfig(call({}, qualifier), api.deps);
const update = (input: object, qualifier: string | null = null) =>
  updateFunctionUrlConfig(call(input, qualifier), api.deps);
const remove = (qualifier: string | null = null) => deleteFunctionUrlConfig(call({}, qualifier), api.deps);
const storedUrl = async () => (await api.kubernetes.get(functions, 'default', 'f')).spec.http;
const refusal = async (doing: Promise<unknown>): Promise<string> =>
  doing.then(
    () => 'not refused',
    (err: unknown) => `${Object(err).code}: ${Object(err).message}`,
  );

/** The gateway sees what is stored now. */
async function see(): Promise<void> {
  const fn = viewFunction(await api.kubernetes.get(functions, 'default', 'f'));
  const views = (await api.kubernetes.list(aliases, { namespace: 'default' })).map(viewAlias);
  api.sights.set('default/f', { fn, aliases: views });
}

test('a URL of AuthType NONE asks nobody, and is open to nobody by itself', async () => {
  const made = await create({});
  expect(made).toEqual({
    FunctionUrl: 'https://kappa.example/fn/default/f/',
    FunctionArn: arn,
    AuthType: 'NONE',
    CreationTime: '2026-11-22T01:02:03.000Z',
    LastModifiedTime: '2026-11-22T01:02:03.000Z',
    InvokeMode: 'BUFFERED',
  });
  expect(await get()).toEqual(made);
  expect(await storedUrl()).toMatchObject({ auth: 'Policy', invokeMode: 'Buffered' });
});

test('a URL of an alias, signed, streaming, with CORS', async () => {
  const Cors = {
    AllowCredentials: true,
    AllowHeaders: ['x-a'],
    AllowMethods: ['GET', '*'],
    AllowOrigins: ['https://a.example'],
    ExposeHeaders: ['x-b'],
    MaxAge: 60,
  };
  const made = await create({ AuthType: 'AWS_IAM', InvokeMode: 'RESPONSE_STREAM', Cors }, 'live');
  expect(made).toMatchObject({
    FunctionUrl: 'https://kappa.example/fn/default/f:live/',
    FunctionArn: `${arn}:live`,
    AuthType: 'AWS_IAM',
    InvokeMode: 'RESPONSE_STREAM',
    Cors,
  });
  expect(await get('live')).toEqual(made);
  expect(await refusal(get())).toBe('ResourceNotFoundException: The resource you requested does not exist.');
});

test('an update changes what it mentions', async () => {
  await create({ Cors: { AllowOrigins: ['*'], MaxAge: 5 } });
  api.nowMs += 1000;
  const updated = await update({ AuthType: 'AWS_IAM' });
  expect(updated).toMatchObject({
    AuthType: 'AWS_IAM',
    Cors: { AllowOrigins: ['*'], MaxAge: 5 },
    CreationTime: '2026-11-22T01:02:03.000Z',
    LastModifiedTime: '2026-11-22T01:02:04.000Z',
  });
  expect(await update({ InvokeMode: 'RESPONSE_STREAM', Cors: { AllowMethods: ['PUT'] } })).toMatchObject({
    AuthType: 'AWS_IAM',
    InvokeMode: 'RESPONSE_STREAM',
    Cors: { AllowMethods: ['PUT'] },
  });
  expect(await update({ Cors: {} })).not.toHaveProperty('Cors');
  expect(await get()).toMatchObject({ InvokeMode: 'RESPONSE_STREAM' });
});

test('what kubectl made: as old as its function, and None stays what the manifest says', async () => {
  await api.function('f', { http: { auth: 'None' } });
  expect(await get()).toMatchObject({ AuthType: 'NONE', CreationTime: '2026-11-22T00:00:00.000Z' });
  await update({ AuthType: 'NONE', Cors: { MaxAge: 1 } });
  expect(await storedUrl()).toMatchObject({ auth: 'None' });
  await update({ AuthType: 'AWS_IAM' });
  await update({ AuthType: 'NONE' });
  expect(await storedUrl()).toMatchObject({ auth: 'Policy' });
});

test('a deleted URL is gone, and can be made again', async () => {
  await create({});
  await remove();
  expect(await storedUrl()).toBeUndefined();
  expect(await refusal(remove())).toBe('ResourceNotFoundException: The resource you requested does not exist.');
  expect(await refusal(update({}))).toMatch(/^ResourceNotFoundException/);
  expect(await create({})).toMatchObject({ AuthType: 'NONE' });
});

test('routes of the function are no URL, and stay whatever becomes of one', async () => {
  const routes = [{ path: '/pets' }];
  await api.function('f', { http: { routes } });
  expect(await refusal(get())).toMatch(/^ResourceNotFoundException/);
  expect(await refusal(remove())).toMatch(/^ResourceNotFoundException/);
  await create({ Cors: { MaxAge: 5 } });
  expect(await storedUrl()).toMatchObject({ auth: 'Policy', routes });
  await update({ AuthType: 'AWS_IAM' });
  expect(await storedUrl()).toMatchObject({ auth: 'AwsIam', routes });
  await remove();
  expect(await storedUrl()).toEqual({ invokeMode: 'Buffered', routes: [expect.objectContaining({ path: '/pets' })] });
  expect(await refusal(get())).toMatch(/^ResourceNotFoundException/);
});

describe('refusals', () => {
  test.each<[reason: string, qualifier: string | null]>([
    ['of a function', null],
    ['of an alias', 'live'],
  ])('a second URL %s', async (_reason, qualifier) => {
    await create({}, qualifier);
    expect(await refusal(create({}, qualifier))).toBe(
      `ResourceConflictException: Failed to create function url config for [functionArn = ${arn}${qualifier === null ? '' : ':live'}]. Error message:  FunctionUrlConfig exists for this Lambda function`,
    );
  });

  test.each<[reason: string, doing: () => Promise<unknown>]>([
    ['no such function', () => create({}, null, 'g')],
    ['no such alias', () => create({}, 'other')],
    ['no such alias to read', () => get('other')],
    ['no such alias to update', () => update({}, 'other')],
    ['no such alias to delete', () => remove('other')],
  ])('%s', async (_reason, doing) => {
    expect(await refusal(doing())).toBe('ResourceNotFoundException: Function does not exist');
  });
});

test('all URLs of a function, its own first, in pages', async () => {
  for (const qualifier of ['live', null, 'beta']) await create({}, qualifier);
  await see();
  const page = (input: object) => listFunctionUrlConfigs(call(input), api.deps);
  const { FunctionUrlConfigs, ...end } = await page({});
  expect(FunctionUrlConfigs?.map(({ FunctionArn }) => FunctionArn)).toEqual([arn, `${arn}:beta`, `${arn}:live`]);
  expect(end).toEqual({});
  const first = await page({ MaxItems: 1 });
  const rest = await page({ Marker: first.NextMarker });
  expect([...(first.FunctionUrlConfigs ?? []), ...(rest.FunctionUrlConfigs ?? [])]).toEqual(FunctionUrlConfigs);
});
