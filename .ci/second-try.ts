import { jest } from '@jest/globals';

/**
 * Set-up of all tests. Where very many tests decide about one change (CI), one that failed is played again, twice at most; what failed first
 * stays in the output, and summary.ts counts it: two shared cores carry cluster, platform, load and referee, and stand still at times.
 * At a desk every failure counts.
 */
if (process.env['CI'] === 'true') jest.retryTimes(2, { logErrorsBeforeRetry: true });
