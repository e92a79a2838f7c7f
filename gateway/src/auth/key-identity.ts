import type { Identity } from './principal.ts';

/** Reads a field of an access key's Secret, or the annotation that stands for it. */
type Field = (name: string, annotation: string) => string | undefined;

/**
 * Whose rights an access key has: `user` with `groups`, or `serviceAccount` (`NAMESPACE/NAME`). Fails closed: what is not understood makes
 * the Secret no key at all.
 *
 * @returns null = it names nobody; in words why the fields mean nothing
 */
export function parseIdentity(field: Field): Identity | null | string {
  const user = field('user', 'kappa.dev/user');
  const groups = field('groups', 'kappa.dev/groups');
  const account = field('serviceAccount', 'kappa.dev/service-account');
  if (account !== undefined) {
    if (user !== undefined || groups !== undefined)
      return 'serviceAccount stands alone: no user and no groups beside it';
    const [namespace = '', name = '', ...more] = account.split('/');
    if (more.length > 0 || !dnsName.test(namespace) || !dnsName.test(name))
      return 'serviceAccount must be NAMESPACE/NAME';
    return serviceAccountIdentity(namespace, name);
  }
  if (user === undefined) return groups === undefined ? null : 'groups need a user';
  if (user === '') return 'user must not be empty';
  const named = (groups ?? '').split(',').map((group) => group.trim());
  return { user, groups: [...new Set([...named.filter((group) => group !== ''), everybody])] };
}

/** Who a ServiceAccount is to the cluster's authorization. */
export function serviceAccountIdentity(namespace: string, name: string): Identity {
  return {
    user: `system:serviceaccount:${namespace}:${name}`,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, everybody],
  };
}

const everybody = 'system:authenticated';
const dnsName = /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/;
