/** Names of pino's levels that are worth a word; information is the usual case and gets none. */
const levels: ReadonlyMap<number, string> = new Map([
  [10, 'trace'],
  [20, 'debug'],
  [40, 'WARN'],
  [50, 'ERROR'],
  [60, 'FATAL'],
]);
/** Said once per line by the prefix, or of no use to a person at a terminal. */
const hidden = new Set(['level', 'time', 'pid', 'hostname', 'name', 'msg', 'v']);
const colours = [36, 35, 33, 32, 34];

/**
 * One line of a part's output as a person reads it: `12:34:56.789 WARN message key=value`. What is no JSON object of pino stays
 * as it is.
 */
export function renderLine(line: string): string {
  const entry = parseEntry(line);
  if (entry === null) return line;
  const level = levels.get(Number(entry['level']));
  const fields = Object.entries(entry)
    .filter(([name]) => !hidden.has(name))
    .map(([name, value]) => `${name}=${renderValue(value)}`);
  return [clockTime(entry['time']), level, entry['msg'], ...fields]
    .filter((word) => word !== undefined && word !== '')
    .join(' ');
}

/**
 * The words before each line: the part's name, padded, in its colour.
 *
 * @param isColoured only for a terminal
 */
export function prefixOf(name: string, index: number, isColoured: boolean): string {
  const text = `${name.padEnd(10)} | `;
  return isColoured ? `\u001b[${colours[index % colours.length]}m${text}\u001b[0m` : text;
}

function parseEntry(line: string): Readonly<Record<string, unknown>> | null {
  if (!line.startsWith('{')) return null;
  try {
    const parsed: unknown = JSON.parse(line);
    const isEntry = typeof parsed === 'object' && parsed !== null && 'level' in parsed && 'time' in parsed;
    return isEntry ? { ...parsed } : null;
  } catch {
    return null;
  }
}

function clockTime(value: unknown): string {
  const instant = new Date(typeof value === 'number' ? value : String(value));
  return Number.isNaN(instant.getTime()) ? '' : instant.toTimeString().slice(0, 8);
}

function renderValue(value: unknown): string {
  if (typeof value === 'string') return /^[^\s"]+$/.test(value) ? value : JSON.stringify(value);
  if (isError(value)) return value.stack ?? value.message;
  return JSON.stringify(value) ?? '';
}

function isError(value: unknown): value is { readonly message: string; readonly stack?: string } {
  return typeof value === 'object' && value !== null && 'message' in value && 'stack' in value;
}
