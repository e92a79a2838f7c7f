import { expect, test } from '@jest/globals';

import { TestApi, testArn } from '../testing-call.ts';
import {
  deleteFunctionCodeSigningConfig,
  getFunctionCodeSigningConfig,
  listCodeSigningConfigs,
  putFunctionCodeSigningConfig,
  refuseUnknownConfig,
} from './code-signing.ts';

const CodeSigningConfigArn = 'arn:aws:lambda:us-east-1:000000000000:code-signing-config:csc-0123456789abcdef0';
const named = { FunctionName: 'f' };

test('there are no configurations, and no function has one', async () => {
  const api = new TestApi();
  await api.function();
  expect(await listCodeSigningConfigs()).toEqual({ CodeSigningConfigs: [] });
  expect(await getFunctionCodeSigningConfig(api.call(named), api.deps)).toEqual({});
  expect(await deleteFunctionCodeSigningConfig(api.call(named), api.deps)).toEqual({});
  const put = putFunctionCodeSigningConfig(api.call({ ...named, CodeSigningConfigArn }));
  await expect(put).rejects.toMatchObject({ code: 'CodeSigningConfigNotFoundException', status: 404 });
  const get = refuseUnknownConfig(api.call({ CodeSigningConfigArn }));
  await expect(get).rejects.toMatchObject({ code: 'ResourceNotFoundException', status: 404 });
});

test('a function that is not there has no answer', async () => {
  const api = new TestApi();
  for (const ask of [getFunctionCodeSigningConfig, deleteFunctionCodeSigningConfig])
    await expect(ask(api.call(named, 'g'), api.deps)).rejects.toThrow(`Function not found: ${testArn('g')}`);
});
