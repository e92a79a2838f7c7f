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

/** Where a table stands in the document. */
export interface Marks {
  readonly begin: string;
  readonly end: string;
}

/** Of the figures of one machine. */
export const localMarks: Marks = {
  begin: '<!-- measured: written by make bench -->',
  end: '<!-- end of measured -->',
};
/** Of the figures of a real cluster. */
export const clusterMarks: Marks = {
  begin: '<!-- measured on a cluster: written by make bench-cluster -->',
  end: '<!-- end of measured on a cluster -->',
};

/** The document with one measured part replaced; what people wrote around it stays. @throws Error when its marks are missing */
export function renderReport(document: string, rows: readonly Row[], run: Run, { begin, end } = localMarks): string {
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
