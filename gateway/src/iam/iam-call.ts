import { ownAccountOf } from '../auth/principal.ts';
import type { QueryCall } from '../query/query-api.ts';
import { queryError } from '../query/query-error.ts';
import type { Role } from './role.ts';
import { roleNamePattern } from './role-name.ts';
import type { Roles, RoleVerb } from './roles.ts';
import { documentProblem } from './trust.ts';

/** Which role a call is about. */
export interface RoleCall {
  readonly accountId: string;
  readonly name: string;
}

/** The role that the parameters name, in the caller's own account. @throws LambdaError AccessDenied, ValidationError */
export async function roleCall(call: QueryCall, roles: Roles, verb: RoleVerb): Promise<RoleCall> {
  const name = call.parameters.required('RoleName', roleNamePattern);
  const accountId = ownAccountOf(call.principal);
  const action = `iam:${call.parameters.required('Action')}`;
  const resource = `arn:aws:iam::${accountId}:role/${name}`;
  await roles.requireRight(call.principal, accountId, verb, { name: verb === 'create' ? '' : name, action, resource });
  return { accountId, name };
}

/** A document in an answer: IAM encodes them as in a URL. */
export function encodedDocument(document: string): string {
  return encodeURIComponent(document).replaceAll(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** @throws LambdaError MalformedPolicyDocument */
export function requireDocument(call: QueryCall, name: string): string {
  const document = call.parameters.required(name, /^/, 131_072);
  const problem = documentProblem(document);
  if (problem !== null) throw queryError('MalformedPolicyDocument', problem);
  return document;
}

/** Of a list: `MaxItems` entries after `Marker`. @param nameOf tells entries apart, in the order of the list */
export function pageOf<T>(
  { parameters }: QueryCall,
  entries: readonly T[],
  nameOf: (entry: T) => string,
): { readonly page: readonly T[]; readonly IsTruncated: boolean; readonly Marker?: string } {
  const size = parameters.integer('MaxItems', 100, 1, 1000);
  const marker = parameters.text('Marker');
  const rest = marker === null ? entries : entries.filter((entry) => nameOf(entry) > marker);
  const page = rest.slice(0, size);
  const last = page.at(-1);
  if (rest.length <= size || last === undefined) return { page, IsTruncated: false };
  return { page, IsTruncated: true, Marker: nameOf(last) };
}

/** `Key` and `Value`. */
export function tagList({
  tags = {},
}: Pick<Role, 'tags'>): readonly { readonly Key: string; readonly Value: string }[] {
  return Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
}

/** IAM's form of an instant. */
export function instantText(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}
