import type { Row } from './figure.ts';

/** When, where and on what a table was measured. */
export interface Run {
  readonly date: string;
  readonly commit: string;
  readonly machine: string;
  readonly rounds: number;
  /** 1, 5 and 15 minute load averages. */
  readonly loadBefore: string;
  readonly loadAfter: string;
}

const begin = '<!-- measured: written by make bench -->';
const end = '<!-- end of measured -->';

/** The document with its measured part replaced; what people wrote around it stays. @throws Error when the marks are missing */
export function renderReport(document: string, rows: readonly Row[], run: Run): string {
  const [from, to] = [document.indexOf(begin), document.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`docs/benchmarks.md needs the lines "${begin}" and "${end}"`);
  return document.slice(0, from + begin.length) + renderTable(rows, run) + document.slice(to);
}

function renderTable(rows: readonly Row[], { date, commit, machine, rounds, loadBefore, loadAfter }: Run): string {
  const lines = rows.map(
    ({ figure, measured, floor, target, isMet }) =>
      `| ${figure} | ${measured} | ${floor} | ${target} | ${isMet ? 'yes' : '**no**'} |`,
  );
  return `
${date}, commit ${commit}, ${machine}, ${rounds} interleaved rounds, load average before ${loadBefore}, after ${loadAfter}. Numbers are median (lowest–highest round).

| figure | measured | floor, same run | target | met |
| --- | --- | --- | --- | --- |
${lines.join('\n')}
`;
}
