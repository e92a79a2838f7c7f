import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from '@jest/globals';

/**
 * A mark is made by `[✓][sqs-order]` in a cell and a line at the end of the page, with the title of the test:
 * `[sqs-order]: ../gateway/src/event-sources/sqs/poll.test.ts "keeps the order of a group"`.
 */
const docs = join(import.meta.dirname, '../../../docs');
const page = readFileSync(join(docs, 'event-sources.md'), 'utf8');

/** Lines of the first table, without its head. */
const [head = [], , ...rows] = page
  .slice(page.indexOf('| feature |'), page.indexOf('\n## Filters'))
  .split('\n')
  .filter((line) => line.startsWith('|'))
  .map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
/** `[name]: path "title"`, of reference links. */
const tests = new Map(
  [...page.matchAll(/^\[([a-z0-9-]+)\]: (\S+) "(.+)"$/gm)].map(([, name = '', path = '', title = '']) => [
    name,
    { path, title },
  ]),
);
const marks = rows.flatMap(([feature = '', ...cells]) =>
  cells.map((cell, at) => ({ place: `${feature}, ${head[at + 1]}`, cell })),
);
const used = marks.flatMap(({ place, cell }) =>
  [...cell.matchAll(/\[✓\]\[([a-z0-9-]+)\]/g)].map(([, name = '']) => ({ place, name })),
);

/** The file and what it imports from beside it: tables of cases may stand there. */
function textOf(file: string): string {
  const text = readFileSync(file, 'utf8');
  const imported = [...text.matchAll(/from '(\.[^']+\.ts)'/g)].map(([, path = '']) => join(dirname(file), path));
  return [text, ...imported.filter((path) => existsSync(path)).map((path) => readFileSync(path, 'utf8'))].join('\n');
}

test('the matrix has a column for each source and a cell for each of its features', () => {
  expect(head).toEqual(['feature', 'SQS', 'Kinesis', 'DynamoDB Streams', 'Kafka', 'RabbitMQ', 'Redis Streams']);
  expect(rows.length).toBeGreaterThan(15);
  for (const row of rows) expect(row).toHaveLength(head.length);
});

test('each cell is marks that lead to tests, `no`, or `–`', () => {
  const others = marks.filter(({ cell }) => !/^(no|–|(\[✓\]\[[a-z0-9-]+\] ?)+)$/.test(cell));
  expect(others).toEqual([]);
});

test('each mark names a test that exists', () => {
  const wrong = used.filter(({ name }) => {
    const { path, title } = tests.get(name) ?? { path: '', title: '' };
    const file = join(docs, path);
    return title === '' || !file.endsWith('.test.ts') || !existsSync(file) || !textOf(file).includes(title);
  });
  expect(wrong).toEqual([]);
});

test('no test is named that no mark needs', () => {
  const names = used.map(({ name }) => name);
  expect([...tests.keys()].filter((name) => !names.includes(name))).toEqual([]);
});
