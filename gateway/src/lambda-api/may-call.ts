import { type Authorizer, denied } from '../auth/authorizer.ts';
import { rights } from '../auth/lambda-rights.ts';
import { policyCaller } from '../auth/policy-access.ts';
import { allows, grantsOf } from '../auth/resource-policy.ts';
import type { Directory } from '../registry/directory.ts';
import { aliasObjectName } from './aliases/find.ts';
import type { ApiDeps, OperationCall } from './call.ts';
import { parseMappingArn } from './event-source-mappings/arn.ts';
import { keyOf, placeOf } from './functions/find.ts';
import type { Input } from './model/input.ts';
import type { OperationName } from './model/model.ts';

/** What is asked for, and by whom. */
type Asking = Pick<OperationCall<unknown>, 'principal' | 'accountId' | 'fn'>;

/** An operation and its action, without `lambda:`. */
interface Operation {
  readonly name: OperationName;
  readonly action: string;
}

/**
 * Refuses who is in another account, unless the function's resource policy allows the action. Own callers are looked up nowhere. Fails closed.
 *
 * @throws LambdaError AccessDenied
 */
export async function requireAccount(asking: Asking, operation: Operation, directory: Directory): Promise<void> {
  const { principal, accountId } = asking;
  if (principal.accounts === null || principal.accounts.includes(accountId)) return;
  if (!(await isGranted(asking, operation, directory))) throw refusal(asking, operation);
}

/**
 * Refuses who may not do this with the object, or the kind of objects: neither by a right of its own nor by the function's resource policy.
 *
 * @throws LambdaError AccessDenied; ServiceException when nobody can be asked
 */
export async function requireRights(
  call: OperationCall<Input>,
  operation: Operation,
  authorizer: Authorizer,
  deps: ApiDeps,
): Promise<void> {
  const { principal, accountId, namespace } = call;
  if (principal.identity === undefined) return; // its accounts were asked
  const name = await objectNameOf(call, operation.name, deps);
  const right = rights[askedAs(operation.name, call.input)];
  const asked = { right, accountId, namespace, name, ...namesOf(call, operation) };
  if (await authorizer.allows(principal, asked)) return;
  if (!(await isGranted(call, operation, deps.directory))) throw refusal(call, operation);
}

/** The tags of an event source mapping are a part of it, and of no function. */
function askedAs(name: OperationName, { Resource }: Input): OperationName {
  if (typeof Resource !== 'string' || parseMappingArn(Resource) === null) return name;
  return name === 'ListTags' ? 'GetEventSourceMapping' : 'UpdateEventSourceMapping';
}

/** Only what is done with a function can be granted by its policy. */
async function isGranted(
  { principal, accountId, fn }: Asking,
  { name, action }: Operation,
  directory: Directory,
): Promise<boolean> {
  if (fn.name === '' || !ofFunctions.test(rights[name])) return false;
  const seen = await directory.locate(accountId, fn.name);
  const policy = seen === undefined ? undefined : directory.look(keyOf(seen)).routed?.policy;
  if (policy === undefined) return false;
  const caller = policyCaller(principal, accountId);
  return allows(grantsOf(policy, fn.qualifier), { action: `lambda:${action}`, caller });
}

/** Of all that has a FunctionName: not event source mappings, which read from the function's own account. */
const ofFunctions = / (functions|functionversions|aliases)(\/|$)/;

/** Empty for what is yet to be made, and for lists. Of layers and event source mappings a role names none. */
async function objectNameOf(call: OperationCall<Input>, operation: OperationName, deps: ApiDeps): Promise<string> {
  const [verb = '', resource = ''] = rights[operation].split(' ');
  const isMaking = verb === 'create' && resource !== 'functions/invoke';
  if (isMaking || verb === 'list' || call.fn.name === '') return '';
  const { name } = await placeOf(call, deps);
  const { Name } = call.input;
  if (resource === 'functions' || resource === 'functions/invoke') return name;
  return resource === 'aliases' && typeof Name === 'string' ? aliasObjectName(name, Name) : '';
}

function namesOf({ fn }: Asking, { action }: Operation): { readonly action: string; readonly resource: string } {
  return { action: `lambda:${action}`, resource: fn.arn };
}

function refusal(asking: Asking, operation: Operation): Error {
  return denied(asking.principal, namesOf(asking, operation));
}
