import { type ServiceAccount, serviceAccounts } from '@kappa/crds/client/kinds';

import type { Authorizer } from '../auth/authorizer.ts';
import { denied } from '../auth/authorizer.ts';
import type { Principal } from '../auth/principal.ts';
import type { Objects } from '../lambda-api/objects.ts';
import { queryError } from '../query/query-error.ts';
import type { Directory } from '../registry/directory.ts';
import { type Role, type RoleRecord, recordOf, roleAnnotation, roleLabel, roleOf } from './role.ts';
import { roleObjectName } from './role-name.ts';

/** What {@link Roles} works with. */
export interface RolesDeps {
  readonly objects: Pick<Objects, 'find' | 'list' | 'create' | 'change' | 'remove'>;
  readonly directory: Pick<Directory, 'namespaceOf'>;
  readonly authorizer: Authorizer;
}

/** A verb on ServiceAccounts. `token` = to be one; `impersonate` = to let something run as one. */
export type RoleVerb = 'get' | 'list' | 'create' | 'update' | 'delete' | 'impersonate' | 'token';

/** The roles of accounts: the ServiceAccounts of their namespaces. */
export class Roles {
  readonly #deps: RolesDeps;

  constructor(deps: RolesDeps) {
    this.#deps = deps;
  }

  /** Null = there is none, or no such account. */
  async find(accountId: string, name: string): Promise<Role | null> {
    const namespace = await this.#deps.directory.namespaceOf(accountId);
    if (namespace === undefined) return null;
    const found = await this.#deps.objects.find(serviceAccounts, namespace, roleObjectName(name));
    if (found === null || found.metadata.deletionTimestampMs !== null) return null;
    const role = roleOf(found, accountId);
    return role.name === name ? role : null;
  }

  /** @throws LambdaError NoSuchEntity */
  async require(accountId: string, name: string): Promise<Role> {
    const role = await this.find(accountId, name);
    if (role === null) throw noSuchRole(name);
    return role;
  }

  /** By name. */
  async list(accountId: string): Promise<readonly Role[]> {
    const namespace = await this.#deps.directory.namespaceOf(accountId);
    if (namespace === undefined) return [];
    const accounts = await this.#deps.objects.list(serviceAccounts, { namespace });
    return accounts.map((account) => roleOf(account, accountId)).sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** @throws LambdaError EntityAlreadyExists, NoSuchEntity for an account that is none */
  async create(accountId: string, name: string, record: RoleRecord): Promise<Role> {
    const namespace = await this.#deps.directory.namespaceOf(accountId);
    if (namespace === undefined)
      throw queryError('NoSuchEntity', `No namespace of this install is the account ${accountId}.`, 404);
    const annotations = { [roleAnnotation]: JSON.stringify({ name, ...record }) };
    const labels = { [roleLabel]: 'true' };
    const made = await this.#deps.objects.create(serviceAccounts, {
      metadata: { namespace, name: roleObjectName(name), labels, annotations },
      automountServiceAccountToken: false,
    });
    if (made === null) throw queryError('EntityAlreadyExists', `Role with name ${name} already exists.`, 409);
    return roleOf(made, accountId);
  }

  /** @param edit makes the new record of the role as it is then. @throws LambdaError NoSuchEntity, UnmodifiableEntity */
  async change(accountId: string, name: string, edit: (role: Role) => Partial<RoleRecord>): Promise<Role> {
    const { namespace, objectName } = await this.require(accountId, name);
    const place = { namespace, name: objectName };
    const changed = await this.#deps.objects.change(serviceAccounts, place, (account): ServiceAccount => {
      const role = roleOf(account, accountId);
      requireOwn(role);
      const record = { ...recordOf(account.metadata.annotations), ...edit(role) };
      const annotations = { ...account.metadata.annotations, [roleAnnotation]: JSON.stringify(record) };
      return { ...account, metadata: { ...account.metadata, annotations } };
    });
    if (changed === null) throw noSuchRole(name);
    return roleOf(changed, accountId);
  }

  /** @throws LambdaError NoSuchEntity, UnmodifiableEntity, DeleteConflict */
  async remove(accountId: string, name: string): Promise<void> {
    const role = await this.require(accountId, name);
    requireOwn(role);
    if (Object.keys(role.policies ?? {}).length > 0)
      throw queryError('DeleteConflict', 'Cannot delete entity, must delete policies first.', 409);
    if ((role.attached ?? []).length > 0)
      throw queryError('DeleteConflict', 'Cannot delete entity, must detach all policies first.', 409);
    await this.#deps.objects.remove(serviceAccounts, role.namespace, role.objectName, role.uid);
  }

  /** Whether a caller may do this with a role, or with all of an account (empty name). */
  async allows(principal: Principal, accountId: string, verb: RoleVerb, name: string): Promise<boolean> {
    const namespace = await this.#deps.directory.namespaceOf(accountId);
    if (namespace === undefined) return principal.identity === undefined;
    return this.#deps.authorizer.allowsIn(principal, accountId, {
      namespace,
      verb: verb === 'token' ? 'create' : verb,
      group: '',
      resource: 'serviceaccounts',
      subresource: verb === 'token' ? 'token' : '',
      name: name === '' ? '' : roleObjectName(name),
    });
  }

  /** @throws LambdaError AccessDenied */
  async requireRight(
    principal: Principal,
    accountId: string,
    verb: RoleVerb,
    { name, action, resource }: { readonly name: string; readonly action: string; readonly resource: string },
  ): Promise<void> {
    if (!(await this.allows(principal, accountId, verb, name))) throw denied(principal, { action, resource });
  }
}

/** ServiceAccounts that kubectl made may carry an install's own parts: they can be used here, not changed. */
function requireOwn({ name, isOwn }: Role): void {
  if (isOwn) return;
  throw queryError(
    'UnmodifiableEntity',
    `Cannot perform the operation on the role '${name}': its ServiceAccount was not made by this API. Use kubectl, or label it ${roleLabel}=true.`,
  );
}

function noSuchRole(name: string): Error {
  return queryError('NoSuchEntity', `The role with name ${name} cannot be found.`, 404);
}
