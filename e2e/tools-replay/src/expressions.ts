import { createHash } from 'node:crypto';
import type { Value, Values } from './steps.ts';

/** Where names come from. */
export interface Scope {
  /** The value of a name; undefined = there is none. */
  readonly look: (name: string) => Value;
  /** Bytes of the files that configurations name. */
  readonly files: Readonly<Record<string, Buffer>>;
}

/** An input with its expressions replaced; what is null, or was left with nothing, is left out. */
export function inputOf(tree: Value, scope: Scope): Value {
  if (typeof tree === 'string') return textValue(tree, scope) ?? undefined;
  if (Array.isArray(tree)) return tree.map((entry) => inputOf(entry, scope));
  if (!isObject(tree)) return tree ?? undefined;
  const entries = Object.entries(tree).map(([name, entry]) => [name, inputOf(entry, scope)] as const);
  const left = entries.filter(([, value]) => value !== undefined);
  return left.length === 0 && entries.length > 0 ? undefined : Object.fromEntries(left);
}

/** `$name…` is looked up; `text|filter` is a text of its own; all else is itself. */
function textValue(text: string, scope: Scope): Value {
  if (text.startsWith('$')) {
    const [path = ''] = text.slice(1).split(/[|]| \?\? /);
    const found = scope.look(path);
    return evaluate(`it${text.slice(1 + path.length)}`, { it: found }, scope);
  }
  const [, plain, filter] = /^([\w-]+)\|(\w+)$/.exec(text) ?? [];
  return plain === undefined ? text : applyFilter(filter ?? '', plain, scope);
}

/** What stands at a path of an answer: `A.B[0]|json|.C ?? default`. */
export function evaluate(expression: string, answer: Value, scope: Scope): Value {
  const [whole = '', otherwise] = expression.split(' ?? ');
  const [first = '', ...rest] = whole.split('|');
  const found = rest.reduce<Value>(
    (value, part) => (part.startsWith('.') ? walk(part, value, scope) : applyFilter(part, value, scope)),
    walk(first, answer, scope),
  );
  return found ?? (otherwise === undefined ? undefined : JSON.parse(otherwise));
}

function walk(path: string, from: Value, scope: Scope): Value {
  const tokens = [...path.matchAll(/([^.[\]]+)|\[([^\]]*)\]/g)];
  return follow(
    from,
    tokens.map(([, name, index]) => ({ name, index })),
    scope,
  );
}

type Token = { readonly name: string | undefined; readonly index: string | undefined };

function follow(value: Value, [token, ...rest]: readonly Token[], scope: Scope): Value {
  if (token === undefined) return value;
  if (token.name !== undefined) return isObject(value) ? follow(value[token.name], rest, scope) : undefined;
  if (!Array.isArray(value)) return undefined;
  const { index = '' } = token;
  if (index === '*') return value.map((entry) => follow(entry, rest, scope));
  const [key = '', wanted] = index.split('=');
  if (wanted === undefined) return follow(value.at(Number(index)), rest, scope);
  const is = String(textValue(wanted, scope));
  return follow(
    value.find((entry) => isObject(entry) && String(entry[key]) === is),
    rest,
    scope,
  );
}

type Filter = (value: Value, scope: Scope) => Value;

const filters: Readonly<Record<string, Filter>> = {
  json: (value) => JSON.parse(String(value)),
  url: (value) => decodeURIComponent(String(value)),
  text: (value) => JSON.stringify(value),
  bytes: (name, scope) => fileOf(name, scope),
  sha256: (name, scope) => createHash('sha256').update(fileOf(name, scope)).digest('base64'),
  keyed: (list) => Object.fromEntries(listOf(list).map(({ Key, Value: value }) => [String(Key), value])),
  pairs: (map) => Object.entries(isObject(map) ? map : {}).map(([Key, value]) => ({ Key, Value: value })),
  filters: (list) => (listOf(list).length === 0 ? {} : { Filters: list }),
  // what says nothing, and what only answers have, is no difference
  withoutEmpty: (value) => {
    const { VpcId: _own, ...rest } = isObject(value) ? value : {};
    return Object.values(rest).every(isNothing) ? undefined : rest;
  },
};

function applyFilter(name: string, value: Value, scope: Scope): Value {
  const filter = filters[name];
  if (filter === undefined) throw new Error(`no filter ${name}`);
  return value === undefined || value === null ? undefined : filter(value, scope);
}

function fileOf(name: Value, { files }: Scope): Buffer {
  const bytes = files[String(name)];
  if (bytes === undefined) throw new Error(`no file ${name}`);
  return bytes;
}

function listOf(value: Value): readonly Values[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

/** Whether a value is something with names. */
export function isObject(value: Value): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !Buffer.isBuffer(value);
}

/** Terraform's nothing. */
export function isNothing(value: Value): boolean {
  if (value === undefined || value === null || value === '' || value === 0 || value === false) return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}
