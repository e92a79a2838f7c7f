import { ThrottleReason } from '@aws-sdk/client-lambda';
import { expect, test } from '@jest/globals';

import { TooManyRequests, throttleReasons } from './errors.ts';

test.each(throttleReasons)('%s is a reason of Lambda’s, and says when to come back', (reason) => {
  expect(Object.values(ThrottleReason)).toContain(reason);
  expect(new TooManyRequests(reason)).toMatchObject({ status: 429, reason, retryAfterSeconds: 1 });
});
