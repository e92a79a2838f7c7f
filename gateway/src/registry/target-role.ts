import { parseRoleArn, roleArnOf } from '../iam/role-name.ts';
import type { FunctionTokens } from '../sts/function-tokens.ts';
import type { RoutingOptions } from './routing.ts';

/**
 * The roles of functions, with tokens that STS takes for them. A role of another account is none: it is what `iam:PassRole` would refuse.
 *
 * @param stsUrl where functions reach STS
 */
export function roleSource(
  tokens: Pick<FunctionTokens, 'tokensOf'>,
  stsUrl: string,
): NonNullable<RoutingOptions['roleOf']> {
  return (accountId, functionArn, version) => {
    const arn = roleArnOf(version, accountId);
    const named = arn === undefined ? null : parseRoleArn(arn);
    if (arn === undefined || named?.accountId !== accountId) return undefined;
    return { arn, stsUrl, token: tokens.tokensOf({ accountId, roleName: named.name, subject: functionArn }) };
  };
}
