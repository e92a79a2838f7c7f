/*
 * The door of the S3 server that tests of every part use: the one that the chart ships, a slow way to it, and blobs in it without a cache.
 */
export { s3BlobStore } from './s3-store.ts';
export {
  provideTestS3,
  startTestS3,
  type TestS3,
  testCredentials,
  testS3Module,
  testS3Version,
} from './testing-versitygw.ts';
export { openWay, type Verdict, type Way } from './testing-way.ts';
