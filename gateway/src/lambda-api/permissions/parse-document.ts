import type { FunctionPermission } from '@kappa/crds/function';

import { principalOf } from '../../auth/resource-policy.ts';
import { InvalidParameterValue } from '../../errors.ts';

type Conditions = Omit<FunctionPermission, 'sid' | 'qualifier' | 'action' | 'principal'>;
type ReadCondition = (value: string) => Conditions;

/** By operator and key, in lower case. `ArnLike` and `StringLike` of an ARN are one: each part is compared for itself. */
const readers: Readonly<Record<string, ReadCondition>> = {
  'stringequals lambda:functionurlauthtype': (value) => ({ functionUrlAuthType: parseAuthType(value) }),
  'stringequals aws:principalorgid': (principalOrgId) => ({ principalOrgId }),
  'stringequals aws:sourceaccount': (sourceAccount) => ({ sourceAccount }),
  'stringequals lambda:eventsourcetoken': (eventSourceToken) => ({ eventSourceToken }),
  'arnlike aws:sourcearn': (sourceArn) => ({ sourceArn }),
  'stringlike aws:sourcearn': (sourceArn) => ({ sourceArn }),
  'bool lambda:invokedviafunctionurl': (value) => ({ invokedViaFunctionUrl: parseBool(value) }),
};

/**
 * Reads a policy document into what a Function keeps. Everything that cannot be kept as it is said is refused, so that no policy means
 * something else than its text.
 *
 * @param resource ARN that all statements must be about
 * @param qualifier '' = the function without one
 * @throws InvalidParameterValue
 */
export function parsePolicyDocument(text: string, resource: string, qualifier: string): FunctionPermission[] {
  const { Version, Id, Statement, ...unknown } = record(parseJson(text), 'The policy');
  if (Object.keys(unknown).length > 0) throw refused(`the policy has an unknown member ${Object.keys(unknown)[0]}`);
  if (Version !== '2012-10-17' || (Id !== undefined && typeof Id !== 'string'))
    throw refused('the policy must have the Version 2012-10-17');
  const statements = (Array.isArray(Statement) ? Statement : [Statement]).map((statement, at) =>
    parseStatement(record(statement, `Statement ${at + 1}`), at, resource, qualifier),
  );
  const names = statements.map(({ sid }) => sid);
  if (new Set(names).size !== names.length) throw refused('two statements have the same Sid');
  return statements;
}

function parseStatement(
  statement: Readonly<Record<string, unknown>>,
  at: number,
  resource: string,
  qualifier: string,
): FunctionPermission {
  const { Sid = `statement-${at + 1}`, Effect, Principal, Action, Resource, Condition, ...unknown } = statement;
  const where = `statement ${typeof Sid === 'string' ? Sid : at + 1}`;
  const [odd] = Object.keys(unknown);
  if (odd !== undefined) throw refused(`${where} has the member ${odd}, which is not supported`);
  if (Effect !== 'Allow') throw refused(`${where} must have the Effect Allow: what nothing allows is denied`);
  if (typeof Sid !== 'string' || !/^[a-zA-Z0-9_-]{1,100}$/.test(Sid)) throw refused(`${where} has no valid Sid`);
  if (one(Resource, where, 'Resource') !== resource) throw refused(`${where} must have the Resource ${resource}`);
  const action = one(Action, where, 'Action');
  if (!/^(lambda:[*]|lambda:[a-zA-Z]+|[*])$/.test(action)) throw refused(`${where} has an Action that Lambda has not`);
  const principal = parsePrincipal(Principal, where);
  return checked({ sid: Sid, qualifier, action, principal, ...parseConditions(Condition, where) });
}

/** Rules that hold for every statement, however it was written. @throws InvalidParameterValue */
export function checked(permission: FunctionPermission): FunctionPermission {
  const { action, functionUrlAuthType, invokedViaFunctionUrl, principal } = permission;
  if (functionUrlAuthType !== undefined && action !== 'lambda:InvokeFunctionUrl')
    throw new InvalidParameterValue('FunctionUrlAuthType is only supported for lambda:InvokeFunctionUrl action');
  if (invokedViaFunctionUrl !== undefined && action !== 'lambda:InvokeFunction')
    throw new InvalidParameterValue('InvokedViaFunctionUrl is only supported for lambda:InvokeFunction action');
  if (principalOf(principal).kind === 'nobody')
    throw new InvalidParameterValue('The provided principal was invalid. Please check the principal and try again.');
  return permission;
}

/** `"*"`, `{"AWS": "…"}` or `{"Service": "…"}`, with one principal. */
function parsePrincipal(principal: unknown, where: string): string {
  if (principal === '*') return '*';
  const entries = Object.entries(record(principal, `Principal of ${where}`));
  const [[kind = '', value] = []] = entries;
  if (entries.length !== 1 || (kind !== 'AWS' && kind !== 'Service'))
    throw refused(`${where} must have one Principal: *, AWS or Service`);
  return one(value, where, 'Principal');
}

function parseConditions(condition: unknown, where: string): Conditions {
  let conditions: Conditions = {};
  for (const [operator, keys] of Object.entries(condition === undefined ? {} : record(condition, 'Condition'))) {
    for (const [key, value] of Object.entries(record(keys, operator))) {
      const read = readers[`${operator} ${key}`.toLowerCase()];
      if (read === undefined) throw refused(`${where} has the condition ${operator} ${key}, which is not supported`);
      const text = typeof value === 'boolean' ? String(value) : one(value, where, key);
      conditions = { ...conditions, ...read(text) };
    }
  }
  return conditions;
}

/** A text, or a list with one text. */
function one(value: unknown, where: string, member: string): string {
  const single: unknown = Array.isArray(value) && value.length === 1 ? value[0] : value;
  if (typeof single === 'string') return single;
  throw refused(`${where} must have exactly one ${member}: write a statement for each`);
}

function parseAuthType(value: string): 'None' | 'AwsIam' {
  if (value === 'NONE') return 'None';
  if (value === 'AWS_IAM') return 'AwsIam';
  throw refused('lambda:FunctionUrlAuthType must be NONE or AWS_IAM');
}

function parseBool(value: string): boolean {
  if (value !== 'true' && value !== 'false') throw refused('lambda:InvokedViaFunctionUrl must be true or false');
  return value === 'true';
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw refused('the policy is not JSON');
  }
}

function record(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return Object.fromEntries(Object.entries(value));
  throw refused(`${what} must be an object`);
}

function refused(problem: string): InvalidParameterValue {
  return new InvalidParameterValue(`The provided policy was invalid: ${problem}.`);
}
