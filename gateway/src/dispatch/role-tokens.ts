import type { Target, TargetRole } from './types.ts';

/** The token that each pod was told last; another gateway may have told it a newer one, which does no harm. */
const told = new WeakMap<object, string>();

/** The role as SPECIALIZE says it; undefined = the function has none. @param pod this gateway's object of the pod */
export function roleOfHead({ role }: Target, pod: object): (Omit<TargetRole, 'token'> & { token: string }) | undefined {
  if (role === undefined) return undefined;
  const token = role.token();
  told.set(pod, token);
  return { arn: role.arn, stsUrl: role.stsUrl, token };
}

/** A newer token than the pod was told, for INVOKE; undefined = it has the newest one. */
export function newToken({ role }: Target, pod: object): string | undefined {
  if (role === undefined) return undefined;
  const token = role.token();
  if (told.get(pod) === token) return undefined;
  told.set(pod, token);
  return token;
}
