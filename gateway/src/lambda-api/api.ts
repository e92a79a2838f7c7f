import type { IncomingMessage } from 'node:http';
import { codeRequestMaxBytes } from '@kappa/crds/limits';

import type { Authenticator, Principal } from '../auth/authenticator.ts';
import { type Authorizer, accountsOnly } from '../auth/authorizer.ts';
import { headOf } from '../auth/canonical-request.ts';
import { ownAccountOf } from '../auth/principal.ts';
import { LambdaError } from '../errors.ts';
import type { Answer } from '../http/answer.ts';
import { type Body, readBody } from '../http/body.ts';
import type { BufferBudget } from '../http/buffer-budget.ts';
import type { ApiDeps, NamedFunction } from './call.ts';
import { unknownOperation } from './errors.ts';
import { parseMappingArn } from './event-source-mappings/arn.ts';
import { joinQualifiers, readFunctionName, requireRegion } from './function-name.ts';
import { requireAccount, requireRights } from './may-call.ts';
import { type Input, parseInput } from './model/input.ts';
import type { OperationName } from './model/model.ts';
import { renderOutput } from './model/output.ts';
import { matchOperation, type OperationMatch } from './model/router.ts';
import { type OperationEntry, operations } from './operations.ts';
import { Turns } from './turns.ts';

/** What the API is made with. */
export interface LambdaApiDeps extends ApiDeps {
  readonly authenticator: Authenticator;
  /** Default: accounts alone say what callers may do. */
  readonly authorizer?: Authorizer;
  readonly budget: BufferBudget;
}

/** One request of the Lambda API. @throws LambdaError, CallerGone */
export type LambdaApi = (req: IncomingMessage, requestId: string) => Promise<Answer>;

/**
 * The Lambda API but for Invoke: request line → operation → who → input → may it → handler → answer. What the caller may not do,
 * or what this install cannot do, is refused before anything is looked up for it.
 */
export function makeLambdaApi(deps: LambdaApiDeps): LambdaApi {
  const turns = new Turns();
  return async (req, requestId) => {
    const match = matchOperation(req.method ?? '', req.url ?? ''); //     1. what?  403
    if (match === null) throw unknownOperation();
    const { input, principal, action, handler, release } = await readRequest(req, match, deps, turns); // 2. who? 403, 400, 413, 501
    try {
      const subject = subjectOf(input, principal, deps); //               3. may it? 403, 404
      const operation = { name: match.operation.name, action };
      await requireAccount({ principal, ...subject }, operation, deps.directory);
      const namespace = await namespaceOf(subject, deps);
      const call = { input, principal, ...subject, namespace, requestId, origin: originOf(req) };
      await requireRights(call, operation, deps.authorizer ?? accountsOnly, deps);
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

/**
 * Reads and checks a request. A function of its own, so that the body in base64 is let go before the handler runs: what the handler holds
 * of it, decoded, is smaller, and stays on the budget. Large ones take turns: while it is decoded, a body needs four times its size.
 */
async function readRequest(
  req: IncomingMessage,
  match: OperationMatch,
  deps: LambdaApiDeps,
  turns: Turns,
): Promise<ReadRequest> {
  const { name } = match.operation;
  const claim = deps.authenticator.begin(headOf(req));
  const { bytes, release: giveBack } = await readOperationBody(req, name, deps, (piece) => claim.push(piece));
  let endTurn = (): void => undefined;
  const release = (): void => {
    giveBack();
    endTurn();
  };
  try {
    const principal = claim.confirm(); // nothing was done for the caller before
    const { action, handler } = supportedEntry(name);
    if (bytes.length > LARGE_BYTES) endTurn = await turns.take();
    return { input: parseInput(match, { headers: req.headers, body: bytes }), principal, action, handler, release };
  } catch (err) {
    release();
    throw err;
  }
}

/** Operations that bring code in base64. */
const withCode: ReadonlySet<OperationName> = new Set(['CreateFunction', 'UpdateFunctionCode', 'PublishLayerVersion']);
/** Far above all that the model lets other requests have (a policy of 20 KB, an environment of 4 KB). */
const OTHER_MAX_BYTES = 262_144;
/** Decoding takes more memory than the body itself: the rest of it is what one turn needs. */
const CODE_WEIGHT = 1.5;
/** Larger bodies take turns. */
const LARGE_BYTES = 1024 * 1024;

function readOperationBody(
  req: IncomingMessage,
  name: OperationMatch['operation']['name'],
  { budget }: LambdaApiDeps,
  onPiece: (piece: Buffer) => void,
): Promise<Body> {
  const bounds = withCode.has(name)
    ? { limitBytes: codeRequestMaxBytes, weight: CODE_WEIGHT }
    : { limitBytes: OTHER_MAX_BYTES };
  const tooLarge = () =>
    new LambdaError(
      'RequestEntityTooLargeException',
      `Request must be smaller than ${bounds.limitBytes} bytes for the ${name} operation`,
      { status: 413, fault: 'caller' },
    );
  return readBody(req, { ...bounds, budget, tooLarge, onPiece });
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

/** How the caller reaches this gateway. A wrong header gives only its sender a wrong link. */
function originOf({ headers }: IncomingMessage): string {
  const scheme = headers['x-forwarded-proto'] === 'https' ? 'https' : 'http';
  return `${scheme}://${headers.host ?? 'localhost'}`;
}
