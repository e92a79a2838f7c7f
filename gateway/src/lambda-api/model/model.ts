import { readFileSync } from 'node:fs';

import type { ExceptionName, OperationName } from '../generated/names.ts';
import { compilePattern } from './pattern.ts';
import type { Member, Shape, StringShape, StructureShape } from './shapes.ts';
import type { ExceptionRow, MemberRow, ModelTable, OperationRow, ShapeRow } from './table.ts';

export type { ExceptionName, OperationName } from '../generated/names.ts';

/** The Lambda API as the program uses it: the generated table with its references followed. */
export interface Model {
  readonly operations: ReadonlyMap<OperationName, Operation>;
  readonly exceptions: ReadonlyMap<ExceptionName, ExceptionRow>;
}

/** One operation of the API. */
export interface Operation {
  readonly name: OperationName;
  readonly method: string;
  /** Path template, see `OperationRow.path`. */
  readonly path: string;
  /** HTTP status of success, unless the output has a status member. */
  readonly status: number;
  readonly input: StructureShape;
  /** Null where the answer has no body. */
  readonly output: StructureShape | null;
  /** Exceptions that it declares. Errors of authentication and validation come on top, undeclared. */
  readonly errors: readonly ExceptionName[];
}

/** The generated table is part of this program, so that its form needs no check beyond the tests'. */
function parseModel(text: string): Model {
  const table = JSON.parse(text) as ModelTable;
  const shapes = new Shapes(table.shapes);
  const operations = Object.entries(table.operations).map(([key, row]) => {
    const name = key as OperationName;
    return [name, linkOperation(name, row, shapes)] as const;
  });
  const exceptions = Object.entries(table.exceptions).map(([key, row]) => [key as ExceptionName, row] as const);
  return { operations: new Map(operations), exceptions: new Map(exceptions) };
}

function linkOperation(name: OperationName, row: OperationRow, shapes: Shapes): Operation {
  return {
    name,
    method: row.method,
    path: row.path,
    status: row.status,
    input: shapes.structure(row.input),
    output: row.output === undefined ? null : shapes.structure(row.output),
    errors: row.errors as readonly ExceptionName[],
  };
}

/** Follows the names of shapes, each once. The model has no shape that contains itself. */
class Shapes {
  readonly #rows: ModelTable['shapes'];
  readonly #made = new Map<string, Shape>();

  constructor(rows: ModelTable['shapes']) {
    this.#rows = rows;
  }

  structure(name: string): StructureShape {
    const shape = this.#get(name);
    if (shape.kind !== 'structure') throw new Error(`${name} is a ${shape.kind}, not a structure`);
    return shape;
  }

  #get(name = ''): Shape {
    const made = this.#made.get(name) ?? this.#make(name, this.#rows[name]);
    this.#made.set(name, made);
    return made;
  }

  #make(name: string, row: ShapeRow | undefined): Shape {
    if (row === undefined) throw new Error(`the model has no shape ${name}`);
    const common = { name, isSensitive: row.sensitive === true, ...boundsOf(row) };
    const { type } = row;
    if (type === 'structure') return { ...common, kind: type, ...this.#members(row) };
    if (type === 'list') return { ...common, kind: type, member: this.#get(row.member) };
    if (type === 'map') return { ...common, kind: type, key: this.#get(row.key), value: this.#get(row.value) };
    if (type === 'string') return { ...common, kind: type, ...stringChecks(row) };
    return { ...common, kind: type };
  }

  #members(row: ShapeRow): Pick<StructureShape, 'members' | 'payload' | 'isEventStream'> {
    const entries = Object.entries(row.members ?? {});
    const members = entries.map(([name, member]) => this.#member(name, member, row.required?.includes(name) === true));
    const payload = members.find(({ name }) => name === row.payload) ?? null;
    return { members, payload, isEventStream: row.eventstream === true };
  }

  #member(name: string, row: MemberRow, isRequired: boolean): Member {
    const label = name.charAt(0).toLowerCase() + name.slice(1);
    if (typeof row === 'string')
      return { name, label, isRequired, shape: this.#get(row), location: 'body', wireName: name };
    const wireName = row.in === 'header' ? (row.name ?? name).toLowerCase() : (row.name ?? name);
    return { name, label, isRequired, shape: this.#get(row.shape), location: row.in, wireName };
  }
}

/** Bits of AWS's whole numbers, without the sign. */
const widths: ReadonlyMap<ShapeRow['type'], number> = new Map([
  ['integer', 31],
  ['long', 63],
]);

/** What fits into a number, where the model has no narrower bound. */
function boundsOf({ type, min, max }: ShapeRow): Pick<Shape, 'min' | 'max'> {
  const bits = widths.get(type);
  return bits === undefined ? { min, max } : { min: min ?? -(2 ** bits), max: max ?? 2 ** bits - 1 };
}

function stringChecks(row: ShapeRow): Pick<StringShape, 'pattern' | 'values'> {
  const { pattern: source } = row;
  return {
    pattern: source === undefined ? null : { source, regExp: compilePattern(source) },
    values: row.enum === undefined ? null : new Set(row.enum),
  };
}

/** The one model of this program. */
export const lambdaModel: Model = parseModel(
  readFileSync(new URL('../generated/lambda-model.json', import.meta.url), 'utf8'),
);

/** @throws Error for a name that the model does not have (a bug: names are typed) */
export function operationNamed(name: OperationName): Operation {
  const operation = lambdaModel.operations.get(name);
  if (operation === undefined) throw new Error(`the model has no operation ${name}`);
  return operation;
}
