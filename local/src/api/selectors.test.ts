import { expect, test } from '@jest/globals';
import { parseObject } from './object.ts';
import { parseFieldSelector, parseLabelSelector } from './selectors.ts';
import { codeOf, makeWorld } from './testing.ts';

const labelled = parseObject({
  apiVersion: 'v1',
  kind: 'X',
  metadata: { name: 'a', labels: { app: 'web', tier: 'front', n: '5' } },
});

test.each<[selector: string, want: boolean]>([
  ['app=web', true],
  ['app==web,tier=front', true],
  ['app = web , tier != back', true],
  ['app!=web', false],
  ['missing!=x', true],
  ['app in (web, api)', true],
  ['app in (api)', false],
  ['app notin (api,db)', true],
  ['missing notin (x)', true],
  ['app', true],
  ['!app', false],
  ['!missing,app in (web),tier', true],
  ['n>4', true],
  ['n<5', false],
  ['missing>1', false],
  ['app=', false],
  ['constructor', false],
  ['constructor!=x', true],
  ['', true],
])('label selector %s', (selector, want) => {
  expect(parseLabelSelector(selector)(labelled)).toBe(want);
});

test.each(['app in web', 'a b', '=x', 'n>x', 'app in (a'])('label selector %s is refused', (selector) => {
  expect(codeOf(() => parseLabelSelector(selector))).toBe(400);
});

const { type } = makeWorld().target('', 'pods', '');
const pod = parseObject({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', namespace: 'n' },
  spec: { nodeName: 'one' },
  status: { phase: 'Running' },
});

test.each<[selector: string, want: boolean]>([
  ['metadata.name=p', true],
  ['metadata.namespace==n,spec.nodeName=one', true],
  ['status.phase!=Running', false],
  ['status.phase!=Failed,spec.nodeName!=', true],
  ['spec.nodeName=', false],
])('field selector %s', (selector, want) => {
  expect(parseFieldSelector(selector, type)(pod)).toBe(want);
});

test.each(['spec.unknown=x', 'metadata.name', 'constructor=x'])('field selector %s is refused', (selector) => {
  expect(codeOf(() => parseFieldSelector(selector, type))).toBe(400);
});
