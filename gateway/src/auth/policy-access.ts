import { type Asked, type Authorizer, denied } from './authorizer.ts';
import { arnOfPolicies, arnOfPrincipal, type Principal } from './principal.ts';
import type { PolicyCaller } from './resource-policy.ts';

/** How a resource policy may let in who has no right of its own. */
export interface PolicyAsked {
  /** Whether the policy allows it. */
  readonly isGranted: (caller: PolicyCaller) => boolean;
  /** What is thrown when nothing allows it. Default: AWS's words for API calls. */
  readonly refusal?: () => Error;
}

/**
 * Lets through who has the right itself, and whom the resource policy lets in. Null = nothing has to be waited for. Fails closed.
 *
 * @throws LambdaError (or rejects with it) AccessDenied; ServiceException when nobody can be asked
 */
export function requireAccess(
  authorizer: Authorizer,
  principal: Principal,
  asked: Asked,
  { isGranted, refusal = () => denied(principal, asked) }: PolicyAsked,
): Promise<void> | null {
  const allowed = authorizer.allows(principal, asked);
  if (allowed === true) return null;
  if (isGranted(policyCaller(principal, asked.accountId))) {
    if (allowed !== false) allowed.catch(() => undefined); // its answer does not matter
    return null;
  }
  if (allowed === false) throw refusal();
  return allowed.then((isAllowed) => {
    if (!isAllowed) throw refusal();
  });
}

/**
 * The caller as statements name it. Inside an account a statement for the whole account says nothing: there the account's own rules say
 * who may, as on AWS.
 */
export function policyCaller(principal: Principal, accountId: string): PolicyCaller {
  const { accounts } = principal;
  const foreign = accounts === null || accounts.includes(accountId) ? [] : accounts;
  const arns = [...new Set([arnOfPrincipal(principal), arnOfPolicies(principal)])];
  return { kind: 'signed', accounts: foreign, arns: arns.filter((arn) => !arn.endsWith(':root')) };
}
