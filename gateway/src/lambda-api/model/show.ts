import type { Shape } from './shapes.ts';

/** Longest value that is repeated in an error; what is longer is cut there. */
const shownMaxChars = 4096;

/**
 * A value as AWS's errors write it, which is Java's way: `[a, b]`, `{key=value}`, `Name(member=value)`, doubles with a point.
 */
export function showValue(value: unknown, shape: Shape): string {
  const text = show(value, shape);
  return text.length <= shownMaxChars ? text : text.slice(0, shownMaxChars);
}

function show(value: unknown, shape: Shape): string {
  if (value === null || value === undefined) return 'null';
  if (shape.isSensitive) return '***';
  switch (shape.kind) {
    case 'list':
      return `[${Array.isArray(value) ? value.map((entry) => show(entry, shape.member)).join(', ') : ''}]`;
    case 'map':
      return `{${Object.entries(Object(value))
        .map(([key, entry]) => `${key}=${show(entry, shape.value)}`)
        .join(', ')}}`;
    case 'structure': {
      const fields = new Map<string, unknown>(Object.entries(Object(value)));
      const members = shape.members.map(({ name, label, shape: type }) => `${label}=${show(fields.get(name), type)}`);
      return `${shape.name}(${members.join(', ')})`;
    }
    case 'integer':
    case 'long':
    case 'double':
      return showNumber(Number(value), shape.kind);
    case 'blob':
      return '***';
    default:
      return value instanceof Date ? value.toISOString() : String(value);
  }
}

/** `1.0` for a double 1. */
export function showNumber(value: number, kind: 'integer' | 'long' | 'double'): string {
  return kind === 'double' && Number.isInteger(value) ? value.toFixed(1) : String(value);
}
