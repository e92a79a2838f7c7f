import { jest } from '@jest/globals';

/**
 * Set-up of the specs of a cluster. Where many specs decide about one change (CI), a scenario that failed is played once more, and what
 * failed first stays in the output: one machine of two cores carries cluster, platform, load and referee, and stands still at times.
 * At a desk every failure counts.
 */
if (process.env['CI'] === 'true') jest.retryTimes(1, { logErrorsBeforeRetry: true });
