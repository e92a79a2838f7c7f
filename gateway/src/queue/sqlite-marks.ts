import type { MarkChange } from './schedule-marks.ts';
import type { SqliteFile } from './sqlite-file.ts';

/** What stands there, within a transaction; what has no mark is left out. */
export function readMarks(file: SqliteFile, ids: readonly string[]): ReadonlyMap<string, string> {
  const found = ids.map((id) => [id, file.get('SELECT text FROM marks WHERE id = ?', id)?.['text']] as const);
  return new Map(found.flatMap(([id, text]) => (text === undefined ? [] : [[id, String(text)]])));
}

/** Moves a mark, within a transaction; false = something else stands there. */
export function moveMark(file: SqliteFile, { id, before, after }: MarkChange): boolean {
  if (before === undefined) return file.run('INSERT OR IGNORE INTO marks VALUES (?, ?)', id, after) > 0;
  return file.run('UPDATE marks SET text = ? WHERE id = ? AND text = ?', after, id, before) > 0;
}
