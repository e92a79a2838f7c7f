import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { parseRuntimes } from './runtimes.ts';

test('the table of the runtime images is read', () => {
  const table = readFileSync(new URL('../../runtime-images/runtimes.yaml', import.meta.url), 'utf8');
  const runtimes = parseRuntimes(table);
  expect(runtimes.get('nodejs24.x')).toMatchObject({ executionEnvironment: 'AWS_Lambda_nodejs24.x' });
  expect(runtimes.get('python3.11')?.freshProcess).toContain('PYTHON*');
});

test.each([
  ['no list', 'runtimes: 3', 'no list'],
  ['a missing image is named', 'runtimes: [{id: a, executionEnvironment: b}]', 'entry 0: image'],
  ['an entry that is a text', 'runtimes: [a]', 'entry 0 is not a map'],
])('refused: %s', (_reason, yaml, message) => {
  expect(() => parseRuntimes(yaml)).toThrow(message);
});
