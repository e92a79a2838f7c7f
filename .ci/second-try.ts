import { jest } from '@jest/globals';

/**
 * Set-up of the specs on a cluster. In CI a test that failed is played again at once, twice at most: before what builds on it, and in its place.
 * What failed first stays in the output, and summary.ts counts and tells it: two shared cores carry cluster, platform, load and referee, and stand
 * still at times. So each of these tests begins by making its own surroundings, whatever a try before it has left. At a desk every failure counts.
 */
if (process.env['CI'] === 'true') jest.retryTimes(2, { logErrorsBeforeRetry: true, retryImmediately: true });
