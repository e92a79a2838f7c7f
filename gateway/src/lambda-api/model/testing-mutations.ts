import type { Shape, StructureShape } from './shapes.ts';

/** A source of decisions, from 0 to below `choices`. */
export type Decide = (choices: number) => number;

/** Members as they travel in a request: JSON values in the body, text in path, query and headers. */
export type Raw = Record<string, unknown>;

/** The SDK's values as they travel. */
export function rawOf(shape: StructureShape, input: Readonly<Record<string, unknown>>): Raw {
  const members = shape.members.filter(({ name }) => input[name] !== undefined);
  return Object.fromEntries(
    members.map(({ name, location, shape: type }) => {
      const value = input[name];
      if (location === 'body')
        return [name, type === shape.payload?.shape && type.kind === 'blob' ? value : jsonOf(type, value)];
      if (Array.isArray(value)) return [name, value];
      return [name, value instanceof Date ? value.toISOString() : String(value)];
    }),
  );
}

function jsonOf(shape: Shape, value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (value instanceof Date) return value.getTime() / 1000;
  if (shape.kind === 'list') return (value as readonly unknown[]).map((entry) => jsonOf(shape.member, entry));
  if (shape.kind === 'structure') return rawOf(shape, value as Raw);
  return value;
}

/** The same request with one thing changed, so that it is probably wrong, or just at a bound. */
export function mutate(shape: StructureShape, raw: Raw, decide: Decide): Raw {
  const member = shape.members[decide(shape.members.length)];
  if (member === undefined) return raw;
  const { name, location, shape: type } = member;
  if (location !== 'body') return { ...raw, [name]: textMutation(type, raw[name], decide, location === 'uri') };
  if (member === shape.payload && type.kind === 'blob') return raw;
  return { ...raw, [name]: jsonMutation(type, raw[name], decide) };
}

function textMutation(shape: Shape, value: unknown, decide: Decide, isLabel: boolean): unknown {
  const texts = candidates(shape, value).filter((entry) => typeof entry === 'string' || typeof entry === 'number');
  const chosen = texts[decide(texts.length)];
  if (isLabel && (chosen === '' || chosen === undefined)) return value; // then it is another path
  return shape.kind === 'list' ? [...((value ?? []) as readonly string[]), String(chosen)] : String(chosen);
}

function jsonMutation(shape: Shape, value: unknown, decide: Decide): unknown {
  if (typeof value === 'object' && value !== null && decide(3) > 0) {
    if (shape.kind === 'structure') return mutate(shape, value as Raw, decide);
    if (shape.kind === 'list' && Array.isArray(value) && value.length > 0) {
      return value.with(decide(value.length), jsonMutation(shape.member, value[0], decide));
    }
    if (shape.kind === 'map') return mapMutation(shape.key, shape.value, value as Raw, decide);
  }
  const all = candidates(shape, value);
  return all[decide(all.length)];
}

function mapMutation(key: Shape, entry: Shape, map: Raw, decide: Decide): Raw {
  const [name = 'team', value = 'x'] = Object.entries(map)[0] ?? [];
  const keys = [...candidates(key, name).filter((text) => typeof text === 'string'), '__proto__'];
  if (decide(2) === 0) return Object.fromEntries([...Object.entries(map), [keys[decide(keys.length)] ?? '', value]]);
  return { ...map, [name]: jsonMutation(entry, value, decide) };
}

/** Wrong types and values around the bounds. */
function candidates(shape: Shape, value: unknown): readonly unknown[] {
  return [null, 5, 1.5, 'x', '', true, [], {}, [null], { a: null }, 'true', undefined, ...atBounds(shape, value)];
}

const longest = 21_000;

function atBounds(shape: Shape, value: unknown): readonly unknown[] {
  const bounds = [shape.min, shape.max].filter((bound) => bound !== undefined);
  const around = bounds.flatMap((bound) => [bound - 1, bound, bound + 1]);
  const lengths = around.filter((length) => length >= 0 && length <= longest);
  switch (shape.kind) {
    case 'integer':
    case 'long':
    case 'double':
      return [...around, -1, 0, 2 ** 31, 1e300, `${around[0] ?? 7}`];
    case 'string':
      return ['a', '1', '\u{1F600}', '$LATEST', 'a\nb']
        .flatMap((text) => [text, ...lengths.map((n) => text.repeat(n))])
        .concat(`${value}\n`, 'x86_64');
    case 'list':
      return Array.isArray(value) ? lengths.map((length) => Array(length).fill(value[0] ?? 'x')) : [];
    case 'blob':
      return ['QUJD', 'QUI=', 'QQ==', 'QQ', 'A', '*', 'Q-_='];
    case 'timestamp':
      return [0, -1, 0.5, 1e300, '2026-11-22T00:00:00Z', 'now'];
    default:
      return [];
  }
}
