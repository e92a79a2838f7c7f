import type { IncomingMessage } from 'node:http';
import type { Authenticator, Claim, Principal } from '../auth/authenticator.ts';
import { type Authorizer, accountsOnly } from '../auth/authorizer.ts';
import { headOf } from '../auth/canonical-request.ts';
import { ownAccountOf } from '../auth/principal.ts';
import { LambdaError } from '../errors.ts';
import type { Answer } from '../http/answer.ts';
import { readBody } from '../http/body.ts';
import type { BufferBudget } from '../http/buffer-budget.ts';
import type { ApiDeps, NamedFunction } from './call.ts';
import { codeRequestBytes } from './code-limits.ts';
import { unknownOperation } from './errors.ts';
import { parseMappingArn } from './event-source-mappings/arn.ts';
import { joinQualifiers, readFunctionName, requireRegion } from './function-name.ts';
import { requireAccount, requireRights } from './may-call.ts';
import { type Input, parseInput } from './model/input.ts';
import type { OperationName } from './model/model.ts';
import { renderOutput } from './model/output.ts';
import { matchOperation, type OperationMatch } from './model/router.ts';
import { type OperationEntry, operations } from './operations.ts';
import { readUpload, type UploadRequest } from './uploads/read-upload.ts';

/** What the API is made with. */
export interface LambdaApiDeps extends ApiDeps {
  readonly authenticator: Authenticator;
  /** Default: accounts alone say what callers may do. */
  readonly authorizer?: Authorizer;
  readonly budget: BufferBudget;
  /** Makes the namespace that callers write to, where there may be none yet. @throws LambdaError */
  readonly makeNamespace?: () => Promise<void>;
}

/** Operations that write where nothing need be yet. */
const firstWrites: ReadonlySet<OperationName> = new Set<OperationName>(['CreateFunction', 'PublishLayerVersion']);

/** One request of the Lambda API. @throws LambdaError, CallerGone */
export type LambdaApi = (req: IncomingMessage, requestId: string) => Promise<Answer>;

/**
 * The Lambda API but for Invoke: request line → operation → who → input → may it → handler → answer. What the caller may not do,
 * or what this install cannot do, is refused before anything is looked up for it.
 */
export function makeLambdaApi(deps: LambdaApiDeps): LambdaApi {
  return async (req, requestId) => {
    const match = matchOperation(req.method ?? '', req.url ?? ''); //     1. what?  403
    if (match === null) throw unknownOperation();
    const { input, principal, action, handler, release } = await readRequest(req, match, deps); // 2. who? 403, 400, 413, 501
    try {
      const subject = subjectOf(input, principal, deps); //               3. may it? 403, 404
      const operation = { name: match.operation.name, action };
      await requireAccount({ principal, ...subject }, operation, deps.directory);
      const namespace = await namespaceOf(subject, deps);
      const call = { input, principal, ...subject, namespace, requestId, origin: originOf(req), trace: traceOf(req) };
      await requireRights(call, operation, deps.authorizer ?? accountsOnly, deps);
      if (firstWrites.has(operation.name)) await deps.makeNamespace?.();
      return renderOutput(match.operation, await handler(call, deps), requestId);
    } finally {
      release();
    }
  };
}

/** A request whose sender is known and whose input is checked. */
interface ReadRequest extends Pick<SupportedEntry, 'action' | 'handler'> {
  readonly input: Input;
  readonly principal: Principal;
  /** Gives the body's bytes back to the budget, once. */
  readonly release: () => void;
}

/** Reads and checks a request. */
async function readRequest(req: IncomingMessage, match: OperationMatch, deps: LambdaApiDeps): Promise<ReadRequest> {
  const { name } = match.operation;
  const codePath = codePaths[name];
  const claim = deps.authenticator.begin(headOf(req));
  const read = codePath === undefined ? readPlain(req, claim, name, deps) : readCode(req, claim, codePath, name, deps);
  const { principal, bytes, zip, release } = await read;
  try {
    const { action, handler } = supportedEntry(name);
    const input = parseInput(match, { headers: req.headers, body: bytes });
    const whole = zip === null || codePath === undefined ? input : withMember(input, codePath, zip);
    return { input: whole, principal, action, handler, release };
  } catch (err) {
    release();
    throw err;
  }
}

/** Operations that bring code in base64, and where it is in their bodies. */
const codePaths: Readonly<Partial<Record<OperationName, readonly string[]>>> = {
  CreateFunction: ['Code', 'ZipFile'],
  UpdateFunctionCode: ['ZipFile'],
  PublishLayerVersion: ['Content', 'ZipFile'],
};
/** Far above all that the model lets requests have beside code (a policy of 20 KB, an environment of 4 KB). */
const MAX_BYTES = 262_144;

async function readPlain(
  req: IncomingMessage,
  claim: Claim,
  name: OperationName,
  { budget }: LambdaApiDeps,
): Promise<UploadRequest> {
  const tooLarge = () => bodyTooLarge(name, MAX_BYTES);
  const onPiece = (piece: Buffer): void => claim.push(piece);
  const { bytes, release } = await readBody(req, { limitBytes: MAX_BYTES, budget, tooLarge, onPiece });
  try {
    return { principal: claim.confirm(), bytes, zip: null, release }; // nothing was done for the caller before
  } catch (err) {
    release();
    throw err;
  }
}

function readCode(
  req: IncomingMessage,
  claim: Claim,
  path: readonly string[],
  name: OperationName,
  { budget, uploads, codeLimits }: LambdaApiDeps,
): Promise<UploadRequest> {
  const limitBytes = codeRequestBytes(codeLimits.zippedBytes);
  const tooLarge = () => bodyTooLarge(name, limitBytes);
  return readUpload(req, claim, { path, limitBytes, maxRestBytes: MAX_BYTES, budget, uploads, tooLarge });
}

function bodyTooLarge(name: OperationName, limitBytes: number): LambdaError {
  const message = `Request must be smaller than ${limitBytes} bytes for the ${name} operation`;
  return new LambdaError('RequestEntityTooLargeException', message, { status: 413, fault: 'caller' });
}

/** The same input with a value below these members. */
function withMember(input: Input, [name = '', ...below]: readonly string[], value: unknown): Input {
  return { ...input, [name]: below.length === 0 ? value : withMember(Object(input[name]), below, value) };
}

type SupportedEntry = Exclude<OperationEntry, { status: 'unsupported' }>;

function supportedEntry(name: OperationName): SupportedEntry {
  const entry = operations[name];
  if (entry.status !== 'unsupported') return entry;
  throw new LambdaError('NotImplementedException', `${name} is not supported: ${entry.reason}`, {
    status: 501,
    fault: 'caller',
  });
}

/** Whose function a call is about. */
interface Subject {
  readonly accountId: string;
  readonly fn: NamedFunction;
}

/** From FunctionName and Qualifier, or from the ARN in Resource or ResourceArn; an operation about no function is about the caller's account. */
function subjectOf(input: Input, principal: Principal, { region, arnOf }: LambdaApiDeps): Subject {
  const own = ownAccountOf(principal);
  const { FunctionName, Qualifier, Resource, ResourceArn } = input;
  const text = FunctionName ?? Resource ?? ResourceArn;
  if (typeof text !== 'string') return { accountId: own, fn: { name: '', qualifier: null, arn: arnOf(own, '*') } };
  const mapping = text === Resource ? parseMappingArn(text) : null; // only tags are set by its ARN
  if (mapping !== null) {
    requireRegion(mapping, region);
    return { accountId: mapping.accountId, fn: { name: '', qualifier: null, arn: text } };
  }
  const reference = readFunctionName(text);
  requireRegion(reference, region);
  const qualifier = joinQualifiers(reference, typeof Qualifier === 'string' ? Qualifier : null);
  const { name, accountId = own } = reference;
  return { accountId, fn: { name, qualifier, arn: arnOf(accountId, name) } };
}

async function namespaceOf({ accountId, fn }: Subject, { directory }: LambdaApiDeps): Promise<string> {
  const namespace = await directory.namespaceOf(accountId);
  if (namespace !== undefined) return namespace;
  throw new LambdaError('ResourceNotFoundException', `No namespace of this install is the account of ${fn.arn}`, {
    status: 404,
    fault: 'caller',
  });
}

function traceOf({ headers }: IncomingMessage): string | string[] | undefined {
  return headers['x-amzn-trace-id'];
}

/** How the caller reaches this gateway. A wrong header gives only its sender a wrong link. */
function originOf({ headers }: IncomingMessage): string {
  const scheme = headers['x-forwarded-proto'] === 'https' ? 'https' : 'http';
  return `${scheme}://${headers.host ?? 'localhost'}`;
}
