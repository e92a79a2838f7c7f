/** What is used of the AWS SDK, by name, so that a bundle has that and not all of it. */
export { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
