import { expect, test } from '@jest/globals';
import { clusterMarks, localMarks, renderReport } from './report.ts';

const run = { date: '2026-01-02', commit: 'abc', machine: '2 × x', rounds: 5, loadBefore: '0 0 0', loadAfter: '1 1 1' };
const row = { figure: 'f', measured: '1', floor: '2', target: '3', isMet: false };

test('only the measured part is replaced', () => {
  const document = '# mine\n<!-- measured: written by make bench -->\nold\n<!-- end of measured -->\nalso mine\n';
  const report = renderReport(document, [row], run);
  expect(report).toMatch(
    /^# mine\n[\s\S]*\| f \| 1 \| 2 \| 3 \| \*\*no\*\* \|\n<!-- end of measured -->\nalso mine\n$/,
  );
  expect(report).not.toContain('old');
});

test('a document without marks is left alone', () => {
  expect(() => renderReport('# mine', [row], run)).toThrow('needs the lines');
});

test('each table leaves the other one alone', () => {
  const both = `${localMarks.begin}\nlocal\n${localMarks.end}\n${clusterMarks.begin}\ncluster\n${clusterMarks.end}\n`;
  const report = renderReport(both, [row], run, clusterMarks);
  expect(report).toContain('\nlocal\n');
  expect(report).not.toContain('\ncluster\n');
  expect(renderReport(both, [row], run)).toContain('\ncluster\n');
});
