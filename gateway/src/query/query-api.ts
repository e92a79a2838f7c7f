import type { IncomingMessage } from 'node:http';

import type { Authenticator, Claim } from '../auth/authenticator.ts';
import { headOf, rawQueryOf } from '../auth/canonical-request.ts';
import type { Principal } from '../auth/principal.ts';
import { invalid, missingToken } from '../auth/sigv4-error.ts';
import { LambdaError } from '../errors.ts';
import { type Answer, CallerGone } from '../http/answer.ts';
import { readBody } from '../http/body.ts';
import type { BufferBudget } from '../http/buffer-budget.ts';
import { toLambdaError } from '../lambda-api/errors.ts';
import { Parameters } from './parameters.ts';
import { queryError, renderQueryError, xmlHeaders } from './query-error.ts';
import { element, type XmlValue } from './xml.ts';

/** One request whose sender is known. */
export interface QueryCall {
  readonly parameters: Parameters;
  readonly principal: Principal;
}

/** What becomes of an action. */
export interface QueryOperation {
  /** Null = the answer has no result. @throws LambdaError with a code of the query protocol */
  readonly run: (call: QueryCall) => Promise<{ readonly [name: string]: XmlValue } | null>;
  /** Its parameters say who calls: it is not signed. */
  readonly isUnsigned?: boolean;
}

/** A service of the query protocol. */
export interface QueryService {
  /** In credential scopes and host names. */
  readonly name: string;
  /** The API version that its clients send. */
  readonly version: string;
  /** Of its XML. */
  readonly namespace: string;
  readonly operations: ReadonlyMap<string, QueryOperation>;
}

/** What {@link makeQueryApi} works with. */
export interface QueryApiDeps {
  readonly services: readonly QueryService[];
  readonly authenticator: Authenticator;
  /** Whether callers have to sign. */
  readonly asksWho: boolean;
  readonly budget: BufferBudget;
  /** Hears of requests that were refused or failed. */
  readonly onRefused: (err: unknown, requestId: string) => void;
}

/** Answers any request of the query protocol, errors included. @throws CallerGone */
export type QueryApi = (req: IncomingMessage, requestId: string) => Promise<Answer>;

const MAX_BYTES = 262_144;
const anonymous: Claim = {
  declaredSha256: null,
  push: () => undefined,
  confirm: () => ({ accessKeyId: null, accounts: [] }),
};

/**
 * AWS's query protocol, of STS and IAM: a form goes in, XML comes out. Whose request it is, is known before anything is done for it; which of the
 * services is meant, the credential scope says, else the host, else the API version.
 */
export function makeQueryApi(deps: QueryApiDeps): QueryApi {
  const [fallback] = deps.services;
  return async (req, requestId) => {
    let service = fallback;
    try {
      const signedFor = scopeOf(req);
      const isSigned = signedFor !== null || !deps.asksWho;
      const claim = isSigned ? deps.authenticator.begin(headOf(req)) : anonymous;
      const form = await readForm(req, deps.budget, claim);
      const principal = claim.confirm(); // nothing was done for the caller before
      const parameters = new Parameters(rawQueryOf(req.url ?? ''), form);
      service = serviceOf(req, parameters, signedFor, deps.services);
      const action = parameters.required('Action', /^\w{1,128}$/);
      const operation = operationOf(service, action, parameters);
      if (!isSigned && operation.isUnsigned !== true) throw missingToken();
      return render(service, action, await operation.run({ parameters, principal }), requestId);
    } catch (err) {
      if (err instanceof CallerGone) throw err;
      deps.onRefused(err, requestId);
      return renderQueryError(toLambdaError(err), service?.namespace ?? '', requestId);
    }
  };
}

/** The service that the signature names; empty when there is a signature that names none; null = there is no signature. */
function scopeOf({ headers, url = '' }: IncomingMessage): string | null {
  const { authorization } = headers;
  if (authorization === undefined && !/[?&]X-Amz-(?:Signature|Algorithm|Credential)=/i.test(url)) return null;
  const [, name = ''] = /(?:\/|%2F)(\w+)(?:\/|%2F)aws4_request/i.exec(authorization ?? url) ?? [];
  return name;
}

async function readForm(req: IncomingMessage, budget: BufferBudget, claim: Claim): Promise<string> {
  const tooLarge = () =>
    new LambdaError('RequestEntityTooLarge', `Request must be smaller than ${MAX_BYTES} bytes`, {
      status: 413,
      fault: 'caller',
    });
  const onPiece = (piece: Buffer): void => claim.push(piece);
  const { bytes, release } = await readBody(req, { limitBytes: MAX_BYTES, budget, tooLarge, onPiece });
  try {
    return bytes.toString();
  } finally {
    release();
  }
}

/** @throws LambdaError InvalidAction; SignatureDoesNotMatch when the signature is for another service */
function serviceOf(
  { headers: { host = '' } }: IncomingMessage,
  parameters: Parameters,
  signedFor: string | null,
  services: readonly QueryService[],
): QueryService {
  const version = parameters.text('Version');
  const label = host.split('.', 1)[0];
  const named =
    services.find(({ name }) => name === signedFor) ??
    services.find(({ name }) => name === label) ??
    services.find((each) => each.version === version);
  if (named === undefined || (version !== null && named.version !== version)) {
    const meant = services.find((each) => each.version === version);
    if (named !== undefined && meant !== undefined && signedFor === named.name)
      throw invalid(`Credential should be scoped to correct service: '${meant.name}'.`);
    throw queryError('InvalidAction', `Could not find operation ${parameters.text('Action')} for version ${version}`);
  }
  return named;
}

function operationOf(service: QueryService, action: string, parameters: Parameters): QueryOperation {
  const operation = service.operations.get(action);
  if (operation !== undefined) return operation;
  const version = parameters.text('Version') ?? 'NO_VERSION_SPECIFIED';
  throw queryError('InvalidAction', `Could not find operation ${action} for version ${version}`);
}

function render(
  service: QueryService,
  action: string,
  result: { readonly [name: string]: XmlValue } | null,
  requestId: string,
): Answer {
  const parts = {
    ...(result !== null && { [`${action}Result`]: result }),
    ResponseMetadata: { RequestId: requestId },
  };
  const body = element(`${action}Response`, parts, service.namespace);
  return { status: 200, headers: xmlHeaders(requestId), body };
}
