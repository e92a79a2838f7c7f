/**
 * Writes `generated/lambda-model.json` (what router, input, output and errors work from) and `generated/names.ts` (the
 * names as types) from AWS's service model. Run by `make generate`: `node gateway/src/lambda-api/model/generate.ts`; the
 * same wheel always gives the same bytes. Only facts are kept: names, types, bounds, patterns, enums, routes, statuses.
 */
import { writeFileSync } from 'node:fs';
import { readServiceModel, type ServiceMember, type ServiceModel, type ServiceShape, source } from './botocore.ts';
import type { ExceptionRow, MemberRow, OperationRow } from './table.ts';

const generated = new URL('../generated/', import.meta.url);
const note = `Generated from ${source} by gateway/src/lambda-api/model/generate.ts. Do not edit: run make generate.`;

const model = readServiceModel();
writeFileSync(new URL('lambda-model.json', generated), tableOf(model));
writeFileSync(new URL('names.ts', generated), namesOf(model));

/** One operation, shape or exception a line, so that a newer model shows as a readable diff. */
function tableOf({ operations, shapes }: ServiceModel): string {
  const requests = reachable(
    shapes,
    Object.values(operations).map((operation) => operation.input.shape),
  );
  const answers = reachable(
    shapes,
    Object.values(operations).flatMap(({ output }) => output?.shape ?? []),
  );
  const used = sorted(shapes).filter(([name]) => requests.has(name) || answers.has(name));
  const exceptions = sorted(shapes).filter(([, shape]) => shape.exception);
  const sections = {
    operations: sorted(operations).map(([name, operation]) => [name, operationRow(operation)]),
    shapes: used.map(([name, shape]) => [name, shapeRow(shape, requests.has(name))]),
    exceptions: exceptions.map(([name, shape]) => [name, exceptionRow(shape)]),
  };
  const texts = Object.entries(sections).map(([section, rows]) => {
    const lines = rows.map(([name, row]) => `${JSON.stringify(name)}:${JSON.stringify(row)}`);
    return `${JSON.stringify(section)}:{\n${lines.join(',\n')}\n}`;
  });
  return `{"$comment":${JSON.stringify(note)},\n${texts.join(',\n')}}\n`;
}

function namesOf({ operations, shapes }: ServiceModel): string {
  const exceptions = Object.keys(shapes).filter((name) => shapes[name]?.exception);
  const union = (names: readonly string[]): string =>
    names
      .toSorted()
      .map((name) => `\n  | '${name}'`)
      .join('');
  return [
    `// ${note}`,
    '',
    '/** The operations of the Lambda API. */',
    `export type OperationName =${union(Object.keys(operations))};`,
    '',
    '/** The exceptions that the Lambda API declares. */',
    `export type ExceptionName =${union(exceptions)};`,
    '',
  ].join('\n');
}

function operationRow({ http, input, output, errors }: ServiceModel['operations'][string]): OperationRow {
  return {
    method: http.method,
    path: http.requestUri,
    status: http.responseCode,
    input: input.shape,
    ...(output === undefined ? {} : { output: output.shape }),
    errors: errors.map((error) => error.shape).toSorted(),
  };
}

/** What is undefined falls out when it is written. */
function shapeRow(shape: ServiceShape, isRequest: boolean): object {
  const { type, min, max, pattern, required, sensitive, payload, eventstream, member, key, value } = shape;
  return {
    type,
    ...(isRequest ? { min, max, pattern, enum: shape.enum, required, sensitive } : {}),
    ...{ payload, eventstream, member: member?.shape, key: key?.shape, value: value?.shape },
    members: shape.members && memberRows(shape.members),
  };
}

function memberRows(members: Readonly<Record<string, ServiceMember>>): Readonly<Record<string, MemberRow>> {
  return Object.fromEntries(Object.entries(members).map(([name, member]) => [name, memberRow(name, member)]));
}

function memberRow(name: string, { shape, location, locationName = name }: ServiceMember): MemberRow {
  if (location !== undefined) return { shape, in: location, ...(locationName === name ? {} : { name: locationName }) };
  if (locationName !== name)
    throw new Error(`${name} is ${locationName} in the body: the table has no column for that`);
  return shape;
}

function exceptionRow({ members = {}, error }: ServiceShape): ExceptionRow {
  const rest = Object.entries(members).filter(([name]) => !['Type', 'message', 'Message'].includes(name));
  const more = rest.map(([name, member]) => [
    name,
    member.location === 'header' ? (member.locationName ?? name) : null,
  ]);
  return {
    status: error?.httpStatusCode ?? 500,
    message: 'message' in members ? 'message' : 'Message',
    sender: error?.senderFault === true,
    ...(more.length === 0 ? {} : { more: Object.fromEntries(more) }),
  };
}

function reachable(shapes: ServiceModel['shapes'], roots: readonly string[]): ReadonlySet<string> {
  const seen = new Set<string>();
  const visit = (name: string | undefined): void => {
    if (name === undefined || seen.has(name)) return;
    seen.add(name);
    const shape = shapes[name];
    for (const part of [shape?.member, shape?.key, shape?.value, ...Object.values(shape?.members ?? {})])
      visit(part?.shape);
  };
  roots.forEach(visit);
  return seen;
}

function sorted<Row>(rows: Readonly<Record<string, Row>>): [name: string, row: Row][] {
  return Object.entries(rows).toSorted(([a], [b]) => (a < b ? -1 : 1));
}
