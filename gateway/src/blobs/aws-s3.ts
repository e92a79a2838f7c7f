/** What is used of the AWS SDK where it is loaded late, by name, so that a bundle has that and not all of it. */
export { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
