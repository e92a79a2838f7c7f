import type { Reply } from '../testing.ts';
import { lambdaModel, type Operation } from './model/model.ts';
import type { Shape, StructureShape } from './model/shapes.ts';
import type { ExceptionRow } from './model/table.ts';
import type { WireRequest } from './testing-requests.ts';

/** Errors of every operation: of authentication, of the form of requests, and of what this install has not. */
const common: Readonly<Record<string, ExceptionRow>> = {
  ValidationException: { status: 400, message: 'message', sender: true },
  SerializationException: { status: 400, message: 'message', sender: true },
  AccessDeniedException: { status: 403, message: 'Message', sender: true },
  RequestEntityTooLargeException: { status: 413, message: 'message', sender: true },
};
/** Of those operations alone that are not supported, or not in the way that was asked for. */
const notImplemented: ExceptionRow = { status: 501, message: 'message', sender: true };

/** What a reply is judged by. */
export interface Asked {
  readonly request: WireRequest;
  /** Which operation the request line means; null = none. */
  readonly operation: Operation | null;
  /** Whether this install has it. */
  readonly isSupported: boolean;
  /** Whether the operation checks its input by the model, in the model's words. */
  readonly followsModel: boolean;
}

/** What is wrong with a reply; null = it is what the model says. */
export function problemOf(asked: Asked, reply: Reply): string | null {
  const { headers, status } = reply;
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(String(headers['x-amzn-requestid']))) return 'no request id';
  if (status >= 200 && status < 300) return successProblem(asked, reply);
  return errorProblem(asked, reply) ?? verdictProblem(asked, reply);
}

function errorProblem(
  { request, operation, isSupported, followsModel }: Asked,
  { status, headers, body }: Reply,
): string | null {
  const code = String(headers['x-amzn-errortype']);
  const row = rowOf(code, operation, isSupported && followsModel);
  if (row === null) return `${code} is not an error of ${operation?.name ?? 'no operation'}`;
  if (code === 'ServiceException') return 'a fault of the platform';
  if (status !== row.status) return `${code} has status ${status}, not ${row.status}`;
  if (request.method === 'HEAD') return null;
  const error = parsed(body);
  if (error === null || headers['content-type'] !== 'application/json') return 'an error without a JSON body';
  const { [row.message]: message, Type: type, ...more } = error;
  if (typeof message !== 'string' || message === '') return `${code} has no ${row.message}`;
  if (type !== 'User' && type !== 'Service') return `its Type is ${type}`;
  const unknown = Object.keys(more).filter((name) => row.more?.[name] !== null);
  return unknown.length === 0 ? null : `${code} has ${unknown.join(', ')}`;
}

/** What the model forgets: a name that is no function's. */
const undeclared: Readonly<Record<string, readonly string[]>> = { InvokeAsync: ['InvalidParameterValueException'] };

function rowOf(code: string, operation: Operation | null, isWhole: boolean): ExceptionRow | null {
  if (code === 'NotImplementedException') return isWhole ? null : notImplemented;
  const declared: readonly string[] = [...(operation?.errors ?? []), ...(undeclared[operation?.name ?? ''] ?? [])];
  const rows: ReadonlyMap<string, ExceptionRow> = lambdaModel.exceptions;
  return common[code] ?? (declared.includes(code) ? (rows.get(code) ?? null) : null);
}

/** A request that the model refuses is refused with that error, one that it accepts is not refused as unreadable. */
function verdictProblem({ request: { verdict }, isSupported, followsModel }: Asked, { headers }: Reply): string | null {
  const code = headers['x-amzn-errortype'];
  if (!isSupported) return code === 'NotImplementedException' || verdict === null ? null : `not supported, and ${code}`;
  if (verdict === null || !followsModel) return null;
  if (verdict !== 'accepted') return code === verdict ? null : `${code} instead of ${verdict}`;
  return code === 'SerializationException' ? `${code}, and the model accepts it` : null;
}

function successProblem(
  { request, operation, isSupported, followsModel }: Asked,
  { status, headers, body }: Reply,
): string | null {
  if (operation === null || !isSupported) return `${status} of what is not there`;
  if (followsModel && request.verdict !== null && request.verdict !== 'accepted')
    return `${status} instead of ${request.verdict}`;
  const { output } = operation;
  const saysStatus = output?.members.some(({ location }) => location === 'statusCode') === true;
  if (!saysStatus && status !== operation.status) return `status ${status}, not ${operation.status}`;
  if (status === 204 || output === null || request.method === 'HEAD')
    return body.length === 0 ? null : 'a body where there is none';
  if (output.payload?.shape.kind === 'blob' || output.payload?.shape.kind === 'structure') return null;
  const made = parsed(body);
  if (made === null || headers['content-type'] !== 'application/json') return 'no JSON';
  return shapeProblem(output, made, operation.name);
}

function parsed(body: Buffer): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(body.toString());
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : null;
  } catch {
    return null;
  }
}

/** Whether a value of an answer has the model's type all the way down. Answers have no bounds. */
function shapeProblem(shape: Shape, value: unknown, path: string): string | null {
  switch (shape.kind) {
    case 'structure':
      return structureProblem(shape, value, path);
    case 'list':
      if (!Array.isArray(value)) return `${path} is no list`;
      return firstProblem(value.map((entry, at) => shapeProblem(shape.member, entry, `${path}[${at}]`)));
    case 'map':
      if (typeof value !== 'object' || value === null) return `${path} is no map`;
      return firstProblem(
        Object.entries(value).map(([key, entry]) => shapeProblem(shape.value, entry, `${path}.${key}`)),
      );
    case 'integer':
    case 'long':
      return Number.isInteger(value) ? null : `${path} is no whole number`;
    case 'double':
    case 'timestamp':
      return typeof value === 'number' ? null : `${path} is no number`;
    case 'blob':
      return typeof value === 'string' ? null : `${path} is no text`;
    default:
      return typeof value === shape.kind ? null : `${path} is no ${shape.kind}`;
  }
}

function structureProblem({ members }: StructureShape, value: unknown, path: string): string | null {
  if (typeof value !== 'object' || value === null) return `${path} is no object`;
  const known = new Map(members.map((member) => [member.wireName, member.shape]));
  return firstProblem(
    Object.entries(value).map(([name, entry]) => {
      const shape = known.get(name);
      return shape === undefined ? `${path} has ${name}` : shapeProblem(shape, entry, `${path}.${name}`);
    }),
  );
}

function firstProblem(problems: readonly (string | null)[]): string | null {
  return problems.find((problem) => problem !== null) ?? null;
}
