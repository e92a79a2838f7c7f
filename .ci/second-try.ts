import { jest } from '@jest/globals';

/**
 * Set-up of the tests that run whole processes: all but the unit tests, whose random seeds look for what goes wrong seldom, so that a failure is
 * never to be played away. In CI one that failed is played again, twice at most; what failed first stays in the output, and summary.ts counts it:
 * two shared cores carry cluster, platform, load and referee, and stand still at times. At a desk every failure counts.
 */
if (process.env['CI'] === 'true') jest.retryTimes(2, { logErrorsBeforeRetry: true });
