import { accountIdOf } from '@kappa/crds/accounts';
import { toLambdaName } from '@kappa/crds/names';

import type { Addressee } from '../async/accept.ts';
import type { Directory } from '../registry/directory.ts';
import type { PushMapping } from './push-mapping.ts';

/** What {@link addresseeOf} looks at. */
export interface AddresseeDeps {
  readonly directory: Pick<Directory, 'look'>;
  /** The account that a namespace is; undefined = no such namespace has been seen. */
  readonly accountOf: (namespace: string) => string | undefined;
  readonly arnOf: (accountId: string, functionName: string) => string;
}

/** Whose a mapping's events are. The function need not exist: then they wait for it, and are given up as dead events. */
export function addresseeOf(
  { namespace, functionObjectName, qualifier }: PushMapping,
  { directory, accountOf, arnOf }: AddresseeDeps,
): Addressee {
  const line = `${namespace}/${functionObjectName}`;
  const accountId = accountOf(namespace) ?? accountIdOf(namespace);
  const name = directory.look(line).fn?.functionName ?? toLambdaName(functionObjectName) ?? functionObjectName;
  const arn = arnOf(accountId, name);
  return {
    line,
    accountId,
    ...(qualifier === null ? { invokedArn: arn } : { qualifier, invokedArn: `${arn}:${qualifier}` }),
  };
}
