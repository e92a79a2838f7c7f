import { denied } from '../auth/authorizer.ts';
import { arnOfPolicies, arnOfPrincipal, ownAccountOf, type Principal } from '../auth/principal.ts';
import { instantText } from '../iam/iam-call.ts';
import { type Role, uniqueId } from '../iam/role.ts';
import { parseRoleArn } from '../iam/role-name.ts';
import type { Roles } from '../iam/roles.ts';
import { trusts } from '../iam/trust.ts';
import type { QueryCall, QueryOperation, QueryService } from '../query/query-api.ts';
import { parameterError, queryError } from '../query/query-error.ts';
import type { XmlValue } from '../query/xml.ts';
import type { FunctionOwner, FunctionTokens } from './function-tokens.ts';
import type { IssuedCredentials, SessionKeys } from './session-keys.ts';
import { type TokenOwner, webIdentityAudience } from './web-identity.ts';

/** What STS works with. */
export interface StsDeps {
  readonly roles: Roles;
  readonly sessions: Pick<SessionKeys, 'issueFor' | 'issueForRole'>;
  /** Whose token it is; null = nobody's that is meant for this install. @throws LambdaError while nobody can be asked */
  readonly ownerOf: (token: string) => Promise<TokenOwner | null>;
  readonly functionTokens: Pick<FunctionTokens, 'ownerOf'>;
  /** Whether a function's role must be there; false where nobody is asked who he is. */
  readonly needsRoles: boolean;
}

/** What a session needs of its role. */
type SessionRole = Pick<Role, 'name' | 'namespace' | 'objectName' | 'uid' | 'id' | 'maxSessionSeconds'>;
type Result = Promise<{ readonly [name: string]: XmlValue }>;

const sessionName = /^[\w+=,.@-]{2,64}$/;
/** What a session's rights would be narrowed by. */
const narrowing = ['Policy', 'PolicyArns', 'SerialNumber', 'TokenCode'];

/** STS: who somebody is, and credentials that end by themselves. */
export function stsService(deps: StsDeps): QueryService {
  const operations: Readonly<Record<string, QueryOperation>> = {
    GetCallerIdentity: { run: async ({ principal }) => identityOf(principal) },
    GetAccessKeyInfo: { run: async ({ principal }) => ({ Account: ownAccountOf(principal) }) },
    GetSessionToken: { run: (call) => getSessionToken(call, deps) },
    AssumeRole: { run: (call) => assumeRole(call, deps) },
    AssumeRoleWithWebIdentity: { run: (call) => assumeRoleWithWebIdentity(call, deps), isUnsigned: true },
  };
  return {
    name: 'sts',
    version: '2011-06-15',
    namespace: 'https://sts.amazonaws.com/doc/2011-06-15/',
    operations: new Map(Object.entries(operations)),
  };
}

function identityOf(principal: Principal): { readonly [name: string]: XmlValue } {
  const { role, keyName } = principal;
  const account = ownAccountOf(principal);
  const own = keyName === undefined ? account : uniqueId('AIDA', keyName);
  const id = role === undefined ? own : `${uniqueId('AROA', role.uid)}:${role.sessionName}`;
  return { Arn: arnOfPrincipal(principal), UserId: id, Account: account };
}

async function getSessionToken({ parameters, principal }: QueryCall, { sessions }: StsDeps): Result {
  parameters.refuse(narrowing);
  if (principal.isSession === true)
    throw queryError('AccessDenied', 'Cannot call GetSessionToken with session credentials', 403);
  const seconds = parameters.integer('DurationSeconds', 43_200, 900, 129_600);
  return { Credentials: shown(sessions.issueFor({ accessKeyId: principal.accessKeyId ?? 'anybody' }, seconds)) };
}

async function assumeRole(call: QueryCall, deps: StsDeps): Result {
  const { parameters, principal } = call;
  parameters.refuse(narrowing);
  const { roleArn, accountId, name } = roleOfCall(call);
  const session = parameters.required('RoleSessionName', sessionName);
  const role = await deps.roles.find(accountId, name);
  const isAllowed = role !== null && (await deps.roles.allows(principal, accountId, 'token', name));
  if (!isAllowed || !isTrusted(role, call)) throw denied(principal, { action: 'sts:AssumeRole', resource: roleArn });
  if (principal.role !== undefined && parameters.integer('DurationSeconds', 3600, 900, 43_200) > 3600)
    throw queryError(
      'ValidationError',
      'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining',
    );
  return sessionOf(role, accountId, session, call, deps);
}

/** Without a policy of its own, whoever may get the ServiceAccount's tokens may be it. */
function isTrusted({ trustPolicy }: Role, { principal, parameters }: QueryCall): boolean {
  if (trustPolicy === undefined) return true;
  const arns = [arnOfPrincipal(principal), arnOfPolicies(principal)];
  const externalId = parameters.text('ExternalId', /^[\w+=,.@:/-]*$/, 1224);
  return trusts(trustPolicy, { kind: 'caller', accountId: ownAccountOf(principal), arns, externalId });
}

async function assumeRoleWithWebIdentity(call: QueryCall, deps: StsDeps): Result {
  const { parameters } = call;
  parameters.refuse(['Policy', 'PolicyArns', 'ProviderId']);
  const { roleArn, accountId, name } = roleOfCall(call);
  const session = parameters.required('RoleSessionName', sessionName);
  const token = parameters.required('WebIdentityToken', /^/, 20_000);
  const fn = deps.functionTokens.ownerOf(token);
  if (fn !== null) {
    const role = fn.accountId === accountId && fn.roleName === name ? await roleOfFunction(fn, deps) : null;
    if (role === null) throw notAuthorized(roleArn, 'the role is not, or not any more, that of the function');
    const result = await sessionOf(role, accountId, session, call, deps);
    return { SubjectFromWebIdentityToken: fn.subject, Audience: webIdentityAudience, ...result };
  }
  const owner = await deps.ownerOf(token);
  if (owner === null)
    throw queryError('InvalidIdentityToken', `The token is not valid, or not for the audience ${webIdentityAudience}.`);
  const role = await deps.roles.find(accountId, name);
  const isOwn = role !== null && role.namespace === owner.namespace && role.objectName === owner.name;
  if (!isOwn || role.uid !== owner.uid) throw notAuthorized(roleArn, 'the token is of another ServiceAccount');
  const result = await sessionOf(role, accountId, session, call, deps);
  return { SubjectFromWebIdentityToken: owner.subject, Audience: webIdentityAudience, ...result };
}

/** Where nobody is asked who he is, a role that is not there will do as well. */
async function roleOfFunction(
  { accountId, roleName }: FunctionOwner,
  { roles, needsRoles }: StsDeps,
): Promise<SessionRole | null> {
  const role = await roles.find(accountId, roleName);
  if (role !== null || needsRoles) return role;
  const nobody = { namespace: 'none', objectName: 'none', uid: 'none', maxSessionSeconds: 43_200 };
  return { name: roleName, id: uniqueId('AROA', roleName), ...nobody };
}

function notAuthorized(roleArn: string, why: string): Error {
  const message = `Not authorized to perform sts:AssumeRoleWithWebIdentity on ${roleArn}: ${why}.`;
  return queryError('AccessDenied', message, 403);
}

/** @throws LambdaError ValidationError */
function roleOfCall({ parameters }: QueryCall): {
  readonly roleArn: string;
  readonly accountId: string;
  readonly name: string;
} {
  const roleArn = parameters.required('RoleArn', /^/, 2048);
  const parsed = parseRoleArn(roleArn);
  if (parsed === null) throw parameterError('RoleArn', roleArn, 'Member must be the ARN of a role');
  return { roleArn, ...parsed };
}

async function sessionOf(
  { name, namespace, objectName, uid, id, maxSessionSeconds }: SessionRole,
  accountId: string,
  session: string,
  { parameters }: QueryCall,
  { sessions }: StsDeps,
): Result {
  const seconds = parameters.integer('DurationSeconds', 3600, 900, 43_200);
  if (seconds > maxSessionSeconds)
    throw queryError(
      'ValidationError',
      'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.',
    );
  const assumed = { name, sessionName: session, namespace, objectName, uid };
  return {
    Credentials: shown(sessions.issueForRole(accountId, assumed, seconds)),
    AssumedRoleUser: {
      AssumedRoleId: `${id}:${session}`,
      Arn: `arn:aws:sts::${accountId}:assumed-role/${name}/${session}`,
    },
  };
}

function shown({ accessKeyId, secretAccessKey, sessionToken, expiresAtMs }: IssuedCredentials): {
  readonly [name: string]: XmlValue;
} {
  return {
    AccessKeyId: accessKeyId,
    SecretAccessKey: secretAccessKey,
    SessionToken: sessionToken,
    Expiration: instantText(expiresAtMs),
  };
}
