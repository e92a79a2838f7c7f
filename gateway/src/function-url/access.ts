import type { IncomingMessage } from 'node:http';

import type { Authenticator, Claim, Principal } from '../auth/authenticator.ts';
import type { Asked, Authorizer } from '../auth/authorizer.ts';
import { headOf } from '../auth/canonical-request.ts';
import { requireAccess } from '../auth/policy-access.ts';
import { allowsUrl, type Grant } from '../auth/resource-policy.ts';
import { accessDenied } from '../auth/sigv4-error.ts';
import { LambdaError } from '../errors.ts';
import type { RoutedUrl } from '../registry/routed-url.ts';

/**
 * Begins to check who calls. Fails closed: only a URL that its policy opens to anybody asks nobody.
 *
 * @param authenticator null = this install knows no callers
 * @returns null when nobody has to be asked
 * @throws LambdaError 403, and what the authenticator throws
 */
export function beginClaim(authenticator: Authenticator | null, url: RoutedUrl, req: IncomingMessage): Claim | null {
  if (url.isOpen) return null;
  if (url.auth !== 'AwsIam') throw forbidden();
  if (authenticator === null)
    throw accessDenied('Forbidden: this URL takes only signed requests (AwsIam), and this install has no access keys');
  try {
    return authenticator.begin(headOf(req));
  } catch (err) {
    throw err instanceof LambdaError && err.code === 'MissingAuthenticationTokenException' ? forbidden() : err;
  }
}

/**
 * A signed caller needs the right itself, or a resource policy that lets it in. Null = nothing has to be waited for.
 *
 * @throws LambdaError (or rejects with it) 403
 */
export function requireUrlAccess(
  authorizer: Authorizer,
  principal: Principal,
  asked: Asked,
  grants: readonly Grant[],
): Promise<void> | null {
  const isGranted = (caller: Parameters<typeof allowsUrl>[1]): boolean => allowsUrl(grants, caller, 'AwsIam');
  return requireAccess(authorizer, principal, asked, { isGranted, refusal: forbidden });
}

/** The words of AWS, by which tools and people know it. */
function forbidden(): LambdaError {
  const more = 'https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html';
  return accessDenied(`Forbidden. For troubleshooting Function URL authorization issues, see: ${more}`);
}
