import type { GetAccountSettingsRequest, GetAccountSettingsResponse } from '@aws-sdk/client-lambda';

import type { ApiDeps, OperationCall } from '../call.ts';
import { reservedOf } from '../concurrency/reserved.ts';
import { leastUnreserved } from '../concurrency/totals.ts';

/** Lambda's bound on the code of all functions of an account, bytes: 75 GiB. It is told; the blob store decides. */
const CODE_STORAGE_BYTES = 75 * 1024 ** 3;

/** GetAccountSettings, from what this gateway has seen. */
export async function getAccountSettings(
  { accountId }: OperationCall<GetAccountSettingsRequest>,
  deps: ApiDeps,
): Promise<GetAccountSettingsResponse> {
  const fns = deps.directory.ofAccount(accountId);
  const codeBytes = fns
    .flatMap(({ namespace, name }) => deps.directory.look(`${namespace}/${name}`).versions)
    .reduce((sum, version) => sum + version.codeBytes, 0);
  return {
    AccountLimit: {
      TotalCodeSize: CODE_STORAGE_BYTES,
      CodeSizeUnzipped: deps.codeLimits.unpackedBytes,
      CodeSizeZipped: deps.codeLimits.zippedBytes,
      ConcurrentExecutions: deps.accountConcurrency,
      UnreservedConcurrentExecutions: Math.max(
        leastUnreserved(deps.accountConcurrency), // kubectl may reserve more; dispatch keeps so much all the same
        deps.accountConcurrency - reservedOf(accountId, deps),
      ),
    },
    AccountUsage: { TotalCodeSize: codeBytes, FunctionCount: fns.length },
  };
}
