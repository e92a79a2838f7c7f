import { cases } from './cases.ts';
import { columns } from './columns.ts';

/** The table case × runtime of docs/runtimes.md. Every cell is a test that cases.test.ts runs. */
export function matrix(): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [
    line(['', ...columns.map(({ title }) => title)]),
    line(['---', ...columns.map(() => '---')]),
    ...cases.map(({ title, cell }) => line([title, ...columns.map((column) => cell?.(column) ?? 'yes')])),
  ].join('\n');
}
