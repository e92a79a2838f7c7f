import type {
  GetFunctionRecursionConfigRequest,
  PutFunctionRecursionConfigRequest,
  RecursiveLoop,
} from '@aws-sdk/client-lambda';

import type { ApiDeps, OperationCall } from '../call.ts';
import { changeSpec } from '../functions/change.ts';
import { requireFunction } from '../functions/find.ts';

/** What the operations on loops answer. */
export interface Recursion {
  readonly RecursiveLoop: RecursiveLoop;
}

/** PutFunctionRecursionConfig. */
export async function putRecursionConfig(
  call: OperationCall<PutFunctionRecursionConfigRequest>,
  deps: ApiDeps,
): Promise<Recursion> {
  const { RecursiveLoop: wanted = 'Terminate' } = call.input;
  await changeSpec(call, deps, (spec) => ({ ...spec, recursiveLoop: wanted }));
  return { RecursiveLoop: wanted };
}

/** GetFunctionRecursionConfig; Lambda's default is Terminate. */
export async function getRecursionConfig(
  call: OperationCall<GetFunctionRecursionConfigRequest>,
  deps: ApiDeps,
): Promise<Recursion> {
  const { spec } = await requireFunction(call, deps);
  return { RecursiveLoop: spec.recursiveLoop ?? 'Terminate' };
}
