import type { InvokeAsyncRequest, InvokeAsyncResponse } from '@aws-sdk/client-lambda';

import { InvalidRequestContent } from '../errors.ts';
import type { ApiDeps, OperationCall } from './call.ts';
import { eventProblem } from './event-check.ts';
import { JsonCheck } from './json-check.ts';

/** The body is read by the API's own bound, which is that of this operation: 256 KiB. */
type Request = Omit<InvokeAsyncRequest, 'InvokeArgs'> & { readonly InvokeArgs: Uint8Array };

/** InvokeAsync: the old form of Invoke with InvocationType Event. */
export async function invokeAsync(call: OperationCall<Request>, deps: ApiDeps): Promise<InvokeAsyncResponse> {
  const { fn, requestId, trace } = call;
  const event = Buffer.from(call.input.InvokeArgs);
  const check = new JsonCheck();
  check.push(event);
  const problem = event.length === 0 ? null : eventProblem(event, check);
  if (problem !== null) throw new InvalidRequestContent(`Could not parse request body into json: ${problem}`);
  const name = fn.qualifier === null ? fn.arn : `${fn.arn}:${fn.qualifier}`;
  const resolved = await deps.resolve(encodeURIComponent(name), '');
  await deps.accept(resolved, { requestId, trace, event: event.length === 0 ? Buffer.from('{}') : event });
  return { Status: 202 };
}
