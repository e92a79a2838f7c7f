import { afterEach, expect, test } from '@jest/globals';
import { type TestFunction, TestPod } from './testing.ts';

const pods: TestPod[] = [];
afterEach(async () => {
  await Promise.all(pods.splice(0).map((pod) => pod.stop()));
});

async function answerOf(fn: TestFunction): Promise<unknown> {
  const pod = await TestPod.start('nodejs24.x');
  pods.push(pod);
  await pod.claim(fn);
  return JSON.parse((await pod.invoke('{}')).text);
}

const layers = [
  {
    'nodejs/node_modules/shared/index.js': 'module.exports = { from: "first", own: require("own") };',
    'nodejs/node_modules/own/index.js': 'module.exports = "own of first";',
    'nodejs/node_modules/both/index.js': 'module.exports = "first";',
  },
  {
    'nodejs/node_modules/both/index.js': 'module.exports = "second";',
    'nodejs/node24/node_modules/newest/package.json': '{ "type": "module", "exports": "./main.mjs" }',
    'nodejs/node24/node_modules/newest/main.mjs': 'export default "for Node 24";',
    'bin/greet': '#!/bin/sh\necho hello from a layer\n',
  },
];
const want = { shared: { from: 'first', own: 'own of first' }, both: 'second', newest: 'for Node 24' };

test.each<[reason: string, environment: Record<string, string>]>([
  ['the waiting process', {}],
  ['a fresh process', { NODE_OPTIONS: '--no-deprecation' }],
])('packages of layers are imported and required, later layers first: %s', async (_reason, environment) => {
  const imported = `import shared from 'shared'; import both from 'both'; import newest from 'newest';
    export const handler = async () => ({ shared, both, newest });`;
  const fn = { files: { 'index.mjs': imported }, handler: 'index.handler', layers, environment };
  expect(await answerOf(fn)).toEqual(want);
  const required = `const shared = require('shared'), both = require('both'), newest = require('newest').default;
    exports.handler = async () => ({ shared, both, newest });`;
  expect(await answerOf({ ...fn, files: { 'index.js': required } })).toEqual(want);
});

test('what the function has itself goes first, and what nobody has is named as ever', async () => {
  const files = {
    'index.mjs': `import both from 'both';
      export const handler = async () => [both, await import('nobody').catch((error) => error.code + ' ' + error.message)];`,
    'node_modules/both/index.js': 'module.exports = "of the function";',
  };
  const [both, error] = (await answerOf({ files, handler: 'index.handler', layers })) as string[];
  expect(both).toBe('of the function');
  expect(error).toMatch(/^ERR_MODULE_NOT_FOUND Cannot find package 'nobody' imported from .*\/task\/index\.mjs$/);
});

test('programs of layers are on PATH', async () => {
  const code = `import { execFileSync } from 'node:child_process';
    export const handler = async () => execFileSync('sh', ['-c', '. greet'], { encoding: 'utf8' });`;
  const answer = await answerOf({ files: { 'index.mjs': code }, handler: 'index.handler', layers });
  expect(answer).toBe('hello from a layer\n');
});
