import { expect, test } from '@jest/globals';
import { celEnvironment } from './cel-library.ts';
import { hasFormat } from './formats.ts';

const environment = celEnvironment();

test.each<[expression: string, want: unknown]>([
  ["isURL('https://a.b/c')", true],
  ["isURL('/only/a/path')", true],
  ["isURL('no url')", false],
  ["url('https://u:p@a.b:81/c%20d?x=1&x=2').getScheme()", 'https'],
  ["url('https://a.b:81/c').getHost()", 'a.b:81'],
  ["url('https://[::1]:81/c').getHostname()", '::1'],
  ["url('https://a.b:81/c').getPort()", '81'],
  ["url('https://a.b/c%20d').getEscapedPath()", '/c%20d'],
  ["url('https://a.b/?x=1&x=2').getQuery()['x'].size()", 2n],
  ["'abc 123 45'.find('[0-9]+')", '123'],
  ["'abc'.find('[0-9]+')", ''],
  ["'1 22 333'.findAll('[0-9]+').size()", 3n],
  ["'1 22 333'.findAll('[0-9]+', 2).size()", 2n],
  ["'a-b-c'.replace('-', '+')", 'a+b+c'],
  ["'a-b-c'.replace('-', '+', 1)", 'a+b-c'],
  ["'abc'.charAt(1)", 'b'],
  ["'abc'.reverse()", 'cba'],
  ["'%s has %d of %f'.format(['x', 2, 1.5])", 'x has 2 of 1.500000'],
  ["'100%%'.format([])", '100%'],
  ['[3, 1, 2].min()', 1n],
  ['[3, 1, 2].max()', 3n],
  ['[3, 1, 2].sum()', 6n],
  ['[1.5, 1.0].sum()', 2.5],
  ['[1, 2, 2].isSorted()', true],
  ["['b', 'a'].isSorted()", false],
  ["['a', 'b', 'a'].indexOf('a')", 0n],
  ["['a', 'b', 'a'].lastIndexOf('a')", 2n],
])('%s', (expression, want) => {
  expect(environment.evaluate(expression, {})).toEqual(want);
});

test.each(["url('no url')", '[].min()', "'%x'.format([1])", "'%s'.format([])"])('%s is an error', (expression) => {
  expect(() => environment.evaluate(expression, {})).toThrow();
});

test.each<[format: string, good: string, bad: string]>([
  ['date-time', '2026-01-02T03:04:05.678Z', '2026-01-02'],
  ['date', '2026-01-02', '2026-13-02'],
  ['duration', '1h30m', 'soon'],
  ['uri', 'https://a.b', 'no uri'],
  ['email', 'a@b.example', 'a'],
  ['hostname', 'a.example', 'a_b!'],
  ['ipv4', '192.0.2.1', '::1'],
  ['ipv6', '::1', '192.0.2.1'],
  ['cidr', '192.0.2.0/24', '192.0.2.0/33'],
  ['mac', '00:00:5e:00:53:01', '00:00'],
  ['uuid', '123e4567-e89b-42d3-a456-426614174000', '123'],
  ['byte', 'aGk=', 'a$'],
])('format %s', (format, good, bad) => {
  expect(hasFormat(format, good)).toBe(true);
  expect(hasFormat(format, bad)).toBe(false);
});

test('a format that the server does not check takes anything', () => {
  expect(hasFormat('int-or-whatever', '?')).toBe(true);
});
